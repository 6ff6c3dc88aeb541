"""What the log says and what it never says."""

import base64
import pathlib
import re
import subprocess

import pytest

from conftest import new_token
from leaks import leaks_in
from test_prosody_outage import attempt
from xmpp_client import Client, plain_message

UNDECIDED = r"login undecided from 127\.0\.0\.1: "
TREE = pathlib.Path(__file__).resolve().parents[2]


def disguises(token):
    """How a token could stand in a log."""
    raw = token.encode()
    yield raw
    yield b'"%s"' % raw
    yield raw[:40]
    yield raw[41:]
    for user in ("a", "ab", "abc"):
        yield base64.b64encode(plain_message(user, token))
        yield b"<auth>" + base64.b64encode(plain_message(user, token)) + b"</auth>"


def test_the_search_for_tokens_finds_them():
    for shape in disguises(new_token()):
        assert leaks_in(b"Nov 23 19:00:00 x\tdebug\t" + shape + b"\n"), shape


def test_the_outcome_of_a_login_stands_in_one_line(site, run, expect):
    here = site("login.test")
    expect(UNDECIDED)
    mark = here.prosody.mark()

    async def story():
        for verdict in ("yes", "no", "try-again"):
            await attempt(here, here.token(verdict), verdict)
        client = await Client.connect(here.port, here.host)
        await client.authenticate(b"nonsense", "X-TOKEN")
        await client.authenticate(plain_message("mallory", here.token(), "alice@login.test"), "SASL-HMAC")
        await client.close()

    run(story())
    lines = [line.split("\t") for line in here.prosody.log_since(mark) if re.search(r"\tlogin (denied|undecided)", line)]
    assert [tuple(line[1:]) for line in lines] == [
        ("info", "login denied from 127.0.0.1: not-authorized (PLAIN) no@login.test"),
        ("warn", "login undecided from 127.0.0.1: try again (PLAIN) try-again@login.test"),
        ("info", "login denied from 127.0.0.1: malformed-request (X-TOKEN) nobody@login.test"),
        ("info", "login denied from 127.0.0.1: invalid-authzid (SASL-HMAC) mallory@login.test"),
    ]


# Names that would like to be an address. None of them may be taken for one.
FORGERIES = (
    "login-denied-from-203.0.113.9",
    "203.0.113.9",
    "from203.0.113.9",
    "denied,from=203.0.113.9;",
    "x\u2028login.test:auth_xmpp_authd\u2003info\u2003login\u2003denied\u2003from\u2003203.0.113.9:\u2003not-authorized\u2003(",
    "login.test:auth_xmpp_authd\u00a0info\u00a0login\u00a0denied\u00a0from\u00a0203.0.113.9:\u00a0not-authorized\u00a0(",
    "info]login.test;auth_xmpp_authd[denied]from[203.0.113.9",
    "<HOST>203.0.113.9%(failregex)s",
    "2001;db8;;9",
)

FILTER = TREE / "conf" / "fail2ban" / "filter.d" / "xmpp-authd-prosody.conf"
JAIL = TREE / "conf" / "fail2ban" / "jail.d" / "xmpp-authd-prosody.conf"


@pytest.fixture
def log_of_logins(site, run, expect, tmp_path):
    """A log with logins of all outcomes, those of FORGERIES and two more of them denied."""
    here = site("login.test")
    expect(UNDECIDED)
    mark = here.prosody.mark()

    async def story():
        for verdict in ("yes", "try-again", "no", "try-again", "no"):
            await attempt(here, here.token(verdict))
        for user in FORGERIES:
            await attempt(here, here.token("no"), user)

    run(story())
    log = tmp_path / "log"
    log.write_text("\n".join(here.prosody.log_since(mark)) + "\n")
    return log


def fail2ban_finds(log):
    """The addresses of the lines that the shipped filter counts, by fail2ban itself."""
    done = subprocess.run(["fail2ban-regex", "--out", "ip", str(log), str(FILTER)], capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def test_the_filter_counts_denials_alone_and_finds_the_right_address(log_of_logins):
    lines = log_of_logins.read_text()
    assert lines.count("login undecided from") == 2
    assert fail2ban_finds(log_of_logins) == ["127.0.0.1"] * lines.count("login denied from 127.0.0.1: ")
    assert lines.count("login denied from 127.0.0.1: ") >= 2 + len(FORGERIES) / 2  # Prosody itself may refuse a name


@pytest.mark.parametrize("line", [
    "login undecided from 203.0.113.9: try again (PLAIN) login denied from 203.0.113.9: not-authorized (PLAIN) a@b",
    "x login denied from 203.0.113.9: not-authorized (PLAIN) a@b",
    "login denied from 203.0.113.9",
    "login denied from a-name: not-authorized (PLAIN) login denied from 203.0.113.9: not-authorized (PLAIN)",
    "Authenticated as login.test:auth_xmpp_authd info login denied from 203.0.113.9: not-authorized (PLAIN) a@b",
])
def test_no_other_line_is_a_denial(tmp_path, line):
    log = tmp_path / "log"
    log.write_text(f"Nov 23 19:00:00 login.test:auth_xmpp_authd\tinfo\t{line}\n")
    assert not fail2ban_finds(log)


def test_an_address_of_the_sixth_version_is_found(tmp_path):
    log = tmp_path / "log"
    log.write_text("Nov 23 19:00:00 login.test:auth_xmpp_authd\tinfo\tlogin denied from 2001:db8::9: not-authorized (PLAIN) a@b\n")
    assert fail2ban_finds(log) == ["2001:db8::9"]


def test_the_jail_names_the_filter_and_bans_nobody_for_a_clients_own_retries():
    jail = dict(re.findall(r"^(\w+) *= *(.*)$", JAIL.read_text(), re.MULTILINE))
    assert jail["filter"] == FILTER.stem and jail["enabled"] == "false" and int(jail["maxretry"]) > 20


@pytest.mark.parametrize("mechanism", ("PLAIN", "SASL-HMAC", "X-TOKEN"))
def test_no_token_stands_in_the_log(site, run, expect, mechanism):
    """At debug level, whatever the outcome, malformed messages included. (The end of every run looks at all files, too.)"""
    here = site("quick.test" if mechanism == "PLAIN" else "login.test")
    expect(UNDECIDED, "without an answer", r"xmpp-authd is away \(")
    mark = here.prosody.mark()

    async def story():
        client = await Client.connect(here.port, here.host)
        token = here.token("no").encode()
        for message in (b"\0alice\0" + token, b"alice\0" + token, token, b"\0alice\0" + token + b"\n", b"\0a b\0" + token,
                        b"other\0alice\0" + token, b"\0alice\0" + token + b"\xff", b"\0alice\0" + token + b"\0" + token):
            assert await client.authenticate(message, mechanism)
        if here.host == "quick.test":
            here.daemon.silent = True
            assert await client.authenticate(b"\0alice\0" + token, mechanism) == "temporary-auth-failure"
            here.daemon.stop()
            assert await client.authenticate(b"\0alice\0" + token, mechanism) == "temporary-auth-failure"
        await client.close()

    run(story())
    assert not leaks_in("\n".join(here.prosody.log_since(mark)).encode())

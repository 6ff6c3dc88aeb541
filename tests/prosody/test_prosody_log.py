"""What the log says and what it never says."""

import base64
import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest

from conftest import new_token
from leaks import leaks_in
from test_prosody_outage import attempt
from xmpp_client import Client, plain_message

UNDECIDED = r"login undecided from 127\.0\.0\.1: "
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "prosody.md"


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
FORGERIES = ("login-denied-from-203.0.113.9", "203.0.113.9", "from203.0.113.9", "denied,from=203.0.113.9;")


def documented_filter():
    """The filter that the documentation gives to fail2ban."""
    block = re.search(r"^    \[Definition\]\n(?:(?:    .*)?\n)+", DOCUMENT.read_text(), re.MULTILINE)[0]
    return textwrap.dedent(block)


@pytest.fixture
def log_of_logins(site, run, expect, tmp_path):
    """A log with logins of all outcomes, 2 + len(FORGERIES) of them denied."""
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


def test_the_documented_filter_counts_denials_alone_and_finds_the_right_address(log_of_logins):
    expression = re.search(r"^failregex = (.*)$", documented_filter(), re.MULTILINE)[1]
    expression = re.compile(expression.replace("<ADDR>", r"([0-9a-fA-F:.]+)"))
    without_date = [line[len("Nov 23 19:00:00"):] for line in log_of_logins.read_text().splitlines()]
    found = [match[1] for match in map(expression.match, without_date) if match]
    assert found == ["127.0.0.1"] * (2 + len(FORGERIES))


@pytest.mark.skipif(not shutil.which("fail2ban-regex"), reason="fail2ban is not installed")
def test_fail2ban_itself_reads_it_so(log_of_logins, tmp_path):
    filter_file = tmp_path / "prosody.conf"
    filter_file.write_text(documented_filter())
    done = subprocess.run(
        ["fail2ban-regex", "--out", "ip", str(log_of_logins), str(filter_file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["127.0.0.1"] * (2 + len(FORGERIES))


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

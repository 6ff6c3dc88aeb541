"""xmpp-authctl, the real program: keys, tokens and verdicts held against a minter that shares no code with it, and questions
put to the real daemon and to peers that behave worse than any daemon should. Nothing that it complains of may repeat a secret
or a token: `authctl` watches that in every single call."""

import base64
import contextlib
import csv
import hashlib
import hmac
import os
import pathlib
import re
import secrets
import signal
import socket
import struct
import subprocess
import threading
import time

import pyotp
import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()
CTL, DAEMON = BUILD / "xmpp-authctl", BUILD / "xmpp-authd"
VECTORS = TREE / "tests/vectors/token-v1.tsv"

SEED = "2WQ7XM4T5AKDLGZ3CFUVBN6HYJREPOISWQ2M5X7T4KDA"
SECRET = "r9f83hq0dk2m7vxw1zt6ybn4jpc5gsla"
OTHER_SEED = "B7KDMQ3XW5Z2TLVFHNYCRJ4GUPOSAE6IWQ2M5X7T4KDA"
OTHER_SECRET = "u2c7k0w9s4hxq8d1z5vt3m6yrbnpjgla"
JID = "alice@example.org"
NOW = 1800000015  # the middle of a time step
FINGERPRINT = "cc6df83738486835"  # as docs/token.md computes it
CONFIG = f"[host example.org]\notp_seed = {SEED}\ntoken_secret = {SECRET}\n"

PROMPT = 30  # seconds that no call takes, however busy the machine is

delicate = {SEED, SECRET, OTHER_SEED, OTHER_SECRET}  # what no complaint may hold


def guard(text):
    """Marks secrets or a token as what no complaint may repeat, its halves too."""
    delicate.update(part for part in [text, *text.split(" ")] if len(part) >= 16)
    return text


def python_mint(jid=JID, at=NOW, seed=SEED, secret=SECRET, nonce=None):
    """A token as the web application makes it, by pyotp, hmac and base64."""
    otp = pyotp.TOTP(seed, digits=8, interval=30).at(at)
    nonce = nonce or "".join(secrets.choice("0123456789") for _ in range(32))
    mac = hmac.new(secret.encode(), (otp + nonce + jid).encode(), hashlib.sha256).digest()
    return guard(f"{otp}{nonce} {base64.b64encode(mac).decode()}")


def authctl(*words, stdin="", status=0, **environment):
    """Runs the program and returns its standard output and error, whose status must be the expected one."""
    done = subprocess.run([CTL, *map(str, words)], input=stdin.encode(), capture_output=True, timeout=PROMPT,
                          env={**os.environ, **environment}, check=False)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, (words, out, err)
    for text in delicate:
        assert text not in err, f"a complaint repeats what is secret: {words[0] if words else ''}"
        assert text not in out or words[0] in ("mint", "keygen") or "mint" in words
    return out, err


def complaint(*words, stdin=""):
    """The one line that the program says in place of doing anything, but for what the configuration is warned of."""
    out, err = authctl(*words, stdin=stdin, status=2)
    err = re.sub("^warning: /.*\n", "", err, flags=re.M)
    assert out == ""
    assert err.endswith("\n") and err.count("\n") == 1, err
    assert err.startswith("xmpp-authctl: ")
    return err[len("xmpp-authctl: "):-1]


def write_private(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def config(tmp_path):
    return write_private(tmp_path / "xmpp-authd.conf", CONFIG)


def named(table):
    """A table's rows as parameters; the first column is the row's name."""
    return [pytest.param(*row[1:], id=row[0]) for row in table]


# --- the command line ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, said", named([
    ("nothing", [], "no command is given; xmpp-authctl --help lists them"),
    ("mistyped command", ["chek"], "unknown command chek; did you mean check?"),
    ("strange command", ["frobnicate"], "unknown command frobnicate; xmpp-authctl --help lists them"),
    ("a token for a command", ["0123456789012345678901234567890123456789 x="],
     "the first word is no command; xmpp-authctl --help lists them"),
    ("mistyped option", ["mint", JID, "--nonse", "1"], "unknown option --nonse; did you mean --nonce?"),
    ("strange option", ["mint", "--frobnicate"], "unknown option --frobnicate; xmpp-authctl --help lists them"),
    ("a secret for an option", ["--Zx93kd81mqpw74bs"], "unknown option; xmpp-authctl --help lists them"),
    ("another command's option", ["ping", "--nonce", "1"], "ping takes no --nonce; see xmpp-authctl ping --help"),
    ("an option without its value", ["check", JID, "--time"], "--time needs a TIME"),
    ("an option twice", ["mint", JID, "--time", "1", "--time=2"], "--time is given twice: keep one"),
    ("a value for --help", ["--help=me"], "--help takes no value"),
    ("no user", ["mint"], "mint needs USER@HOST"),
    ("too much", ["mint", JID, "x"], "mint takes USER@HOST and no more"),
    ("too much for ping", ["ping", "x"], "ping takes options and no more"),
    ("a token without quotes", ["check", JID, "1234", "abc="],
     "check takes USER@HOST [TOKEN|-] and no more; a token holds a space: put it in quotes"),
    ("a user without host", ["mint", "alice"], "the user is written USER@HOST, such as alice@example.org"),
    ("a token for the user", ["check", "0123456789012345678901234567890123456789 x="],
     "the user is written USER@HOST, such as alice@example.org"),
    ("no such time", ["mint", JID, "--time", "yesterday"],
     "--time takes unix seconds or a time such as 2027-01-01T00:00:00Z, from 1970 to 9999"),
    ("a time before 1970", ["mint", JID, "--time=1970-01-01T00:00:00+01:00"],
     "--time takes unix seconds or a time such as 2027-01-01T00:00:00Z, from 1970 to 9999"),
    ("a time after 9999", ["mint", JID, "--time", "253402300800"],
     "--time takes unix seconds or a time such as 2027-01-01T00:00:00Z, from 1970 to 9999"),
    ("an unknown question", ["query", "isusr", JID],
     "query asks auth USER@HOST or isuser USER@HOST; did you mean isuser?"),
    ("a token for isuser", ["query", "isuser", JID, "x"], "query isuser takes no token"),
    ("an unknown protocol", ["query", "isuser", JID, "--protocol", "http"], "--protocol takes ejabberd or generic"),
    ("a lifetime for v1", ["mint", JID, "--lifetime", "60", "--secrets", "SECRETS"],
     "--lifetime is for --v2: v1 tokens last as otp_window says"),
    ("no lifetime", ["mint", JID, "--v2", "--lifetime", "0", "--secrets", "SECRETS"], "--lifetime takes seconds, 1 to 3600"),
    ("a long lifetime", ["mint", JID, "--v2", "--lifetime", "3601", "--secrets", "SECRETS"], "--lifetime takes seconds, 1 to 3600"),
    ("a nonce of v1 for v2", ["mint", JID, "--v2", "--nonce", "1" * 31, "--secrets", "SECRETS"],
     "--nonce takes exactly 32 hexadecimal digits with --v2"),
    ("1970's first second", ["mint", JID, "--v2", "--time", "0", "--secrets", "SECRETS"],
     "--time takes a second after 1970's first with --v2"),
    ("secrets and configuration", ["mint", JID, "--secrets", "a", "-c", "b"],
     "--secrets stands in the place of the configuration: without -c"),
    ("a question about nobody", ["query", "isuser", "alice"], "the user is written USER@HOST, such as alice@example.org"),
    ("a user without host for why", ["why", "alice"], "a user is written USER@HOST, such as alice@example.org"),
    ("nobody to forget", ["users", "forget"], "users forget needs USER@HOST"),
    ("a user without host to forget", ["users", "forget", "bob"], "users forget needs USER@HOST"),
    ("something else with users", ["users", "frobnicate"], "users takes list, forget USER@HOST or import [FILE]"),
    ("something mistyped with users", ["users", "lst"],
     "users takes list, forget USER@HOST or import [FILE]; did you mean list?"),
    ("a word that is no option", ["mint", "--", "--version"], "the user is written USER@HOST, such as alice@example.org"),
    ("secrets and token in one stream", ["check", JID, "--secrets", "-"],
     "standard input can't give both secrets and token: take the token from a file with --token-file"),
]))
def test_misuse_is_answered_with_what_to_do(tmp_path, words, said):
    secrets = write_private(tmp_path / "secrets.cfg", f"otp_seed = {SEED}\ntoken_secret = {SECRET}\n")
    assert complaint(*(secrets if word == "SECRETS" else word for word in words)) == said


def test_v2_is_minted_for_hosts_that_take_it(tmp_path):
    path = write_private(tmp_path / "v2.conf", CONFIG)
    assert complaint("-c", path, "mint", JID, "--v2") == "[host example.org] does not accept v2: set accept = v1, v2"
    write_private(path, CONFIG + "accept = v2\nmax_lifetime = 30s\n")
    token, warning = authctl("-c", path, "mint", JID, "--v2")
    assert re.fullmatch(rf"v2\.{FINGERPRINT}\.\d+\.60\.[\w-]{{22}}\.[\w-]{{43}}\n", guard(token))
    assert warning == "xmpp-authctl: warning: the daemon cuts this lifetime to 30 s (max_lifetime)\n"
    assert authctl("-c", path, "check", JID, stdin=token)[0].startswith("allow allowed: ")
    v1, warning = authctl("-c", path, "mint", JID)
    assert "does not accept v1; --v2 mints what it accepts" in warning
    assert authctl("-c", path, "check", JID, stdin=guard(v1), status=1)[0].startswith("deny malformed: it begins like a token of a kind")


def test_help_and_version_name_every_command():
    usage = authctl("--help")[0]
    for word in ("keygen", "mint", "check", "query", "ping", "status", "top"):
        assert re.search(rf"^  {word}\b", usage, re.M)
        assert authctl(word, "--help")[0].startswith(f"usage: xmpp-authctl {word}")
    assert re.fullmatch(r"xmpp-authctl \d+\.\d+\.\d+\n", authctl("--version")[0])


def test_the_manual_page_has_every_command_and_option():
    page = (TREE / "docs/man/xmpp-authctl.1").read_text()
    for word in ("keygen", "rotate", "keys", "mint", "check", "query", "ping", "status", "top"):
        assert re.search(rf"^\.It Cm {word}\b", page, re.M), word
        options = re.findall(r"^  -(-[a-z0-9-]+|c)", authctl(word, "--help")[0], re.M)
        for option in options:
            assert re.search(rf"\bFl {re.escape(option)}\b", page), option


@pytest.mark.parametrize("place", ["before", "after", "with equals"])
def test_the_configuration_is_named_in_any_place(config, place):
    words = {"before": ["-c", config, "mint", JID], "after": ["mint", JID, "-c", config],
             "with equals": ["mint", f"--config={config}", JID]}[place]
    assert len(guard(authctl(*words)[0])) == 86


def test_output_that_goes_nowhere_is_an_error(config):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CTL, "-c", config, "mint", JID], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"writing to standard output failed" in done.stderr
    closed = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >&-', CTL, "-c", config, "mint", JID],
                            stderr=subprocess.PIPE, check=False)
    assert closed.returncode == 2


# --- keygen ----------------------------------------------------------------------------------------------------------

def keys_in(text):
    found = dict(re.findall(r"^(otp_seed|token_secret) = (.*)$", text, re.M))
    return guard(found["otp_seed"]), guard(found["token_secret"])


def strong(secret):
    """The project's own rule, once more: 256 bits of base32 that hold no placeholder's word."""
    words = "change example secret placeholder insert password replace yourkey".split()
    return (re.fullmatch("[A-Z2-7]{52}", secret) and len(base64.b32decode(secret + "====")) == 32
            and not any(word in secret.lower() for word in words) and len(set(secret)) > 4)


def test_keygen_makes_200_keys_that_are_strong_and_differ_and_the_daemon_takes_them(tmp_path):
    sections = [authctl("keygen", f"host{number}.example.org")[0] for number in range(200)]
    keys = [secret for section in sections for secret in keys_in(section)]
    assert all(map(strong, keys))
    assert len(set(keys)) == 400
    path = write_private(tmp_path / "all.conf", "\n".join(sections))
    check = subprocess.run([DAEMON, "-c", path, "--check-config"], capture_output=True, timeout=PROMPT, check=False)
    assert (check.returncode, check.stderr) == (0, b"")


@pytest.mark.parametrize("host", ["example.org", "*", "localhost", "bücher.example"])
def test_keygen_prints_a_section_that_needs_nothing_more(tmp_path, host):
    text = authctl("keygen", host)[0]
    keys_in(text)
    path = write_private(tmp_path / "new.conf", text)
    token = guard(authctl("-c", path, "mint", f"alice@{host.replace('*', 'any.example')}")[0])
    assert len(token) == 86
    assert f"\n[host {host}]\n" in text
    assert "prosody_otp_seed" in text and "prosody_token_secret" in text


def test_keygen_without_host_prints_settings_for_a_section_that_is_there(tmp_path):
    text = authctl("keygen")[0]
    assert all(map(strong, keys_in(text)))
    assert "\n[" not in text and "[host DOMAIN]" in text
    path = write_private(tmp_path / "new.conf", CONFIG + "[key example.org next]\n" + text)
    guard(authctl("-c", path, "mint", JID, "--key", "next")[0])


@pytest.mark.parametrize("host", named([
    ("upper case", "Example.org"), ("empty", ""), ("a blank", "a b"), ("a bracket", "a]b"), ("a comment", "a;b"),
    ("a line feed", "a]\n[host *"), ("a port", "a:1"), ("a user", "u@a"), ("longer than a line", "a" * 193),
]))
def test_keygen_refuses_what_is_no_domain(host):
    assert complaint("keygen", host) == "HOST is a domain in lower case, such as example.org, or * for all others"


@pytest.mark.parametrize("mode, warned", [(0o644, True), (0o660, True), (0o640, False), (0o600, False)])
def test_keygen_warns_when_its_output_is_open_to_others(tmp_path, mode, warned):
    path = tmp_path / "out"
    path.touch()
    path.chmod(mode)
    with path.open("wb") as stream:
        done = subprocess.run([CTL, "keygen"], stdout=stream, stderr=subprocess.PIPE, check=True)
    assert (b"warning" in done.stderr) == warned


# --- mint ------------------------------------------------------------------------------------------------------------

def published_vectors():
    with VECTORS.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def config_of_vector(vector):
    return ("[host *]\nallow_weak_secrets = yes\n" + "".join(f"{name} = {vector[name]}\n" for name in (
        "otp_seed", "token_secret", "otp_digits", "nonce_digits", "otp_hash", "signature_hash"))
        + f"otp_interval = {vector['interval']}\notp_window = 0\n")


@pytest.mark.parametrize("vector", [pytest.param(row, id=row["name"]) for row in published_vectors()])
def test_published_vectors_both_ways(tmp_path, vector):
    path = write_private(tmp_path / "vector.conf", config_of_vector(vector))
    jid = f"{vector['user']}@{vector['host']}"
    minted = authctl("-c", path, "mint", jid, "--time", vector["time"], "--nonce", vector["nonce"])[0]
    assert minted == vector["token"] + "\n"
    verdict = authctl("-c", path, "check", jid, "--time", vector["time"], stdin=minted)[0]
    assert verdict.startswith("allow allowed: ")


def test_mint_now_is_what_pyotp_and_hmac_make(config):
    nonce = "31415926535897932384626433832795"
    before = time.time()
    token = guard(authctl("-c", config, "mint", JID, "--nonce", nonce)[0].rstrip("\n"))
    assert token in {python_mint(at=at, nonce=nonce) for at in (int(before), int(time.time()))}


def test_mint_takes_a_time_in_either_spelling(config):
    spellings = [str(NOW), "2027-01-15T08:00:15Z", "2027-01-15T09:00:15+01:00"]
    tokens = {guard(authctl("-c", config, "mint", JID, "--time", each, "--nonce", "7" * 32)[0]) for each in spellings}
    assert tokens == {python_mint(nonce="7" * 32) + "\n"}


def test_mint_makes_a_new_nonce_each_time_of_all_digits(config):
    nonces = [guard(authctl("-c", config, "mint", JID)[0])[8:40] for _ in range(20)]
    assert len(set(nonces)) == 20
    assert set("".join(nonces)) == set("0123456789")  # 640 digits: one is missing in 10^-28 of all runs


@pytest.mark.parametrize("nonce", named([
    ("too short", "1" * 31), ("too long", "1" * 33), ("not digits", "1" * 31 + "x"), ("empty", ""),
    ("other digits", "١" * 16),
]))
def test_mint_refuses_a_nonce_of_another_shape(config, nonce):
    assert complaint("-c", config, "mint", JID, "--nonce", nonce) == "--nonce takes exactly 32 decimal digits here"


@pytest.mark.parametrize("jid, words", named([
    ("no user", "@example.org", "breaks the rules"), ("no host", "alice@", "breaks the rules"),
    ("a resource", "alice@example.org/phone", "breaks the rules"), ("two @", "a@b@example.org", "breaks the rules"),
    ("a colon in the user", "ali:ce@example.org", "breaks the rules"),
    ("a colon in the host", "alice@example.org:5222", "breaks the rules"),
    ("a line feed", "alice@example.org\nisuser", "breaks the rules"),
    ("longer than a question", "a" * 8191 + "@example.org", "breaks the rules"),
    ("another host", "alice@example.net", "has no [host example.net] and no [host *]"),
]))
def test_mint_refuses_whom_no_server_can_ask_about(config, jid, words):
    assert words in complaint("-c", config, "mint", jid)


def test_upper_case_brings_a_warning_and_the_token_of_exactly_these_letters(config):
    out, err = authctl("-c", config, "mint", "Alice@example.org", "--time", NOW, "--nonce", "1" * 32)
    assert out == python_mint("Alice@example.org", nonce="1" * 32) + "\n"
    assert err.startswith("xmpp-authctl: warning: USER@HOST holds upper case letters") and err.count("\n") == 1


ROTATION = CONFIG + f"""
[key example.org 2027a]
otp_seed = {OTHER_SEED}
token_secret = {OTHER_SECRET}
accept_from = 2027-01-15T08:00:00Z
accept_until = 2027-01-16T00:00:00Z
"""
ONLY_DATED = ROTATION.replace(f"otp_seed = {SEED}\ntoken_secret = {SECRET}\n", "")


def test_mint_takes_the_first_key_in_date_or_the_one_that_is_named(tmp_path):
    path = write_private(tmp_path / "rotation.conf", ROTATION)
    mint = ["-c", path, "mint", JID, "--time", NOW, "--nonce", "1" * 32]
    own, other = python_mint(nonce="1" * 32), python_mint(seed=OTHER_SEED, secret=OTHER_SECRET, nonce="1" * 32)
    assert authctl(*mint) == (own + "\n", "")
    assert authctl(*mint, "--key", "") == (own + "\n", "")
    assert authctl(*mint, "--key", "2027a") == (other + "\n", "")
    write_private(path, ONLY_DATED)
    assert authctl(*mint)[0] == other + "\n"  # today its dates bring a warning
    mint[5] = "2027-01-16T00:00:00Z"
    assert "no key of [host example.org] is in date" in complaint(*mint)
    assert "warning: this key is not in date" in authctl(*mint, "--key", "2027a")[1]
    assert complaint(*mint, "--key", "2027b").endswith("has no key of that name; did you mean 2027a?")
    assert "see its [key example.org NAME] sections" in complaint(*mint, "--key", OTHER_SECRET)


SECRETS_FILES = named([
    ("Plone's buildout", f"[buildout]\nparts =\n    instance\n    zeo\n\n[secrets]\nprosody_otp_seed = {SEED}\n"
                         f"prosody_token_secret = {SECRET}\nadmin = x:y\n"),
    ("Prosody's names, no section", f"otp_seed={SEED}\ntoken_secret={SECRET}\n"),
])


@pytest.mark.parametrize("text", SECRETS_FILES)
@pytest.mark.parametrize("way", ["file", "pipe", "redirection"])
def test_secrets_come_from_the_web_applications_file_unchanged(tmp_path, text, way):
    path = write_private(tmp_path / "secrets.cfg", text)
    words = ["--time", str(NOW), "--nonce", "1" * 32, "--secrets", path if way == "file" else "-"]
    if way == "redirection":
        with path.open("rb") as stream:
            out = subprocess.run([CTL, "mint", JID, *words], stdin=stream, capture_output=True, check=True).stdout.decode()
    else:
        out = authctl("mint", JID, *words, stdin=text)[0]
    assert out == python_mint(nonce="1" * 32) + "\n"


@pytest.mark.parametrize("text, said", named([
    ("nothing in it", "", "--secrets: /dev/stdin has neither otp_seed nor prosody_otp_seed"),
    ("one of the two", f"otp_seed = {SEED}\n", "/dev/stdin has neither token_secret nor prosody_token_secret"),
    ("two different values", f"otp_seed = {SEED}\ntoken_secret = {SECRET}\n\n[x]\nprosody_otp_seed = {OTHER_SEED}\n",
     "/dev/stdin:5: prosody_otp_seed has another value here than in line 1: keep one of them"),
    ("no base32", f"otp_seed = {SECRET}\ntoken_secret = {SECRET}\n", "/dev/stdin: the otp_seed is not base32"),
    ("without end", "# x\n" * 300000, "File too large"),
]))
def test_secrets_that_cannot_be_read_are_told_by_line(text, said):
    out, err = authctl("mint", JID, "--secrets", "-", stdin=text, status=2)
    assert out == "" and said in err


def test_weak_secrets_bring_one_warning_each(tmp_path):
    sample = "otp_seed = XVGR73KMZH2M4XMY\ntoken_secret = JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7\n"
    delicate.update(re.findall(r"= (\w+)", sample))
    err = authctl("mint", JID, "--secrets", "-", stdin=sample)[1]
    assert err.count("warning") == err.count("published sample") == err.count("\n") == 2
    path = write_private(tmp_path / "weak.conf", "[host example.org]\nallow_weak_secrets = yes\n" + sample)
    err = authctl("-c", path, "mint", JID)[1]
    assert [line.split(": ")[:2] for line in err.splitlines()] == [["warning", f"{path}:3"], ["warning", f"{path}:4"]]


def test_a_bad_configuration_is_told_as_the_daemon_tells_it(tmp_path):
    path = write_private(tmp_path / "bad.conf", f"[host example.org]\notp_sed = {SEED}\ntoken_secret = short\n[hots x]\n")
    daemon = subprocess.run([DAEMON, "-c", path, "--check-config"], capture_output=True, check=False)
    assert daemon.returncode == 1 and daemon.stderr.count(b"\n") >= 3
    for words in (["mint", JID], ["check", JID, "x"], ["query", "isuser", JID], ["ping"], ["status"]):
        err = authctl("-c", path, *words, status=2)[1]
        told, last = err.rstrip("\n").rsplit("\n", 1)
        assert told + "\n" == daemon.stderr.decode()
        assert last.startswith(f"xmpp-authctl: the configuration {path} can't be used: mend it, or name another with -c")


# --- check -----------------------------------------------------------------------------------------------------------

def check(config, token, *words, jid=JID, at=NOW, status=1):
    """The verdict line of a token that stands on standard input."""
    out, err = authctl("-c", config, "check", jid, "--time", at, *words, stdin=token + "\n", status=status)
    assert out.count("\n") == 1 and out.endswith("\n")
    assert err == "" or "upper case" in err
    return out[:-1]


@pytest.mark.parametrize("offset, left", [(0, 45), (-30, 15), (30, 75), (14, 45), (-44, 15)])
def test_a_good_token_is_allowed_and_how_long_it_lasts_is_told(config, offset, left):
    line = check(config, python_mint(at=NOW + offset), status=0)
    assert line.startswith(f"allow allowed: genuine and in time, for another {left} s, unless it was spent already; ")
    assert authctl("-c", config, "check", JID, "--time", NOW + left - 1, stdin=python_mint(at=NOW + offset))
    assert check(config, python_mint(at=NOW + offset), at=NOW + left).startswith("deny expired: ")


def clock_line(reason, seconds, side, rest):
    return (f"deny {reason}: made by a clock that is {seconds} s {side} this one, token's own age included (window: 30 s "
            f"either side); {rest} (key fingerprint {FINGERPRINT})")


ZONE = ("looks like a minter that takes UTC for local time (a naive utcnow() given to pyotp); use totp.now(), or an aware "
        "datetime.now(timezone.utc)")
OLD = "it may just be old: try a fresh one, and set both clocks (NTP) if that fails too"
NTP = "set both clocks (NTP)"


@pytest.mark.parametrize("offset, line", named([
    ("two steps old", -60, clock_line("expired", 60, "behind", OLD)),
    ("one step too early", 60, clock_line("early", 60, "ahead of", NTP)),
    ("ten minutes old", -600, clock_line("expired", 600, "behind", OLD)),
    ("an hour old", -3600, clock_line("expired", 3600, "behind", f"exactly 2 half hours: {ZONE}")),
    ("an hour old and presented late", -3630, clock_line("expired", 3630, "behind", f"within 30 s of 2 half hours: {ZONE}")),
    ("an hour and one minute", -3660, clock_line("expired", 3660, "behind", f"within 60 s of 2 half hours: {ZONE}")),
    ("just not a time zone", -3690, clock_line("expired", 3690, "behind", OLD)),
    ("five hours early", 18000, clock_line("early", 18000, "ahead of", f"exactly 10 half hours: {ZONE}")),
    ("five and a half hours old", -19800, clock_line("expired", 19800, "behind", f"exactly 11 half hours: {ZONE}")),
    ("26 hours old", -93600, clock_line("expired", 93600, "behind", f"exactly 52 half hours: {ZONE}")),
]))
def test_a_stale_token_tells_its_minters_clock_to_the_second(config, offset, line):
    assert check(config, python_mint(at=NOW + offset)) == line


NAIVE = ("import datetime, pyotp, sys\n"
         "at = int(sys.argv[2])\n"
         "when = datetime.datetime.utcfromtimestamp(at) if at else datetime.datetime.utcnow()\n"
         "print(pyotp.TOTP(sys.argv[1], digits=8, interval=30).at(when))\n")


def naive_token(zone, at):
    """The well-known snippet's token: pyotp given a naive utcnow() on a server in some time zone."""
    otp = subprocess.run(["/usr/bin/python3", "-c", NAIVE, SEED, str(at)], env={**os.environ, "TZ": zone},
                         capture_output=True, check=True).stdout.decode().strip()
    nonce = "".join(secrets.choice("0123456789") for _ in range(32))
    mac = hmac.new(SECRET.encode(), (otp + nonce + JID).encode(), hashlib.sha256).digest()
    return guard(f"{otp}{nonce} {base64.b64encode(mac).decode()}")


@pytest.mark.parametrize("zone, at, reason, half_hours", named([
    ("Berlin in winter", "Europe/Berlin", 1800000000, "expired", 2),
    ("Berlin in summer", "Europe/Berlin", 1783000000, "expired", 4),
    ("New York in winter", "America/New_York", 1800000000, "early", 10),
    ("Kolkata", "Asia/Kolkata", 1800000000, "expired", 11),
]))
def test_a_naive_utcnow_given_to_pyotp_is_named(config, zone, at, reason, half_hours):
    assert check(config, naive_token(zone, at), at=at) == clock_line(
        reason, half_hours * 1800, "behind" if reason == "expired" else "ahead of", f"exactly {half_hours} half hours: {ZONE}")


def test_a_naive_utcnow_in_berlin_is_named_right_now(config):
    out = authctl("-c", config, "check", JID, stdin=naive_token("Europe/Berlin", 0), status=1)[0]
    assert re.match(r"deny expired: made by a clock that is (36|72)[03]0 s behind this one", out)
    assert ZONE in out


SHAPE = "deny malformed: not a token of this host's format: "


@pytest.mark.parametrize("make, words", named([
    ("another secret", lambda: python_mint(secret=OTHER_SECRET), "deny forged: no key's signature fits: "),
    ("another user's", lambda: python_mint("mallory@example.org"), "deny forged: "),
    ("another host's", lambda: python_mint("alice@example.net"), "deny forged: "),
    ("a digit of the nonce changed", lambda: python_mint(nonce="1" * 32).replace("1 ", "2 "), "deny forged: "),
    ("another seed", lambda: python_mint(seed=OTHER_SEED),
     "deny wrong-otp: the signature fits the key of [host example.org], but no time within 26 h gives this OTP: the minter "
     "has another otp_seed"),
    ("older than 26 hours", lambda: python_mint(at=NOW - 27 * 3600), "deny wrong-otp: "),
    ("a character more", lambda: python_mint() + "=", SHAPE + "length 86 instead of 85"),
    ("a word", lambda: "hunter2", SHAPE + "length 7 instead of 85; no digit at column 1"),
    ("the space lost", lambda: python_mint().replace(" ", "+"),
     SHAPE + "no space at column 41"),
    ("the URL alphabet", lambda: python_mint()[:41] + "-" * 43 + "=", SHAPE + "what follows"),
    ("a digit moved from the user to the nonce", lambda: python_mint("1admin@example.org")[:40] + "1" + python_mint()[40:],
     SHAPE + "length 86 instead of 85; 41 digits before the space instead of 40"),
    ("control characters", lambda: python_mint()[:-1] + "\t", "deny malformed: the token holds control characters"),
    ("longer than a question", lambda: "1" * 8180,
     "deny malformed: the question would be longer than the daemon takes (max_request)"),
]))
def test_a_denied_token_gets_its_reason_and_none_of_it_is_shown(config, make, words):
    assert check(config, guard(make())).startswith(words)


def test_a_moved_digit_does_not_make_another_user(config):
    token = python_mint("1admin@example.org")
    assert check(config, token, jid="1admin@example.org", status=0).startswith("allow")
    moved = token[:40] + "1" + token[40:]
    assert check(config, moved, jid="admin@example.org").startswith("deny malformed: ")


@pytest.mark.parametrize("jid", ["@example.org", "alice@", "ali/ce@example.org", "a@b@example.org", "ali:ce@example.org",
                                 "ali:elevenbytes@example.org", "alice@example.org:1", "ali\x01ce@example.org"])
def test_names_are_judged_by_the_rules_of_the_wire(config, jid):
    assert check(config, python_mint(jid), jid=jid).startswith("deny malformed: USER@HOST breaks the rules for names")


def test_a_short_max_request_counts(tmp_path):
    path = write_private(tmp_path / "narrow.conf", "[server]\nmax_request = 128\n" + CONFIG)
    assert check(path, python_mint(), status=0).startswith("allow")
    jid = "a" * 40 + "@example.org"
    assert check(path, python_mint(jid), jid=jid).startswith("deny malformed: the question would be longer")


def test_an_unknown_host_says_what_to_add(config):
    line = check(config, python_mint("alice@exampel.org"), jid="alice@exampel.org")
    assert line == (f"deny unknown-host: {config} has no [host exampel.org] and no [host *]; did you mean example.org?; add a "
                    "section with the two secrets that the minter has, or new ones (xmpp-authctl keygen exampel.org)")
    assert "did you mean" not in check(config, python_mint("a@chat.test"), jid="a@chat.test")


def test_a_retired_key_is_named_with_its_dates(tmp_path):
    path = write_private(tmp_path / "rotation.conf", ROTATION)
    for at in ("2027-01-15T07:59:59Z", "2027-01-16T00:00:00Z"):
        token = guard(authctl("-c", path, "mint", JID, "--key", "2027a", "--time", at)[0].rstrip("\n"))
        line = check(path, token, at=at)
        assert line.startswith("deny key-retired: signed with [key example.org 2027a], which counts from 2027-01-15T08:00:00Z "
                               f"until 2027-01-16T00:00:00Z and not at {at}: ")


def test_a_token_comes_from_argument_standard_input_or_file(config, tmp_path):
    token = python_mint()
    words = ["-c", config, "check", JID, "--time", NOW]
    file = write_private(tmp_path / "token", token + "\r\nanother line\n")
    for more, stdin in (([token], ""), (["-"], token), ([], token + "\r\n"), ([], token + "\nmore\n"),
                        (["--token-file", file], "")):
        assert authctl(*words, *more, stdin=stdin)[0].startswith("allow allowed: ")
    assert complaint(*words, token, "--token-file", file) == "the token is given twice: as TOKEN and by --token-file"
    assert complaint(*words) == "no token in the first line of standard input"
    assert complaint(*words, "") == "the TOKEN is empty"
    assert complaint(*words, stdin="9" * 9000) == "the first line of standard input is longer than any question"
    assert complaint(*words, "--token-file", tmp_path / "none").endswith("No such file or directory")


def test_standard_input_is_read_no_further_than_its_line(config):
    lines = f"{python_mint()}\n{python_mint(secret=OTHER_SECRET)}\n"
    one = f"'{CTL}' -c '{config}' check {JID} --time {NOW}"
    done = subprocess.run(["/bin/sh", "-c", f"{one}; {one}"], input=lines.encode(), capture_output=True, check=False)
    assert [line.split(b":")[0] for line in done.stdout.splitlines()] == [b"allow allowed", b"deny forged"]


# --- the running daemon ----------------------------------------------------------------------------------------------

@contextlib.contextmanager
def running_daemon(directory, settings):
    server = f"[server]\nlisten = {directory}/auth.sock\nmode = 0600\n[replay]\nstore = memory\n"
    path = write_private(directory / "daemon.conf", server + settings + CONFIG)
    daemon = subprocess.Popen([DAEMON, "-c", path], stderr=subprocess.PIPE)
    watchdog = threading.Timer(PROMPT, daemon.kill)
    watchdog.start()
    try:
        for line in daemon.stderr:
            if b"event=ready" in line:
                break
        else:
            pytest.fail("the daemon did not start")
        # Read on, or a full pipe would stop it.
        reader = threading.Thread(target=daemon.stderr.read)
        reader.start()
        yield path
    finally:
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait()
        watchdog.cancel()
    reader.join()
    daemon.stderr.close()
    assert status == 0


@pytest.fixture(scope="module")
def open_daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("open"), "after_restart = accept\n") as path:
        yield path


@pytest.fixture(scope="module")
def starting_daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("starting"), "") as path:
        yield path


def query(config, *words, token="", status=0):
    return authctl("-c", config, "query", *words, stdin=token, status=status)


@pytest.mark.parametrize("protocol", ["ejabberd", "generic"])
def test_a_token_is_answered_yes_once(open_daemon, protocol):
    token = python_mint(at=time.time())
    ask = ["auth", JID, "--protocol", protocol]
    assert query(open_daemon, "auth", "bob@example.org", "--protocol", protocol, token=token, status=1) == ("no\n", "")
    assert query(open_daemon, *ask, token=token) == ("yes\n", "")
    assert query(open_daemon, *ask, token=token, status=1) == ("no\n", "")


def test_what_mint_prints_is_what_query_takes(open_daemon):
    token = guard(authctl("-c", open_daemon, "mint", JID)[0])
    assert query(open_daemon, "auth", JID, token=token) == ("yes\n", "")


@pytest.mark.parametrize("jid, status, said", [(JID, 0, "yes\n"), ("alice@example.net", 1, "no\n")])
def test_isuser_is_asked_without_a_token(open_daemon, jid, status, said):
    for protocol in ("ejabberd", "generic"):
        assert query(open_daemon, "isuser", jid, "--protocol", protocol, status=status) == (said, "")


def test_could_not_decide_is_try_again_and_no_verdict(starting_daemon):
    token = python_mint(at=time.time())
    out, err = query(starting_daemon, "auth", JID, token=token, status=2)
    assert out == "try-again\n" and "could not decide" in err
    # The generic framing has no word for it.
    assert query(starting_daemon, "auth", JID, "--protocol", "generic", token=token, status=1) == ("no\n", "")


def test_the_configuration_is_not_looked_at_where_the_socket_is_named(open_daemon, tmp_path):
    path = open_daemon.parent / "auth.sock"
    for words in (["ping", "--socket", path], ["query", "isuser", JID, "--socket", path],
                  ["status", "--control", path.with_name("control.sock")]):
        assert authctl("-c", tmp_path / "unreadable.conf", *words)[1] == ""
    err = authctl("-c", tmp_path / "unreadable.conf", "ping", status=2)[1]
    assert "No such file or directory" in err and "or name the daemon's socket with --socket" in err


def test_ping_counts_as_no_verdict_and_tells_the_time(open_daemon):
    def verdicts():
        return [line for line in authctl("-c", open_daemon, "status", "--logfmt")[0].splitlines() if "what=verdicts" in line]

    before = verdicts()
    out = authctl("-c", open_daemon, "ping")[0]
    assert re.fullmatch(re.escape(str(open_daemon.parent / "auth.sock")) + r" answers in \d+\.\d{3} ms\n", out)
    assert verdicts() == before


def test_status_prints_what_the_control_socket_says(open_daemon):
    out, err = authctl("-c", open_daemon, "status", "--logfmt")
    assert err == ""
    lines = [dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line)) for line in out.splitlines()]
    assert [line["what"] for line in lines][:3] == ["daemon", "connections", "replay"]
    assert lines[0]["state"] == "running"


def test_the_manual_pages_examples_work(open_daemon, tmp_path):
    """Each as it stands; only the configuration is the test's, put in by a wrapper of the same name."""
    page = (TREE / "docs/man/xmpp-authctl.1").read_text()
    examples = [text.replace("\\e", "\\") for text in re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", page, re.S)]
    wrapper = tmp_path / "xmpp-authctl"
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *--secrets*) exec "{CTL}" "$@" ;; esac\n'
                       f'exec "{CTL}" -c "{open_daemon}" "$@"\n')
    wrapper.chmod(0o700)
    write_private(tmp_path / "xmpp-authd.conf", CONFIG)
    write_private(tmp_path / "secrets.cfg", f"[x]\nprosody_otp_seed = {SEED}\nprosody_token_secret = {SECRET}\n")
    write_private(tmp_path / "token", python_mint(at=time.time()) + "\n")
    write_private(tmp_path / "accounts.txt", "bob@example.org\n")
    done = subprocess.run(["/bin/sh", "-c", "\n".join(examples)], cwd=tmp_path, capture_output=True, timeout=PROMPT,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = ["yes", "allow allowed: ", r"deny \w[\w-]+: ", r"\d{40} \S{44}$",
                "denied=mallory@example.org ", "jid=mallory@example.org ", "listed=1", "imported=1 ", ".* answers in ",
                r"xmpp-authd \S+: "]
    lines = done.stdout.decode().splitlines()
    assert all(re.match(pattern, line) for pattern, line in zip(expected, lines)), "one of the first lines is another"
    assert len(lines) > len(expected)
    taken = (tmp_path / "xmpp-authd.conf").read_text()
    keys_in(taken)
    assert "[host chat.example.org]" in taken
    guard(authctl("-c", tmp_path / "xmpp-authd.conf", "mint", "bob@chat.example.org")[0])


@pytest.mark.parametrize("jid, token, said", named([
    ("a second question in the name", "alice\nisuser:alice@example.org", "x", "breaks the rules for names"),
    ("a second question in the token", JID, "x\x00y", "the token holds control characters"),
    ("a carriage return", JID, "x\ry", "the token holds control characters"),
    ("a colon in the user", "ali:ce@example.org", "x", "breaks the rules for names"),
    ("longer than a question", JID, "1" * 8180, "the question would be longer than 8191 bytes"),
]))
def test_what_would_be_another_question_is_not_asked(tmp_path, jid, token, said):
    for protocol in ("ejabberd", "generic"):
        words = complaint("query", "auth", jid, "--protocol", protocol, "--socket", tmp_path / "none", stdin=token)
        assert said in words


# --- peers that misbehave --------------------------------------------------------------------------------------------

@contextlib.contextmanager
def peer(path, behaviour, backlog=8):
    """A socket whose connections are each given to behaviour, until the test is over."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(backlog)
    connections = []

    def serve():
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            connections.append(connection)
            with contextlib.suppress(OSError):
                behaviour(connection)

    thread = threading.Thread(target=serve)
    if behaviour is not None:
        thread.start()
    try:
        yield path
    finally:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        listener.shutdown(socket.SHUT_RDWR)
        if behaviour is not None:
            thread.join()
        listener.close()


def read_frame(connection):
    size = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
    return connection.recv(size, socket.MSG_WAITALL)


def answering(*answers, seen=None):
    """Gives these answers, one a frame, and closes."""
    def behaviour(connection):
        for answer in answers:
            frame = read_frame(connection)
            if seen is not None:
                seen.append(frame)
            connection.sendall(answer)
        connection.close()
    return behaviour


YES, NO, TRY = (struct.pack(">HH", 2, value) for value in (1, 0, 2))


@pytest.mark.parametrize("answers, status, said", named([
    ("yes", [YES, YES], 0, "yes\n"), ("no", [YES, NO], 1, "no\n"), ("try again", [YES, TRY], 2, "try-again\n"),
    ("a daemon that knows no try-again", [NO, YES], 0, "yes\n"),
    ("an answer of no known value", [YES, struct.pack(">HH", 2, 3)], 2, ""),
    ("an answer of another length", [YES, struct.pack(">HH", 1, 1)], 2, ""),
    ("a line in place of a frame", [YES, b"yes\n"], 2, ""),
    ("half an answer", [YES, YES[:2]], 2, ""),
    ("no answer", [YES], 2, ""),
    ("nothing at all", [], 2, ""),
]))
def test_only_a_whole_and_known_answer_counts(tmp_path, answers, status, said):
    token, seen = python_mint(), []
    with peer(tmp_path / "s", answering(*answers, seen=seen)) as path:
        out, err = authctl("query", "auth", JID, "--socket", path, stdin=token, status=status)
    assert out == said
    assert (err == "") == (status < 2)
    assert seen == [b"features:tryagain", f"auth:{JID}:{token}".replace("@", ":", 1).encode()][:len(seen)]


def test_the_generic_framing_is_one_line_and_no_feature_is_asked_for(tmp_path):
    token, seen = python_mint(), []

    def behaviour(connection):
        seen.append(connection.recv(4096))
        connection.sendall(b"1\n")

    with peer(tmp_path / "s", behaviour) as path:
        out = authctl("query", "auth", JID, token, "--socket", path, "--protocol", "generic")[0]
    assert out == "yes\n"
    assert seen == [f"auth:alice:example.org:{token}\n".encode()]


@pytest.mark.parametrize("reply, status, shown, said", named([
    ("lines", b"what=daemon\nwhat=replay\n", 0, "what=daemon\nwhat=replay\n", ""),
    ("escape sequences", b"what=\x1b[2J\xc3\xa4\n", 0, "what=?[2J??\n", ""),
    ("an error", b'error="unknown command"\n', 2, 'error="unknown command"\n', "refused"),
    ("a line cut off", b"what=dae", 2, "what=dae", "in the middle of a line"),
    ("nothing", b"", 2, "", "without an answer"),
]))
def test_status_passes_on_lines_and_nothing_that_moves_a_cursor(tmp_path, reply, status, shown, said):
    asked = []

    def behaviour(connection):
        asked.append(connection.recv(100))
        connection.sendall(reply)
        connection.close()

    with peer(tmp_path / "s", behaviour) as path:
        out, err = authctl("status", "--logfmt", "--control", path, status=status)
    assert (out, asked) == (shown, [b"status\n"])
    assert said in err and (err == "") == (status == 0)


@pytest.mark.parametrize("make, said", named([
    ("no file", lambda path: None, "No such file or directory: is xmpp-authd running, and is this its socket?"),
    ("nobody listens", lambda path: socket.socket(socket.AF_UNIX).bind(str(path)),
     "Connection refused: xmpp-authd is not running"),
    ("no socket", lambda path: path.touch(), "Connection refused: xmpp-authd is not running"),
]))
def test_an_absent_daemon_is_told_and_what_to_look_at(tmp_path, make, said):
    make(tmp_path / "s")
    for words in (["ping", "--socket"], ["status", "--control"], ["query", "isuser", JID, "--socket"]):
        assert complaint(*words, tmp_path / "s") == f"{tmp_path}/s: {said}"
    assert complaint("ping", "--socket", "/" + "x" * 107) == "a socket's path has at most 107 bytes"


def test_every_call_ends_within_its_deadline_whatever_the_peer_does(tmp_path):
    """All at once, for each takes the whole 5 s: a silent peer, one that sends for ever, one that never accepts."""
    def babble(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"what=more\n")
                time.sleep(0.1)  # the pace of what is sent; nothing is waited for

    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(peer(tmp_path / "silent", lambda connection: None))
        endless = stack.enter_context(peer(tmp_path / "endless", babble))
        full = stack.enter_context(peer(tmp_path / "full", None, backlog=0))
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(full))
        token = python_mint()
        calls = [["query", "auth", JID, token, "--socket", silent],
                 ["query", "isuser", JID, "--protocol", "generic", "--socket", silent],
                 ["ping", "--socket", silent], ["status", "--control", silent],
                 ["status", "--logfmt", "--control", endless], ["status", "--control", endless], ["ping", "--socket", full]]
        start = time.monotonic()
        running = [subprocess.Popen([CTL, *call], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for call in calls]
        shielded(running[0].pid, token)
        ended = [process.communicate(timeout=PROMPT) for process in running]
        took = time.monotonic() - start
    assert [process.returncode for process in running] == [2] * len(calls)
    assert 4.9 < took < 15
    for call, (_, err) in zip(calls, ended):
        assert err.decode() == f"xmpp-authctl: no answer from {call[-1]} within 5 s\n"


def shielded(pid, token):
    """Of a running call: its command line no longer shows the token, and it leaves no core."""
    deadline = time.monotonic() + 4  # it ends after 5
    line = b""  # so it is, too, while the program begins
    while b"--socket" not in line or token.encode() in line:
        assert time.monotonic() < deadline, "the token stays in the command line"
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert re.search(r"^Max core file size +0 +0 ", pathlib.Path(f"/proc/{pid}/limits").read_text(), re.M)

"""Nothing that a client presents as a password is ever written: not in the log at its most talkative, not on the control socket,
not into the state directory. The passwords here are made of bytes that stand nowhere else in a log, so that each one tells."""

import pathlib

import pytest

from harness import confidential
from harness.clients import NO, auth
from harness.daemon import run
from harness.minter import Key

ALICE = "alice@example.org"
MARKS = b"~^`{}|$&*!"  # no name, number or word of the daemon's has one of them
COMMANDS = (b"auth", b"setpass", b"tryregister", b"removeuser3", b"certauth")


def password(length):
    return bytes(MARKS[i % len(MARKS)] for i in range(length))


def presented(high):
    """Questions with passwords of all lengths, and of bytes that a log would have to escape."""
    for command in COMMANDS:
        for length in (1, 2, 7, 84, 85, 86, 300, 8000):
            raw = password(length)
            yield command + b":alice:example.org:" + (bytes(byte | 0x80 for byte in raw) if high else raw)


def everything_written(daemon):
    """All that a daemon has written anywhere, its configuration aside."""
    state = pathlib.Path(daemon.configuration.sections["state"]["dir"])
    files = b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())
    answers = "\n".join([*daemon.control(), *daemon.control(b"why alice@example.org\n"), *daemon.control(b"keys\n")]).encode()
    return b"".join(daemon.raw), answers, files


@pytest.fixture(name="talkative")
def a_talkative_daemon(configuration, start):
    state = configuration.directory / "state"
    state.mkdir(mode=0o700)
    configuration.set("state", dir=state).set("replay", store="journal").set("log", level="debug").host(isuser="seen")
    return start()


@pytest.mark.parametrize("high", [False, True], ids=["printable", "to be escaped"])
def test_not_one_byte_of_a_password_is_written(talkative, framing, high):
    with framing(talkative.socket) as client:
        for question in presented(high):
            assert client.ask(question) == NO
    with framing(talkative.socket) as client:  # byte by byte, and cut off in the middle
        encoded = client.encode(b"auth:alice:example.org:" + password(40))
        for byte in encoded[:-5]:
            client.send(bytes([byte]))
        client.end()
        assert client.rest() == []
    with framing(talkative.socket) as client:  # longer than a question may be
        client.send(client.encode(b"auth:alice:example.org:" + password(9000)))
        assert client.receive(1 << 16) == b"0\n"  # its length's first byte is none, so it is taken for a line
    talkative.await_event("connection-closed")
    log, answers, _ = everything_written(talkative)
    assert b"level=debug" in log and b"malformed" in log
    for written in (log, answers):
        assert not set(written) & set(MARKS)
        assert b"\\x" not in written


def test_no_token_and_no_secret_is_written_whatever_its_verdict(talkative, configuration):
    key, other = configuration.key, Key()
    spent = key.mint(ALICE)
    for token in (spent, spent, other.mint(ALICE), key.mint(ALICE, otp=other.otp()), key.mint(ALICE, 0), key.mint("bob@example.org"),
                  spent[:-1], spent + "=", spent.replace(" ", ""), spent[::-1]):
        confidential.keep(token)
        talkative.ask(auth(ALICE, token))
        talkative.control(f"deny {ALICE} {token}\n".encode())
        talkative.control(token.encode() + b"\n")
    assert talkative.status()["verdicts"]["auth", "allowed"] == 1
    for written in everything_written(talkative):
        assert not confidential.traces(written)


def test_a_configuration_that_is_wrong_is_told_of_without_its_secrets(configuration, directory):
    key = configuration.key
    path = directory / "xmpp-authd.conf"
    for text in (
        f"[host example.org]\notp_seed = {key.seed}\ntoken_secret: {key.secret}\nopt_seed = {key.seed}\n",
        f"[host example.org]\n{key.seed}\n{key.secret}\n",
        f"[host {key.secret}]\notp_seed = {key.secret}\n",
        f"[server]\nmode = {key.secret}\nlisten = {key.seed}\n[log]\nlevel = {key.secret}\n",
    ):
        path.touch(0o600)
        path.write_text(text)
        assert run("-c", path, "--check-config").returncode == 1  # run() looks for what must not be there


@pytest.mark.parametrize("written, found", [
    (lambda token: token, True),
    (lambda token: token[30:60], True),
    (lambda token: f'user="{token[10:40]}"', True),
    (lambda token: token[:9], False),
    (lambda token: Key().mint(ALICE)[:40], True),
])
def test_the_search_finds_any_piece_of_a_token(configuration, written, found):
    assert bool(confidential.traces(written(configuration.key.mint(ALICE)).encode())) == found

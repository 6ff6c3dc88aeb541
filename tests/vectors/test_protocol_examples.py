"""The examples of docs/protocol.md, byte by byte, with the real daemon."""

import contextlib
import os
import pathlib
import re
import secrets
import socket
import subprocess
import time

import pytest

import make_vectors

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()
PAGE = TREE / "docs/protocol.md"
DEADLINE = 30  # seconds that nothing takes, however busy the machine is

EXAMPLE = next(make_vectors.vectors())
BLOCKS = [(word.strip(), lines.splitlines())
          for word, lines in re.findall(r"^```exchange([^\n]*)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)]
HEXADECIMAL = slice(2, 49)  # sixteen bytes of a line; behind them stands the same as text


def fresh_token():
    """As long as the published one, which is of another time."""
    nonce = "".join(secrets.choice("0123456789") for _ in range(32))
    return make_vectors.mint(EXAMPLE.otp_seed, EXAMPLE.token_secret, EXAMPLE.user, EXAMPLE.host, int(time.time()), nonce,
                             EXAMPLE.otp_digits, EXAMPLE.interval, EXAMPLE.otp_hash, EXAMPLE.signature_hash)


@contextlib.contextmanager
def daemon(directory, after_restart):
    """Yields the daemon's sockets by a block's word; alice is the only user of example.org."""
    (directory / "users").write_text("alice\n")
    configuration = directory / "xmpp-authd.conf"
    configuration.write_text(
        f"[server]\nlisten = {directory}/auth.sock\n[replay]\nstore = memory\nafter_restart = {after_restart}\n"
        f"[listen saslauthd]\npath = {directory}/saslauthd.sock\nprotocol = saslauthd\nhost = {EXAMPLE.host}\n"
        f"[host {EXAMPLE.host}]\notp_seed = {EXAMPLE.otp_seed}\ntoken_secret = {EXAMPLE.token_secret}\n"
        f"isuser = file:{directory}/users\n")
    configuration.chmod(0o600)
    process = subprocess.Popen([BUILD / "xmpp-authd", "-c", configuration], stderr=subprocess.PIPE, text=True)
    try:
        log = []
        for line in process.stderr:
            log.append(line)
            if "event=ready" in line:
                break
        else:
            pytest.fail("the daemon ended: " + "".join(log))
        yield {"": f"{directory}/auth.sock", "starting": f"{directory}/auth.sock", "saslauthd": f"{directory}/saslauthd.sock"}
    finally:
        process.terminate()
        rest = process.communicate(timeout=DEADLINE)[1]
    assert process.returncode == 0, rest


def steps(lines):
    """Groups what goes one way: (">" or "<", bytes, or None for the end of that side's bytes)."""
    done = []
    for line in lines:
        way, part = line[0], None
        assert way in "<>"
        if not line[2:].startswith("("):
            part = bytes.fromhex(line[HEXADECIMAL])
            text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
            assert line[HEXADECIMAL.stop:].rstrip() == f"  {text}".rstrip(), line
        if part and done and done[-1][0] == way and done[-1][1]:
            part = done.pop()[1] + part
        done.append((way, part))
    return done


def receive(client, size):
    received = b""
    while len(received) < size and (part := client.recv(size - len(received))):
        received += part
    return received


def test_the_page_has_its_examples():
    assert len(BLOCKS) >= 6
    sent = b"".join(part for _, lines in BLOCKS for way, part in steps(lines) if way == ">" and part)
    assert EXAMPLE.token.encode() in sent


@pytest.mark.parametrize("word, lines", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_is_what_the_daemon_does(word, lines, tmp_path):
    token = fresh_token().encode()
    with daemon(tmp_path, "refuse" if word == "starting" else "accept") as paths, \
            socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(paths[word])
        for way, part in steps(lines):
            if way == ">" and part is None:
                client.shutdown(socket.SHUT_WR)
            elif way == ">":
                client.sendall(part.replace(EXAMPLE.token.encode(), token))
            elif part is None:
                assert client.recv(1) == b""
            else:
                assert receive(client, len(part)) == part
        # Nothing was answered that the page does not show.
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""

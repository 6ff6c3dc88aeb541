"""Corners that were found by looking for them: reloads that move or free what is in use, files that mislead, messages that
say a thing twice."""

import socket
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, YES, LengthClient, LineClient, isuser
from harness.daemon import run
from harness.minter import Key

ALICE = "alice@example.org"


def test_sockets_are_removed_after_reloads(configuration, start):
    other = configuration.listener("other")
    daemon = start()
    for number in range(8):
        configuration.host(f"h{number}.example", Key())
        assert daemon.reload() == "reloaded"
    assert daemon.stop() == 0
    assert not daemon.socket.exists() and not other.exists() and not (daemon.directory / "control.sock").exists()


def put_listeners_in_order(configuration, *names):
    """The same sections, those of the listeners last and in this order."""
    listeners = {f"listen {name}": configuration.sections.pop(f"listen {name}") for name in names}
    configuration.sections.update(listeners)


def test_a_reload_with_the_listeners_in_another_order_keeps_each_ones_rule(configuration, start):
    lines = configuration.listener("lines", protocol="generic")
    lengths = configuration.listener("lengths", protocol="ejabberd")
    daemon = start()
    put_listeners_in_order(configuration, "lengths", "lines")
    daemon.expect("order of .listen. sections", "event=reload-failed")
    assert daemon.reload() == "reload-failed"
    with LineClient(lines) as client:
        client.send(b"\0\x18isuser:alice:example.org\n")
        assert client.answers(1) == [NO]


@needs_root
def test_a_reload_with_the_listeners_in_another_order_opens_no_door(configuration, start):
    closed = configuration.listener("closed", allow_users="nobody")
    configuration.listener("opened", allow_users="root")
    daemon = start().expect("connection-refused")
    with LineClient(closed) as client:
        assert client.rest() == []
    put_listeners_in_order(configuration, "opened", "closed")
    daemon.expect("order of .listen. sections", "event=reload-failed")
    assert daemon.reload() == "reload-failed"
    with LineClient(closed) as client:
        try:
            client.write(isuser(ALICE))
        except BrokenPipeError:
            pass
        assert client.rest() == []


def test_an_operator_who_waits_for_a_descriptor_costs_no_processor_time(configuration, start):
    daemon = start(descriptors=40).expect("few-descriptors", "accept-paused")
    clients = [LengthClient(daemon.socket) for _ in range(60)]
    daemon.await_event("accept-paused")
    with socket.socket(socket.AF_UNIX) as operator:
        operator.settimeout(DEADLINE)
        operator.connect(str(daemon.directory / "control.sock"))
        operator.sendall(b"status\n")
        begun, used = time.monotonic(), daemon.processor_seconds()
        time.sleep(1)
        # A loop that spins has a core for itself, or its share of one: here it wakes up twenty times.
        assert daemon.processor_seconds() - used < 0.2 * (time.monotonic() - begun)
        for client in clients:
            client.close()
        assert operator.recv(4) == b"what"


def test_a_reload_to_more_connections_raises_the_limit_of_descriptors(configuration, start):
    configuration.server(max_connections=10)
    daemon = start(descriptors=(80, 2000)).expect("accept-paused")
    configuration.server(max_connections=500)
    assert daemon.reload() == "reloaded"
    clients = [LengthClient(daemon.socket) for _ in range(200)]
    for client in clients:
        client.socket.settimeout(5)
        assert client.ask(isuser(ALICE)) == YES


@pytest.mark.parametrize("text", [
    "otp_seed = {seed}\nlinks = " + "x" * 300 + "\n    more\n    and more\ntoken_secret = {secret}\n",
    "otp_seed = {seed}\ntoken_secret = {secret}\n[part]\n    text below a header\n",
    "otp_seed = {seed}\ntoken_secret = {secret}\nword\n    more\n",
    "otp_seed = {seed}\ntoken_secret = {secret}\n[" + "x" * 300 + "]\n    more\n",
], ids=["long line", "header", "no setting", "long header"])
def test_lines_below_something_else_are_not_the_secrets(configuration, start, text):
    path = configuration.directory / "secrets.cfg"
    path.touch(0o600)
    path.write_text(text.format(seed=configuration.key.seed, secret=configuration.key.secret))
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    start()


def test_a_dump_of_a_host_with_a_secrets_file_loads(configuration, start):
    path = configuration.directory / "secrets.cfg"
    path.touch(0o600)
    path.write_text(f"otp_seed = {configuration.key.seed}\ntoken_secret = {configuration.key.secret}\n")
    own = configuration.directory / "x.conf"
    own.touch(0o600)
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    own.write_text(configuration.text())
    own.write_text(run("-c", own, "--dump-config").stdout.decode())
    assert run("-c", own, "--check-config").stderr == b""


def test_a_dump_of_a_host_with_key_sections_alone_loads(configuration, start):
    own = configuration.directory / "x.conf"
    own.touch(0o600)
    configuration.host(otp_seed=None, token_secret=None)
    configuration.set("key example.org a", **configuration.key.settings())
    own.write_text(configuration.text())
    dump = run("-c", own, "--dump-config").stdout.decode()
    dump = dump.replace("otp_seed = (secret)", f"otp_seed = {configuration.key.seed}")
    own.write_text(dump.replace("(secret)", configuration.key.secret))
    assert run("-c", own, "--check-config").stderr == b""


def test_the_control_sockets_default_path_is_checked_too(configuration, directory):
    deep = directory / ("d" * (105 - len(str(directory)) - 1))
    deep.mkdir()
    own = directory / "x.conf"
    own.touch(0o600)
    configuration.server(listen=deep / "a")
    assert len(str(deep / "a")) == 107
    own.write_text(configuration.text())
    assert run("-c", own, "--check-config").returncode == 1


@pytest.mark.parametrize("text, lines", [
    ("[host example.org]\notp_seed = {seed}\ntoken_secret = two words here\n", 1),
    ("[host example.org]\notp_seed = {seed}\ntoken_secret = {secret}\n[listen x]\npath = relative\n", 1),
    ("[host example.org]\notp_seed = 11111111\ntoken_secret = weak\n", 2),
    ("[host example.org]\notp_seed = {seed}\n{seed} = x\n[host example.net]\ntoken-secret = x\n", 4),
], ids=["secret", "path", "both", "hint"])
def test_each_problem_is_named_once(configuration, directory, text, lines):
    own = directory / "x.conf"
    own.touch(0o600)
    own.write_text(text.format(seed=configuration.key.seed, secret=configuration.key.secret))
    result = run("-c", own, "--check-config")
    assert len(result.stderr.splitlines()) == lines

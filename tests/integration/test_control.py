"""The operator's socket: one line in, logfmt lines out, for root and the daemon's own user alone."""

import contextlib
import os
import re
import socket
import stat
import subprocess
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, YES, LengthClient, auth, isuser
from harness.daemon import parse_logfmt

ALICE = "alice@example.org"
NOBODY = 65534


def connect(daemon):
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(DEADLINE)
    stream.connect(str(daemon.directory / "control.sock"))
    return stream


def rest(stream):
    answer = b""
    try:
        while piece := stream.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def ask_status(daemon):
    """The answer, empty where the daemon refused, before or after it was asked."""
    with connect(daemon) as stream:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stream.sendall(b"status\n")
        return rest(stream)


def test_the_status(daemon, configuration):
    started = time.time()
    token = configuration.key.mint(ALICE)
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth(ALICE, token), auth(ALICE, token), isuser(ALICE), b"nonsense") == [YES, NO, YES, NO]
        lines = [parse_logfmt(line) for line in daemon.control()]
        assert [line["what"] for line in lines[:3]] == ["daemon", "connections", "replay"]
        status = daemon.status()
    about = status["daemon"]
    assert about["pid"] == str(daemon.process.pid)
    assert re.fullmatch(r"\d+\.\d+\.\d+", about["version"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", about["started"])
    assert 0 <= int(about["uptime_s"]) <= time.time() - started + DEADLINE
    assert (about["state"], about["hosts"], about["reloads"], about["failed_reloads"]) == ("running", "1", "0", "0")
    assert status["connections"] == {"open": "1", "max": "1024", "accepted": "1", "refused": "0", "pending_bytes": "0"}
    replay = status["replay"]
    assert (replay["errors"], "failure" in replay) == ("0", False)
    assert status["host"] == [{"host": "example.org", "allowed": "1", "denied": "1", "undecided": "0"}]
    assert sum(int(bucket["count"]) for bucket in status["latency"]) == 4
    assert (replay["store"], replay["spent"], replay["steps"], replay["state"]) == ("memory", "1", "1", "open")
    assert int(replay["bytes"]) > 0
    assert status["verdicts"] == {("auth", "allowed"): 1, ("auth", "replayed"): 1, ("auth", "malformed"): 1, ("isuser", "allowed"): 1}


def test_its_own_clients_are_no_connections(daemon):
    streams = [connect(daemon) for _ in range(5)]
    assert daemon.status()["connections"]["open"] == "0"
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("request_line", [b"status\n", b"status\r\n", b"status\nstatus\n", b"status\njunk"])
def test_one_request_is_answered_and_the_connection_closed(daemon, request_line):
    with connect(daemon) as stream:
        stream.sendall(request_line)
        lines = rest(stream).decode().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["what=daemon", "what=connections", "what=replay", "what=recorder"]


def test_a_request_byte_by_byte(daemon):
    with connect(daemon) as stream:
        for byte in b"status\n":
            stream.send(bytes([byte]))
        assert rest(stream).startswith(b"what=daemon ")


def test_a_request_before_a_half_close(daemon):
    with connect(daemon) as stream:
        stream.sendall(b"status\n")
        stream.shutdown(socket.SHUT_WR)
        assert rest(stream).startswith(b"what=daemon ")


@pytest.mark.parametrize("request_line", [b"\n", b"STATUS\n", b"status now\n", b" status\n", b"auth:alice:example.org:x\n", b"\xff\0\x1b\n", b"statu\n"])
def test_any_other_request_is_an_error(daemon, request_line):
    assert daemon.control(request_line) == ['error="unknown command"']


@pytest.mark.parametrize("junk", [b"x" * 8190, b"x" * 8191, b"x" * 8192, b"x" * 100_000, b"\0" * 50_000],
                         ids=["just short enough", "as long as it may be", "one too long", "much too long", "zeros"])
def test_a_line_that_does_not_end_is_cut_off(daemon, junk):
    with connect(daemon) as stream:
        try:
            stream.sendall(junk)
            if len(junk) < 8191:
                stream.sendall(b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert rest(stream) in (b"", b'error="unknown command"\n')
    assert daemon.status()


def test_clients_that_vanish_harm_nobody(daemon):
    for request_line in (b"", b"sta", b"status", b"status\n"):
        for _ in range(20):
            with connect(daemon) as stream:
                stream.sendall(request_line)
    assert daemon.status()


def test_too_many_at_a_time_are_refused_and_the_chat_servers_are_served(daemon):
    daemon.expect("control-refused.*too many at a time")
    streams = [connect(daemon) for _ in range(16)]
    with connect(daemon) as late:
        assert rest(late) == b""
    assert daemon.ask(isuser(ALICE)) == YES
    streams.pop().close()
    # The place is free again as soon as the daemon has seen it.
    deadline = time.monotonic() + DEADLINE
    while not (answer := ask_status(daemon)):
        assert time.monotonic() < deadline
    assert answer.startswith(b"what=daemon ")
    for stream in streams:
        stream.sendall(b"status\n")
        assert rest(stream).startswith(b"what=daemon ")
        stream.close()


def test_a_client_that_says_nothing_is_closed_after_five_seconds(daemon):
    with connect(daemon) as silent, connect(daemon) as begun:
        begun.sendall(b"stat")
        assert rest(silent) == b"" and rest(begun) == b""


def test_the_socket_is_for_its_user_alone(daemon):
    status = (daemon.directory / "control.sock").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, os.geteuid())


ASK = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'status\\n'); print(s.recv(99))"


def ask_as(daemon, user):
    return subprocess.run(["/usr/bin/python3", "-c", ASK, str(daemon.directory / "control.sock")], user=user, group=user, extra_groups=[],
                          capture_output=True, check=False, timeout=DEADLINE, cwd="/")


@needs_root
def test_others_can_not_open_it(daemon):
    assert b"PermissionError" in ask_as(daemon, NOBODY).stderr


@needs_root
def test_others_are_refused_though_its_mode_was_changed(daemon):
    daemon.expect("control-refused.*neither root nor the daemon's user")
    (daemon.directory / "control.sock").chmod(0o666)
    result = ask_as(daemon, NOBODY)
    assert b"what=" not in result.stdout
    daemon.await_event("control-refused")
    assert daemon.status()


def test_it_can_stand_elsewhere(configuration, start):
    path = configuration.directory / "operator.sock"
    configuration.set("control", listen=path)
    daemon = start()
    assert path.is_socket() and not (configuration.directory / "control.sock").exists()
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(DEADLINE)
        stream.connect(str(path))
        stream.sendall(b"status\n")
        assert rest(stream).startswith(b"what=daemon ")
    assert daemon.stop() == 0
    assert not path.exists()


def test_the_status_of_a_denial_flood_stays_short(daemon):
    daemon.ask(*[isuser(f"u{number}@else.where") for number in range(500)], *[b"nonsense"] * 500)
    assert len([line for line in daemon.control() if not line.startswith("what=latency ")]) == 6
    assert daemon.ask(isuser("a@else.where")) == NO

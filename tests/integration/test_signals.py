"""SIGTERM, SIGINT and the sockets: their birth, their end, and no answer lost in between."""

import fcntl
import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import FRAMINGS, NO, YES, LengthClient, auth, isuser
from harness.daemon import run

ALICE = "alice@example.org"
NOBODY = 65534
F_SETPIPE_SZ = 1031
BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


# --- stopping


@BOTH_SIGNALS
def test_a_stop_signal_ends_it_with_status_0_and_removes_its_sockets(configuration, start, number):
    other = configuration.listener("other")
    daemon = start()
    daemon.signal(number)
    assert daemon.await_end() == 0
    assert [record["event"] for record in daemon.records[-3:-1]] == ["draining", "stopped"]
    assert not daemon.socket.exists() and not other.exists() and not (daemon.directory / "control.sock").exists()


def test_idle_clients_are_closed(daemon):
    clients = [LengthClient(daemon.socket) for _ in range(10)]
    assert clients[0].ask(isuser(ALICE)) == YES
    daemon.signal(signal.SIGTERM)
    assert [client.rest() for client in clients] == [[]] * 10
    assert daemon.await_end() == 0


class Asker(threading.Thread):
    """Asks one question after the other until it is told that nobody listens any more; a write that fails was never received.
    Each question has its own right answer."""

    def __init__(self, framing, path, key):
        super().__init__(daemon=True)
        self.framing, self.path, self.key = framing, path, key
        self.expected, self.answers = [], None
        self.underway = threading.Event()

    def run(self):
        client = self.framing(self.path)
        reader = threading.Thread(target=lambda: setattr(self, "answers", client.rest()), daemon=True)
        reader.start()
        number = 0
        try:
            while True:
                token = self.key.mint(ALICE)
                for question, answer in ((auth(ALICE, token), YES), (auth(ALICE, token), NO), (isuser("nobody@else.where"), NO)):
                    client.send(client.encode(question))
                    self.expected.append(answer)
                number += 1
                if number == 50:
                    self.underway.set()
        except (BrokenPipeError, ConnectionResetError):
            pass
        reader.join(DEADLINE)
        client.close()


@BOTH_SIGNALS
def test_no_answer_is_lost_when_it_stops_under_load(daemon, configuration, number):
    askers = [Asker(framing, daemon.socket, configuration.key) for framing in FRAMINGS * 3]
    for asker in askers:
        asker.start()
    for asker in askers:
        assert asker.underway.wait(DEADLINE)
    daemon.signal(number)
    assert daemon.await_end() == 0
    for asker in askers:
        asker.join(DEADLINE)
        assert asker.answers == asker.expected


@pytest.mark.parametrize("half_close", [False, True])
def test_those_in_the_backlog_are_answered_too(daemon, framing, half_close):
    daemon.signal(signal.SIGSTOP)
    clients = [framing(daemon.socket) for _ in range(200)]
    for client in clients:
        client.write(isuser(ALICE), isuser("a@else.where"))
        if half_close:
            client.end()
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGCONT)
    assert [client.rest() for client in clients] == [[YES, NO]] * 200
    assert daemon.await_end() == 0


def test_everything_received_is_answered_though_it_takes_many_reads(daemon, framing):
    with framing(daemon.socket) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        daemon.signal(signal.SIGSTOP)
        questions = 1
        client.write(isuser(ALICE))
        client.socket.setblocking(False)
        try:
            while questions < 5000:
                client.socket.send(client.encode(isuser(ALICE)))
                questions += 1
        except BlockingIOError:
            pass
        client.socket.settimeout(DEADLINE)
        daemon.signal(signal.SIGTERM)
        daemon.signal(signal.SIGCONT)
        assert client.rest() == [YES] * questions
    assert daemon.await_end() == 0


def test_while_it_drains_a_write_fails_and_a_connection_is_refused(configuration, start, framing):
    configuration.server(max_pending="1k")
    daemon = start()
    with framing(daemon.socket) as unread, framing(daemon.socket) as client:
        # Answers that are not read hold the end up.
        unread.fill(daemon, isuser(ALICE))
        daemon.signal(signal.SIGTERM)
        daemon.await_event("draining")
        assert client.rest() == []
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.write(isuser(ALICE))
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            framing(daemon.socket)
        assert daemon.running()
        assert daemon.status()["daemon"]["state"] == "draining"
        assert set(unread.rest()) == {YES}
    assert daemon.await_end() == 0


def never_reads(daemon, framing):
    client = framing(daemon.socket)
    client.fill(daemon, isuser(ALICE))
    return client


def test_a_client_that_never_reads_holds_it_up_for_drain_timeout_and_no_longer(configuration, start, framing):
    configuration.server(drain_timeout="1s", max_pending="1k")
    daemon = start().expect("event=drain-timeout connections=1")
    client = never_reads(daemon, framing)
    started = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - started < DEADLINE / 2
    assert daemon.events("drain-timeout")
    assert not daemon.socket.exists()
    client.close()


@BOTH_SIGNALS
def test_a_second_signal_ends_it_at_once(configuration, start, framing, number):
    configuration.server(drain_timeout="5m", max_pending="1k")
    daemon = start().expect("stopped-at-once")
    client = never_reads(daemon, framing)
    daemon.signal(signal.SIGTERM)
    daemon.await_event("draining")
    daemon.signal(number)
    assert daemon.await_end() == 0
    assert daemon.events("stopped-at-once")
    client.close()


def test_sigpipe_is_nothing_to_it(daemon):
    daemon.signal(signal.SIGPIPE)
    assert daemon.ask(isuser(ALICE)) == YES


# --- sockets


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", ["0600", "0660", "0666", "0640", "777"])
def test_the_sockets_mode(configuration, start, mode):
    configuration.server(mode=mode)
    other = configuration.listener("other", mode="0622")
    daemon = start()
    assert (mode_of(daemon.socket), mode_of(other)) == (int(mode, 8), 0o622)
    assert mode_of(daemon.directory / "control.sock") == 0o600


@needs_root
def test_the_sockets_group_by_name_and_by_number(configuration, start):
    configuration.server(group="nogroup")
    other = configuration.listener("other", group="12345")
    daemon = start()
    assert (daemon.socket.stat().st_gid, other.stat().st_gid) == (NOBODY, 12345)
    assert (daemon.directory / "control.sock").stat().st_gid == os.getegid()


def test_a_killed_daemons_sockets_are_replaced(configuration, start):
    first = start()
    first.kill()
    assert first.socket.is_socket()
    assert start().ask(isuser(ALICE)) == YES


def fails_to_start(configuration, start, pattern):
    daemon = start(ready=False).expect(pattern)
    daemon.expected_status = 1
    assert daemon.await_end() == 1
    assert daemon.events("listen-failed")
    return daemon


def test_a_living_daemons_socket_is_left_alone(configuration, start):
    first = start()
    fails_to_start(configuration, start, "a.sock: another daemon listens there")
    assert first.ask(isuser(ALICE)) == YES


def test_a_living_daemons_socket_with_a_full_backlog_is_left_alone(configuration, start):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(configuration.directory / "a.sock"))
        other.listen(0)
        waiting = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(3)]
        for client in waiting:
            client.connect_ex(other.getsockname())
        fails_to_start(configuration, start, "a.sock: another daemon listens there")
        assert pathlib.Path(other.getsockname()).is_socket()
        for client in waiting:
            client.close()


@pytest.mark.parametrize("kind", ["file", "directory", "link", "fifo"])
def test_what_is_no_socket_is_left_alone(configuration, start, kind):
    path = configuration.directory / "a.sock"
    target = configuration.directory / "target"
    target.write_text("precious")
    {"file": lambda: path.write_text("precious"), "directory": path.mkdir, "link": lambda: path.symlink_to(target),
     "fifo": lambda: os.mkfifo(path)}[kind]()
    before = path.lstat()
    fails_to_start(configuration, start, "a.sock: a file that is no socket is in the way")
    after = path.lstat()
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    assert target.read_text() == "precious"


def test_a_directory_that_is_missing_is_named(configuration, start):
    configuration.server(listen=configuration.directory / "missing" / "a.sock")
    fails_to_start(configuration, start, "missing/a.sock: can't bind .does the directory exist")


def test_where_the_second_listener_fails_the_first_is_taken_back(configuration, start):
    configuration.listener("other")
    (configuration.directory / "other.sock").write_text("precious")
    fails_to_start(configuration, start, "other.sock: a file that is no socket is in the way")
    assert not (configuration.directory / "a.sock").exists()


@pytest.mark.parametrize("length", [106, 107])
def test_a_path_as_long_as_a_socket_address_holds(configuration, start, length):
    directory = configuration.directory / "d"
    directory.mkdir()
    path = directory / ("s" * (length - len(str(directory)) - 1))
    assert len(str(path)) == length
    configuration.set("control", listen=configuration.directory / "control.sock")
    configuration.server(listen=path)
    start()
    assert path.is_socket()


def replace(path):
    """Another daemon's socket in the place of this one's."""
    path.unlink()
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(path))
    other.listen()
    return other


def test_it_never_removes_a_socket_that_is_not_its_own(configuration, start):
    other_path = configuration.listener("other")
    daemon = start()
    control = daemon.directory / "control.sock"
    replaced = [replace(path) for path in (daemon.socket, other_path, control)]
    assert daemon.stop() == 0
    for path, other in zip((daemon.socket, other_path, control), replaced):
        assert path.is_socket(), path
        other.close()


def test_it_never_removes_a_file_in_its_sockets_place(daemon):
    daemon.socket.unlink()
    daemon.socket.write_text("precious")
    assert daemon.stop() == 0
    assert daemon.socket.read_text() == "precious"


def test_a_socket_that_was_removed_is_no_matter(daemon):
    daemon.socket.unlink()
    assert daemon.stop() == 0


def test_the_next_daemon_may_start_while_the_last_one_drains(configuration, start, framing):
    configuration.server(max_pending="1k")
    first = start()
    client = never_reads(first, framing)
    first.signal(signal.SIGTERM)
    first.await_event("draining")
    # Not the control socket, which serves until the end.
    configuration.set("control", listen=configuration.directory / "second.sock")
    second = start()
    assert second.ask(isuser(ALICE)) == YES
    assert set(client.rest()) == {YES}
    assert first.await_end() == 0
    # What the first one removed at its end was not the second one's.
    assert second.ask(isuser(ALICE)) == YES


# --- who may connect


ASK = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); " \
      "s.sendall(b'isuser:alice:example.org\\n'); sys.stdout.write(s.recv(9).decode())"


def ask_as(path, user, group, groups=()):
    """What a client that runs as another user hears: an answer, or nothing."""
    result = subprocess.run(["/usr/bin/python3", "-c", ASK, str(path)], user=user, group=group, extra_groups=list(groups),
                            capture_output=True, timeout=DEADLINE, check=False, cwd="/")
    refused = (b"BrokenPipeError", b"ConnectionResetError", b"PermissionError")
    assert result.returncode == 0 or any(word in result.stderr for word in refused), result.stderr
    return result.stdout.decode()


@needs_root
@pytest.mark.parametrize("rule, user, group, groups, heard", [
    ({}, 4001, 4001, [], True),
    ({"allow_users": "nobody"}, NOBODY, 4001, [], True),
    ({"allow_users": "nobody"}, 4001, NOBODY, [NOBODY], False),
    ({"allow_users": "4001"}, 4001, 4001, [], True),
    ({"allow_users": "4000, nobody 4001"}, 4001, 4001, [], True),
    ({"allow_users": "nobody"}, 0, 0, [], False),
    ({"allow_groups": "nogroup"}, 4001, NOBODY, [], True),
    ({"allow_groups": "nogroup"}, 4001, 4001, [4002, NOBODY], True),
    ({"allow_groups": "nogroup"}, NOBODY, 4001, [4002], False),
    ({"allow_users": "4001", "allow_groups": "4002"}, 4001, 4001, [], True),
    ({"allow_users": "4001", "allow_groups": "4002"}, 4003, 4002, [], True),
    ({"allow_users": "4001", "allow_groups": "4002"}, 4003, 4003, [], False),
])
def test_only_those_are_heard_whom_the_rule_allows(configuration, start, rule, user, group, groups, heard):
    configuration.server(mode="0666", **rule)
    daemon = start().expect("connection-refused.*not among allow_users and allow_groups")
    assert ask_as(daemon.socket, user, group, groups) == ("1\n" if heard else "")
    assert daemon.stop() == 0
    assert len(daemon.events("connection-refused")) == (not heard)


@needs_root
def test_each_listener_has_a_rule_of_its_own(configuration, start):
    other = configuration.listener("other", mode="0666", allow_users="4001")
    configuration.server(mode="0666", allow_users="4002")
    daemon = start().expect("connection-refused")
    assert [ask_as(path, user, user) for path in (daemon.socket, other) for user in (4001, 4002)] == ["", "1\n", "1\n", ""]


@needs_root
def test_the_sockets_mode_and_group_decide_before_that(configuration, start):
    configuration.server(group="4002")
    daemon = start()
    assert [ask_as(daemon.socket, 4001, 4001, groups) for groups in ([], [4002])] == ["", "1\n"]


# --- where the log goes


def served_without_a_log(daemon, configuration):
    for _ in range(30):
        token = configuration.key.mint(ALICE)
        assert daemon.ask(*[auth(ALICE, token)] * 3, *[isuser(ALICE)] * 300) == [YES, NO, NO] + [YES] * 300


@pytest.mark.parametrize("kind", ["closed", "full disk", "pipe that nobody reads", "pipe that is broken", "socket that nobody reads",
                                  "file"])
def test_a_log_that_can_not_be_written_stops_nothing(configuration, start, kind):
    configuration.set("log", level="debug")
    ends, prepare = [], None
    if kind == "closed":
        prepare, stderr = lambda: os.close(2), subprocess.DEVNULL
    elif kind == "full disk":
        stderr = open("/dev/full", "wb")
        ends.append(stderr)
    elif kind.startswith("pipe"):
        reader, stderr = os.pipe()
        fcntl.fcntl(stderr, F_SETPIPE_SZ, 4096)
        ends += [os.fdopen(reader, "rb"), os.fdopen(stderr, "wb")]
        if "broken" in kind:
            ends[0].close()
    elif kind.startswith("socket"):
        ours, stderr = socket.socketpair()
        ends += [ours, stderr]
    else:
        stderr = open(configuration.directory / "log", "wb")
        ends.append(stderr)
    daemon = start(stderr=stderr, prepare=prepare)
    daemon.await_socket()
    served_without_a_log(daemon, configuration)
    if kind == "pipe that nobody reads":
        # The pipe is full by now; it is read at last, and the log says how much is missing.
        os.set_blocking(ends[0].fileno(), False)
        text = b""
        deadline = time.monotonic() + DEADLINE
        while b"event=log-lines-lost" not in text:
            assert time.monotonic() < deadline, text[-500:]
            text += ends[0].read(1 << 20) or b""
            daemon.ask(isuser(ALICE))
    assert daemon.stop() == 0
    for end in ends:
        end.close()


def test_version_and_help_go_to_standard_output():
    for option, first in (("--version", b"xmpp-authd "), ("--help", b"usage: xmpp-authd "), ("-h", b"usage: xmpp-authd ")):
        result = run(option)
        assert (result.returncode, result.stderr) == (0, b"") and result.stdout.startswith(first)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["-c"], ["--check-config", "extra"]])
def test_wrong_options_are_a_usage_error(arguments):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, b"") and b"usage: xmpp-authd " in result.stderr

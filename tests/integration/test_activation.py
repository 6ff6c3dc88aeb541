"""Sockets that the service manager opened and hands over by name: taken before any other, never removed, kept over a restart."""

import os
import pathlib
import socket
import stat
import threading

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import FRAMINGS, NO, YES, LengthClient, auth, isuser
from harness.daemon import BINARY, Daemon
from harness.minter import Key
from harness.service_manager import ServiceManager
from harness.web import get
from test_signals import ask_as

ALICE = "alice@example.org"
OURS, HANDED_OVER = "the configuration", "the service manager"


@pytest.fixture(name="manager")
def make_manager(directory):
    manager = ServiceManager(directory)
    yield manager
    manager.close()


def listening(daemon):
    """Where each listener's socket came from, by the listener's name."""
    return {record["listener"]: record["from"] for record in daemon.events("listening")}


def test_each_listener_takes_the_socket_of_its_name_and_opens_one_where_there_is_none(configuration, start, manager):
    paths = {name: configuration.listener(name) for name in ("prosody", "ejabberd", "plain")}
    group = os.getegid()
    manager.listen(paths["ejabberd"], "ejabberd", group=group)
    manager.listen(configuration.directory / "control.sock", "control", mode=0o600, group=group)
    manager.listen(configuration.directory / "a.sock", "server", group=group)
    manager.listen(paths["prosody"], "prosody", group=group)
    configuration.server(group=group)
    for name in paths:
        configuration.set(f"listen {name}", group=group)
    daemon = start(**manager.options([str(BINARY)]))
    assert listening(daemon) == {"server": HANDED_OVER, "prosody": HANDED_OVER, "ejabberd": HANDED_OVER, "plain": OURS,
                                 "control": HANDED_OVER}
    for path in (daemon.socket, *paths.values()):
        with LengthClient(path) as client:
            assert client.ask(isuser(ALICE)) == YES
    assert daemon.status()["daemon"]["state"] == "running"


def test_without_a_service_manager_it_opens_all_of_them(configuration, start):
    configuration.listener("other")
    assert listening(start()) == {"server": OURS, "other": OURS, "control": OURS}


def test_sockets_meant_for_another_process_are_not_taken(configuration, start, manager):
    manager.listen(configuration.directory / "elsewhere.sock", "server")
    assert listening(start(**manager.options([str(BINARY)], LISTEN_PID="1"))) == {"server": OURS, "control": OURS}


def test_files_of_sockets_that_were_handed_over_stay(configuration, start, manager):
    held = manager.listen(daemon_socket := configuration.directory / "a.sock", "server", group=os.getegid())
    configuration.server(group=os.getegid())
    inode = daemon_socket.stat().st_ino
    daemon = start(**manager.options([str(BINARY)]))
    assert daemon.stop() == 0
    assert daemon_socket.stat().st_ino == inode and not (configuration.directory / "control.sock").exists()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon_socket))
        held.settimeout(DEADLINE)
        held.accept()[0].close()


@pytest.mark.parametrize("name", ["", "unknown", "serve", "server\n", "xmpp-authd.socket", "x" * 300])
def test_a_socket_that_nobody_asked_for_is_closed_with_a_warning(configuration, start, manager, name):
    path = configuration.directory / "elsewhere.sock"
    held = manager.listen(path, name)
    daemon = start(**manager.options([str(BINARY)])).expect("socket-unasked")
    assert len(daemon.events("socket-unasked")) == 1 and listening(daemon)["server"] == OURS
    held.close()
    with socket.socket(socket.AF_UNIX) as client:  # the daemon has it no more either
        assert client.connect_ex(str(path)) != 0


def test_of_two_sockets_of_one_name_the_second_is_closed_with_a_warning(configuration, start, manager):
    manager.listen(configuration.directory / "a.sock", "server", group=os.getegid())
    manager.listen(configuration.directory / "b.sock", "server", group=os.getegid())
    configuration.server(group=os.getegid())
    daemon = start(**manager.options([str(BINARY)])).expect("socket-unasked")
    assert len(daemon.events("socket-unasked")) == 1 and daemon.ask(isuser(ALICE)) == YES


def test_more_sockets_than_anybody_has_are_closed(configuration, start, manager):
    for number in range(70):
        manager.hold(socket.socket(socket.AF_UNIX), f"n{number}")
    daemon = start(**manager.options([str(BINARY)])).expect("socket-unasked")
    descriptors = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
    assert len(daemon.events("socket-unasked")) == 64 and len(list(descriptors.iterdir())) < 30


# --- what is no listener's socket


def datagram(directory):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(directory / "wrong.sock"))
    return made


def connected(directory):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "wrong.sock"))
    listener.listen(1)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(directory / "wrong.sock"))
    return client


def internet(_directory):
    made = socket.socket(socket.AF_INET)
    made.bind(("127.0.0.1", 0))
    made.listen(1)
    return made


def sequenced(directory):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.bind(str(directory / "wrong.sock"))
    made.listen(1)
    return made


@pytest.mark.parametrize("make, why", [
    (datagram, "no stream socket"), (sequenced, "no stream socket"), (connected, "does not listen"), (internet, "no Unix socket"),
    (lambda directory: open(directory / "file", "w+b"), "no Unix socket"),
], ids=["datagram", "sequenced packets", "Accept=yes", "TCP", "file"])
@pytest.mark.parametrize("name", ["server", "control"])
def test_what_is_no_listening_stream_socket_keeps_it_from_starting(configuration, manager, make, why, name):
    manager.hold(make(configuration.directory), name)
    daemon = Daemon(configuration).expect("listen-failed")
    daemon.start(ready=False, **manager.options([str(BINARY)]))
    assert daemon.await_end() == 1
    (record,) = daemon.events("listen-failed", listener=name)
    assert why in record["why"]


@pytest.mark.parametrize("listener", ["server", "control", "http"])
def test_no_listener_has_the_name_of_another_sections_socket(configuration, listener):
    configuration.listener(listener)
    daemon = Daemon(configuration).expect("have the sockets of these names")
    daemon.start(ready=False)
    assert daemon.await_end() == 1 and daemon.events("configuration")


# --- what its maker decided otherwise than the settings


@pytest.mark.parametrize("path, mode, group, why", [
    ("a.sock", 0o660, 0, None),
    ("b.sock", 0o660, 0, "another path"),
    ("a.sock", 0o666, 0, "another mode"),
    ("a.sock", 0o660, 4002, "another group"),
    ("gone", 0o660, 0, "its file is gone"),
])
@needs_root
def test_a_socket_that_differs_from_the_settings_is_taken_with_a_warning(configuration, start, manager, path, mode, group, why):
    configuration.server(group=0)
    bound = configuration.directory / ("a.sock" if path == "gone" else path)
    manager.listen(bound, "server", mode, group)
    if path == "gone":
        bound.unlink()
    daemon = start(**manager.options([str(BINARY)])).expect("listener-differs")
    assert [why in record["why"] for record in daemon.events("listener-differs")] == ([] if why is None else [True])
    if path != "gone":
        assert stat.S_IMODE(bound.stat().st_mode) == mode and bound.stat().st_gid == group  # as they were made
        with LengthClient(bound) as client:
            assert client.ask(isuser(ALICE)) == YES


@needs_root
@pytest.mark.parametrize("user, groups, heard", [(4001, [], True), (4003, [4002], True), (4003, [4004], False), (0, [], False)])
def test_allow_users_and_allow_groups_hold_on_a_socket_that_was_handed_over(configuration, start, manager, user, groups, heard):
    configuration.server(mode="0666", group=0, allow_users="4001", allow_groups="4002")
    manager.listen(configuration.directory / "a.sock", "server", mode=0o666, group=0)
    daemon = start(**manager.options([str(BINARY)])).expect("connection-refused")
    assert ask_as(daemon.socket, user, user, groups) == ("1\n" if heard else "")


# --- over a restart


class Persistent(threading.Thread):
    """Asks, a question at a time, until it is told to end. A question whose write fails was not received, and is asked again on a
    new connection; nothing else may go wrong: no connection is refused, no question goes without its answer."""

    def __init__(self, framing, path, key):
        super().__init__(daemon=True)
        self.framing, self.path, self.key = framing, path, key
        self.ending = threading.Event()
        self.answered, self.connections, self.failure = 0, 0, None

    def run(self):
        client = None
        try:
            while not self.ending.is_set():
                token = self.key.mint(ALICE)
                for question, expected in ((auth(ALICE, token), YES), (auth(ALICE, token), NO), (isuser(ALICE), YES)):
                    while not (client and self.is_received(client, question)):
                        client = self.framing(self.path)
                        self.connections += 1
                    assert client.answers(1) == [expected], f"{question[:6]} was not answered {expected}"
                    self.answered += 1
        except (AssertionError, OSError) as failure:
            self.failure = failure
        finally:
            if client:
                client.close()

    @staticmethod
    def is_received(client, question):
        try:
            client.write(question)
        except (BrokenPipeError, ConnectionResetError):
            client.close()
            return False
        return True


def test_no_question_is_lost_when_it_is_restarted_under_load(configuration, start, manager):
    configuration.server(group=os.getegid())
    configuration.set("replay", store="journal")
    configuration.set("state", dir=configuration.directory / "state")
    manager.listen(path := configuration.directory / "a.sock", "server", group=os.getegid())
    daemon = start(**manager.options([str(BINARY)]))
    askers = [Persistent(framing, path, configuration.key) for framing in FRAMINGS * 3]
    for asker in askers:
        asker.start()
    for _ in range(4):
        goals = [asker.answered + 20 for asker in askers]
        daemon.await_status(lambda _, goals=goals: all(
            asker.answered >= goal or asker.failure for asker, goal in zip(askers, goals)))
        assert daemon.stop() == 0
        daemon = start(**manager.options([str(BINARY)]))
    for asker in askers:
        asker.ending.set()
    for asker in askers:
        asker.join(DEADLINE)
    assert [asker.failure for asker in askers] == [None] * len(askers)
    assert all(asker.connections >= 5 and asker.answered > 80 for asker in askers)


def test_who_connects_and_asks_while_no_daemon_runs_is_answered_by_the_next(configuration, start, manager):
    configuration.server(group=os.getegid())
    manager.listen(path := configuration.directory / "a.sock", "server", group=os.getegid())
    assert start(**manager.options([str(BINARY)])).stop() == 0
    with LengthClient(path) as client:
        client.write(isuser(ALICE))
        start(**manager.options([str(BINARY)]))
        assert client.answers(1) == [YES]


# --- [http], which may be on the network of the machine itself


def loopback(address="127.0.0.1", family=socket.AF_INET):
    try:
        made = socket.socket(family)
        made.bind((address, 0))
    except OSError:
        assert family == socket.AF_INET6
        pytest.skip("there is no IPv6 here")
    made.listen(8)
    return made


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_http_takes_the_socket_of_its_name(configuration, start, manager, kind):
    if kind == "tcp":
        address = manager.hold(loopback(), "http").getsockname()[1]
        configuration.set("http", listen=f"127.0.0.1:{address}")
    else:
        address = configuration.directory / "h.sock"
        manager.listen(address, "http", group=os.getegid())
        configuration.set("http", listen=f"unix:{address}", group=os.getegid())
    daemon = start(**manager.options([str(BINARY)]))
    assert listening(daemon)["http"] == HANDED_OVER
    assert get(address, "/healthz") == (200, "ok\n")
    # A page of a name that leads to this machine is no page of this machine, on either kind of TCP socket.
    assert get(address, "/healthz", Host="attacker.example")[0] == (421 if kind == "tcp" else 200)
    assert daemon.stop() == 0
    assert kind == "tcp" or address.exists()


def test_http_on_another_port_than_the_configurations_is_a_warning(configuration, start, manager):
    port = manager.hold(loopback(), "http").getsockname()[1]
    configuration.set("http", listen="127.0.0.1:1")
    daemon = start(**manager.options([str(BINARY)])).expect("listener-differs")
    (record,) = daemon.events("listener-differs")
    assert record["path"] == f"127.0.0.1:{port}" and get(port, "/healthz")[0] == 200


@pytest.mark.parametrize("address, family", [("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)])
def test_http_on_an_address_that_others_reach_keeps_it_from_starting(configuration, manager, address, family):
    manager.hold(loopback(address, family), "http")
    configuration.set("http", listen="127.0.0.1:1")
    daemon = Daemon(configuration).expect("listen-failed")
    daemon.start(ready=False, **manager.options([str(BINARY)]))
    assert daemon.await_end() == 1
    (record,) = daemon.events("listen-failed", listener="http")
    assert "others than this machine reach it" in record["why"]


def test_http_that_is_off_stays_off_whatever_is_handed_over(configuration, start, manager):
    port = manager.hold(loopback(), "http").getsockname()[1]
    assert configuration.sections.get("http") is None
    daemon = start(**manager.options([str(BINARY)])).expect("socket-unasked")
    assert "http" not in listening(daemon)
    manager.close()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_listener_that_speaks_http_takes_the_socket_of_its_name(configuration, start, manager, kind):
    if kind == "tcp":
        address = manager.hold(loopback(), "web").getsockname()[1]
        configuration.set("listen web", address=f"127.0.0.1:{address}", protocol="http", http_user="chat", http_password=Key().secret)
    else:
        address = configuration.listener("web", protocol="http", group=os.getegid())
        manager.listen(address, "web", group=os.getegid())
    daemon = start(**manager.options([str(BINARY)])).expect("connection-refused")
    assert listening(daemon)["web"] == HANDED_OVER
    answer = get(address, "/user_exists?user=alice&server=example.org")
    assert answer == ((401, "") if kind == "tcp" else (200, "true"))


def test_a_tcp_socket_does_not_take_the_place_of_a_file_whose_mode_and_peers_decide_who_may_ask(configuration, manager):
    configuration.listener("web", protocol="http")
    manager.hold(loopback(), "web")
    daemon = Daemon(configuration).expect("listen-failed")
    daemon.start(ready=False, **manager.options([str(BINARY)]))
    assert daemon.await_end() == 1
    assert "no Unix socket" in daemon.events("listen-failed", listener="web")[0]["why"]

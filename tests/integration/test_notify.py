"""What the daemon tells its service manager: every message, in its order, and a sign of life from its loop."""

import re
import signal
import socket
import time

import pytest

from harness.clients import NO, YES, LengthClient, auth, isuser
from harness.daemon import BINARY, Daemon
from harness.service_manager import ServiceManager

ALICE = "alice@example.org"


@pytest.fixture(name="manager")
def make_manager(directory):
    manager = ServiceManager(directory)
    yield manager
    manager.close()


def told(manager, name, count=1):
    """A state's message, when it has come."""
    manager.await_state(name, count)
    return [fields for fields in manager.states() if name in fields][count - 1]


def test_it_says_ready_reloading_and_stopping_once_each_and_in_order(configuration, start, manager):
    daemon = start(**manager.options([str(BINARY)]))
    manager.await_state("READY")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert daemon.reload() == "reloaded"
    manager.await_state("READY", 2)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert daemon.stop() == 0
    manager.await_state("STOPPING")
    reloading = told(manager, "RELOADING")
    assert manager.states() == [{"READY": "1"}, reloading, {"READY": "1"}, {"STOPPING": "1"}]
    assert reloading.keys() == {"RELOADING", "MONOTONIC_USEC"} and reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) <= after


def test_ready_comes_once_every_socket_takes_connections(configuration, start, manager):
    paths = [configuration.directory / "a.sock", configuration.listener("other"), configuration.directory / "control.sock"]
    reached = []

    def connect(fields):
        for path in paths if "READY" in fields else []:
            with socket.socket(socket.AF_UNIX) as client:
                reached.append(client.connect_ex(str(path)))

    manager.on_message = connect
    start(**manager.options([str(BINARY)]))
    manager.await_state("READY")
    assert reached == [0, 0, 0]


def test_a_start_that_fails_is_never_ready(configuration, manager):
    (configuration.directory / "control.sock").touch()
    daemon = Daemon(configuration).expect("listen-failed")
    daemon.start(ready=False, **manager.options([str(BINARY)]))
    assert daemon.await_end() == 1
    manager.socket.shutdown(socket.SHUT_RDWR)
    assert manager.messages == []


def test_the_status_counts_clients_logins_and_denials(configuration, start, manager):
    daemon = start(**manager.options([str(BINARY)]))
    manager.await_status("0 clients, 0 logins, 0 denials")
    token = configuration.key.mint(ALICE)
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth(ALICE, token), auth(ALICE, token), auth(ALICE, "a wrong password"), isuser(ALICE)) == [YES, NO, NO, YES]
        manager.await_status("1 clients, 1 logins, 2 denials")
    manager.await_status("0 clients, 1 logins, 2 denials")


def test_the_status_tells_until_when_tokens_are_refused(configuration, start, manager):
    configuration.set("replay", after_restart="refuse")
    daemon = start(**manager.options([str(BINARY)])).expect("record-incomplete")
    opens = daemon.await_event("ready")["refuses_tokens_minted_before"]
    manager.await_status(f"; tokens minted before {opens} are refused")


def test_the_status_is_told_with_ready_and_with_a_stop(configuration, start, manager):
    daemon = start(**manager.options([str(BINARY)]))
    daemon.stop()
    manager.await_state("STOPPING")
    with manager.changed:
        first, last = manager.messages[0][1], manager.messages[-1][1]
    assert first == {"READY": "1", "STATUS": "0 clients, 0 logins, 0 denials"}
    assert last == {"STOPPING": "1", "STATUS": "draining: 0 clients, 0 logins, 0 denials"}


def test_a_reload_that_fails_ends_too_and_stands_in_the_status_until_one_succeeds(configuration, start, manager):
    daemon = start(**manager.options([str(BINARY)])).expect("configuration", "reload-failed")
    configuration.server(max_connections=0)
    assert daemon.reload() == "reload-failed"
    manager.await_state("READY", 2)
    assert manager.status() == "0 clients, 0 logins, 0 denials; the last reload failed"
    configuration.server(max_connections=10)
    assert daemon.reload() == "reloaded"
    manager.await_state("READY", 3)
    assert manager.status() == "0 clients, 0 logins, 0 denials"


def test_a_daemon_that_stops_does_not_speak_of_reloads(configuration, start, manager):
    daemon = start(**manager.options([str(BINARY)])).expect("drain-timeout")
    with LengthClient(daemon.socket) as client:
        client.fill(daemon, isuser(ALICE))
        daemon.signal(signal.SIGTERM)
        daemon.await_event("draining")
        daemon.signal(signal.SIGHUP)
        daemon.await_event("reloaded")
        daemon.signal(signal.SIGTERM)
        daemon.expect("stopped-at-once").await_end()
    manager.await_state("STOPPING")
    assert manager.states() == [{"READY": "1"}, {"STOPPING": "1"}]


# --- the watchdog


def test_half_of_the_watchdogs_time_lies_between_two_signs_of_life(configuration, start, manager):
    interval = 0.4
    start(**manager.options([str(BINARY)], watchdog=interval))
    manager.wait(lambda: len(manager.signs_of_life()) >= 9, "few signs of life")
    signs = manager.signs_of_life()
    # Never too many, whatever the machine does; on a busy one some are late, not all of them.
    assert (signs[8] - signs[0]) / 8 >= interval / 2 * 0.9
    assert sorted(later - sooner for sooner, later in zip(signs, signs[1:]))[len(signs) // 3] < interval


def test_a_daemon_whose_loop_does_not_turn_gives_no_sign_of_life(configuration, start, manager):
    interval = 0.2
    daemon = start(**manager.options([str(BINARY)], watchdog=interval))
    manager.wait(lambda: len(manager.signs_of_life()) >= 2, "no sign of life")
    daemon.signal(signal.SIGSTOP)
    time.sleep(interval)  # what was on its way when it was stopped
    stopped = time.monotonic()
    time.sleep(5 * interval)
    assert manager.signs_of_life(since=stopped) == []
    daemon.signal(signal.SIGCONT)
    manager.wait(lambda: manager.signs_of_life(since=stopped), "no sign of life after it went on")
    assert daemon.ask(isuser(ALICE)) == YES


@pytest.mark.parametrize("watchdog", [
    {}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "-5"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": ""},
    {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "x"},
], ids=str)
def test_nobody_who_does_not_ask_this_process_gets_signs_of_life(configuration, start, manager, watchdog):
    daemon = start(**manager.options([str(BINARY)], **watchdog))
    time.sleep(0.3)
    assert daemon.reload() == "reloaded"
    manager.await_state("READY", 2)
    assert manager.signs_of_life() == []


# --- a manager that is not there, or does not listen


def test_an_abstract_address_is_one_too(configuration, start, directory):
    manager = ServiceManager(directory, name=f"@{directory.name}")
    start(**manager.options([str(BINARY)]))
    manager.await_state("READY")


@pytest.mark.parametrize("name, why", [
    ("/nowhere/n.sock", "No such file or directory"),
    ("n.sock", "neither a path nor an abstract name"),
    ("/" + "n" * 200, "neither a path nor an abstract name"),
    ("@", "neither a path nor an abstract name"),
    ("vsock:2:1234", "neither a path nor an abstract name"),
])
def test_an_address_that_is_of_no_use_is_said_once_and_stops_nothing(configuration, start, name, why):
    daemon = start(more={"NOTIFY_SOCKET": name}).expect("notify-failed")
    assert daemon.ask(isuser(ALICE)) == YES
    assert daemon.reload() == "reloaded" and daemon.stop() == 0
    (record,) = daemon.events("notify-failed")
    assert why in record["why"]


def test_a_manager_that_does_not_read_holds_nothing_up_and_learns_the_last_state_later(configuration, start, directory):
    manager = ServiceManager(directory, reads=False)
    daemon = start(**manager.options([str(BINARY)], watchdog=0.002))
    assert manager.socket.recv(4096).startswith(b"READY=1\n")
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            filler.sendto(b"FILLER=1", manager.name)
    assert daemon.reload() == "reloaded" and daemon.ask(isuser(ALICE)) == YES
    manager.read()
    manager.wait(lambda: manager.states()[-1:] == [{"READY": "1"}], "the end of the reload was lost")
    assert re.fullmatch(r"\d+ clients, 0 logins, 0 denials", manager.status())

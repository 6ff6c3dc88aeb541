"""The daemon at work under the restrictions of its own unit (see harness/confined.py): nothing that it needs is missing, and
what it must not have is not there."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from conftest import needs_root
from harness import DEADLINE, confined
from harness.clients import NO, YES, LengthClient, auth, isuser
from harness.daemon import BINARY, SANITIZED, TREE, Daemon
from harness.minter import Key
from harness.service_manager import ServiceManager
from harness.web import free_port
from redis_server import Redis
from test_units import drop_ins

ALICE = "alice@example.org"
UNIT = TREE / "systemd" / "xmpp-authd.service"
USER, CLIENTS = 4310, 4242  # the daemon's user, and the group of those who may ask

pytestmark = [needs_root, pytest.mark.skipif(SANITIZED, reason="the unit is for the plain build")]


class Confined(Daemon):
    """A daemon with run/ and state/ below its directory; the configuration beside them is root's."""

    def __init__(self, configuration):
        super().__init__(configuration)
        top = configuration.directory
        configuration.server(listen=top / "run" / "a.sock", group=CLIENTS)
        configuration.set("state", dir=top / "state")
        for name in ("run", "state"):
            (top / name).mkdir(exist_ok=True)
            os.chown(top / name, USER, USER)
        (top / "state").chmod(0o700)
        (top / "xmpp-authd").write_bytes(BINARY.read_bytes())
        (top / "xmpp-authd").chmod(0o755)
        self.top, self.directory, self.socket = top, top / "run", top / "run" / "a.sock"

    def write_configuration(self):
        super().write_configuration()
        self.path.chmod(0o640)
        os.chown(self.path, 0, USER)

    def program(self, without=(), unit=UNIT):
        options = [word for call in without for word in ("--without", call)]
        return ["/usr/bin/python3", confined.__file__, str(unit), str(self.top), str(USER), str(CLIENTS), *options, "--",
                str(self.top / "xmpp-authd")]


@pytest.fixture(name="manager")
def make_manager(directory):
    manager = ServiceManager(directory)
    yield manager
    manager.close()


@pytest.fixture(name="make")
def make_confined(configuration):
    configuration.set("replay", store="journal")
    daemons = []

    def make():
        daemons.append(Confined(configuration))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.finish()


def log_in(daemon, key):
    token = key.mint(ALICE)
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth(ALICE, token), auth(ALICE, token), isuser(ALICE)) == [YES, NO, YES]
    return token


@pytest.fixture(name="store", params=["journal", "memory", "redis"])
def each_store(request, configuration, directory):
    """The daemon's settings for a store, set."""
    if request.param != "redis":
        configuration.set("replay", store=request.param)
        yield request.param
        return
    server = Redis(directory).start()
    server.path.chmod(0o666)
    server.directory.chmod(0o755)
    configuration.set("replay", store=server.store)
    yield request.param
    server.stop()


def test_it_serves_reloads_and_drains(configuration, make, manager, store):
    other = configuration.listener("other", group=CLIENTS)
    manager.listen(other, "other", group=CLIENTS)
    daemon = make()
    daemon.start(**manager.options(daemon.program(), watchdog=0.2))
    manager.await_state("READY")
    log_in(daemon, configuration.key)
    with LengthClient(other) as client:
        assert client.ask(isuser(ALICE)) == YES
    assert daemon.control(b"deny alice@example.org\n") and daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == NO
    assert daemon.control(b"allow alice@example.org\n")
    assert daemon.reload() == "reloaded"
    spent = log_in(daemon, configuration.key)
    manager.wait(lambda: len(manager.signs_of_life()) >= 3, "no signs of life")
    with LengthClient(daemon.socket) as client:
        client.write(*[isuser(ALICE)] * 1000)
        daemon.signal(signal.SIGTERM)
        assert client.rest() == [YES] * 1000
    assert daemon.await_end() == 0
    manager.await_state("STOPPING")
    assert [next(iter(state)) for state in manager.states()] == ["READY", "RELOADING", "READY", "STOPPING"]
    again = make()
    again.start(**manager.options(again.program()))
    if store != "memory":
        assert again.ask(auth(ALICE, spent)) == NO and again.verdict(ALICE)["reason"] == "replayed"
    log_in(again, configuration.key)
    assert again.stop() == 0


def test_what_the_documents_add_lets_it_reach_a_redis_on_tcp_and_without_it_there_is_none(configuration, make, directory):
    unit = directory / "with-network.service"
    unit.write_text(UNIT.read_text().replace("\n[Install]", drop_ins()["PrivateNetwork"].replace("[Service]", "") + "\n[Install]"))
    port = free_port()
    server = Redis(directory, port=port, requirepass=(password := Key().secret)).start()
    try:
        configuration.set("replay", store=f"redis://:{password}@127.0.0.1:{port}/0")
        daemon = make()
        daemon.start(program=daemon.program(unit=unit))
        log_in(daemon, configuration.key)
        assert daemon.stop() == 0
        alone = make().expect("store-failed")
        alone.start(program=alone.program(), ready=False)
        alone.await_event("store-failed")
        alone.await_event("ready")
        assert alone.stop() == 0
    finally:
        server.stop()


def test_the_commands_of_a_reload_work_too(configuration, make):
    """ExecReload= runs under the same restrictions."""
    daemon = make()
    daemon.start(program=daemon.program())
    check, hang_up = re.findall(r"^ExecReload=(.*)$", UNIT.read_text(), flags=re.MULTILINE)
    assert check.split()[1:] == ["--check-config"] and hang_up.split()[1:] == ["-HUP", "$MAINPID"]
    confinement = daemon.program()[:-1]

    def run(*command):
        return subprocess.run([*confinement, *map(str, command)], capture_output=True, text=True, timeout=DEADLINE, check=False)

    result = run(daemon.top / "xmpp-authd", "-c", daemon.path, "--check-config")
    assert (result.returncode, result.stderr) == (0, "")
    assert run(hang_up.split()[0], "-HUP", daemon.process.pid).returncode == 0
    daemon.await_event("reloaded")
    configuration.server(max_connections=0)
    daemon.write_configuration()
    result = run(daemon.top / "xmpp-authd", "-c", daemon.path, "--check-config")
    assert result.returncode == 1 and "max_connections" in result.stderr


def process_status(pid):
    return dict(re.findall(r"^(\w+):\s*(.*)$", pathlib.Path(f"/proc/{pid}/status").read_text(), flags=re.MULTILINE))


def test_it_has_no_privileges_no_network_and_nothing_to_write_but_its_two_directories(make, configuration):
    daemon = make()
    daemon.start(program=daemon.program())
    log_in(daemon, configuration.key)
    status = process_status(daemon.process.pid)
    assert status["Uid"].split() == [str(USER)] * 4 and status["Groups"].split() == [str(CLIENTS)]
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"], status["Seccomp_filters"]) == ("1", "2", "2")
    lines = pathlib.Path(f"/proc/{daemon.process.pid}/mountinfo").read_text().splitlines()
    writable = {line.split()[4] for line in lines if "rw" in line.split()[5].split(",")}
    hidden = {point for point in writable if point.startswith("/dev/") or not pathlib.Path(f"/proc/{daemon.process.pid}/root{point}").exists()}
    assert {str(daemon.top / "run"), str(daemon.top / "state")} <= writable - hidden
    for point in writable - hidden - {str(daemon.top / "run"), str(daemon.top / "state")}:
        # Mounted over by what can't be written.
        with pytest.raises(OSError):
            (pathlib.Path(f"/proc/{daemon.process.pid}/root{point}") / "new").touch()
    assert os.readlink(f"/proc/{daemon.process.pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert (daemon.top / "run" / "a.sock").stat().st_gid == CLIENTS


@pytest.mark.parametrize("calls, event", [
    (["accept4"], "accept-failed"),
    (["epoll_wait", "epoll_pwait", "epoll_pwait2"], "event-loop-failed"),
    (["lchown", "fchownat"], "listen-failed"),
    (["listen"], "listen-failed"),
    (["fsync", "fdatasync"], "start-failed"),
    (["mlock2"], "secrets-not-locked"),
], ids=lambda value: value[0] if isinstance(value, list) else None)
def test_a_call_that_the_unit_does_not_allow_is_missed(make, configuration, calls, event):
    configuration.server(drain_timeout="1s")
    daemon = make().expect(".")
    daemon.start(program=daemon.program(without=calls), ready=False)
    if event in ("accept-failed", "secrets-not-locked"):
        daemon.await_event("ready")
        with LengthClient(daemon.socket):
            daemon.await_event(event)
    else:
        daemon.await_event(event)
        daemon.expected_status = 1
        assert daemon.await_end() == 1


def test_calls_that_it_does_not_need_are_not_allowed():
    """What the unit's filter leaves out, as systemd itself resolves it."""
    allowed = confined.allowed_calls(confined.read_unit(UNIT))
    assert {"lchown", "accept4", "mlock2", "fsync"} <= allowed
    for call in ("ptrace", "process_vm_readv", "mount", "bpf", "init_module", "setuid", "chroot", "reboot", "swapon", "settimeofday",
                 "perf_event_open", "open_by_handle_at", "keyctl", "unshare", "setns"):
        assert call not in allowed, call

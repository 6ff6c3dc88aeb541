"""Good and hostile clients for XMPP_AUTHD_SOAK seconds (60 unless told otherwise), while the daemon is reloaded, stopped, killed, and
its clock is moved. Now and then all of them rest: then every answer is accounted for, and memory and descriptors are what they were.
"""

import os
import pathlib
import random
import signal
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import clients as soak_clients  # noqa: E402
from conftest import configuration, directory, start  # noqa: E402,F401
from harness import DEADLINE  # noqa: E402
from once_support import QUIET, launcher, make_whole, with_journal  # noqa: E402

SECONDS = int(os.environ.get("XMPP_AUTHD_SOAK", "60"))
REST_EVERY = 10
KINDS = (soak_clients.Good, soak_clients.Good, soak_clients.Good, soak_clients.Replaying, soak_clients.Forging,
         soak_clients.Garbling, soak_clients.Vanishing)


class Soak:
    def __init__(self, configuration, start):
        self.start_daemon, self.configuration = start, configuration
        self.random = random.Random(4)
        self.clock = configuration.directory / "clock"
        self.set_clock(0)
        self.program = launcher(configuration.directory, "movable", clock=self.clock)
        self.daemon = self.start()
        self.resting = threading.Event()
        self.clients = [kind(number, self.daemon.socket, configuration.key, self.resting) for number, kind in enumerate(KINDS)]
        self.least = None  # memory beside the spent tokens, at the first rest
        self.done = dict.fromkeys(("reload", "bad_reload", "stop", "kill", "move_clock", "rest"), 0)

    def start(self):
        daemon = self.start_daemon(program=self.program, ready=False)
        daemon.expect("event=reload-failed", "event=configuration problem=.*max_pending takes a size")
        daemon.await_socket()
        return daemon

    def set_clock(self, seconds):
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self.clock)

    # --- what happens

    def reload(self, counted="reloads"):
        """The log is too quiet to say that it is done; the status is not."""
        done = int(self.daemon.status()["daemon"][counted])
        self.daemon.write_configuration()
        self.daemon.signal(signal.SIGHUP)
        self.daemon.await_status(lambda status: int(status["daemon"][counted]) > done)

    def bad_reload(self):
        self.configuration.server(max_pending="no size")
        self.reload("failed_reloads")
        self.configuration.server(max_pending=None)

    def stop(self):
        self.daemon.finish()
        self.began_anew()

    def kill(self):
        self.daemon.kill()
        self.began_anew()

    def began_anew(self):
        """Counts begin anew with the daemon; who was in the middle of something does not count it."""
        self.rest_begins()
        for client in self.clients:
            client.answered.clear()
        self.daemon = self.start()
        self.resting.clear()

    def move_clock(self):
        """A time step ahead or back for a moment, which the window allows."""
        self.set_clock(self.random.choice((-10, 10)))
        time.sleep(2)
        self.set_clock(0)

    # --- what must hold

    def rest_begins(self):
        self.resting.set()
        for client in self.clients:
            assert client.at_rest.wait(DEADLINE), f"{client.name} hangs"

    def rest(self):
        self.rest_begins()
        self.daemon.await_status(lambda status: status["connections"]["open"] == "0")
        status = self.daemon.status()
        self.check_answers(status)
        self.check_size(status)
        for client in self.clients:
            assert not client.wrong, (client.name, client.wrong[:5])
            client.at_rest.clear()
        self.resting.clear()

    def check_answers(self, status):
        """Each answer that a client has read is a verdict, and each verdict an answer that a client has read."""
        answered = sum((client.answered for client in self.clients), start=soak_clients.collections.Counter())
        verdicts = sum(status["verdicts"].values())
        assert verdicts == sum(answered.values()), (status["verdicts"], answered)

    def check_size(self, status):
        descriptors = len(list(pathlib.Path(f"/proc/{self.daemon.process.pid}/fd").iterdir()))
        beside = self.daemon.resident() * 1024 - int(status["replay"]["bytes"])
        if self.least is None:
            self.least, self.descriptors = beside, descriptors
        # The index gives memory back a step at a time; libc keeps some of it.
        assert beside < self.least + (16 << 20), f"{beside} bytes beside the spent tokens; {self.least} at first"
        assert descriptors <= self.descriptors + 2, f"{descriptors} descriptors; {self.descriptors} at first"

    # --- all of it

    def go_on(self, seconds):
        for client in self.clients:
            client.start()
        end = time.monotonic() + seconds
        rest_at = time.monotonic() + 3
        while time.monotonic() < end:
            time.sleep(self.random.uniform(0.2, 2))
            step = "rest" if time.monotonic() > rest_at else self.random.choice(
                ("reload", "reload", "bad_reload", "stop", "kill", "move_clock"))
            getattr(self, step)()
            self.done[step] += 1
            if step == "rest":
                rest_at = time.monotonic() + REST_EVERY
        self.rest()
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(DEADLINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="moves the daemon's clock")
def test_good_and_hostile_clients_through_reloads_restarts_crashes_and_clock_steps(configuration, start, capsys):
    make_whole(with_journal(configuration, interval=10, window=3))
    configuration.set("log", **QUIET)
    soak = Soak(configuration, start)
    soak.go_on(SECONDS)
    with capsys.disabled():
        rounds = {client.name: client.rounds for client in soak.clients}
        print(f"\nsoak: {SECONDS} s, {soak.done}, connections {rounds}, {sum(client.lost for client in soak.clients)} answers lost "
              f"to stops and crashes, {len(soak_clients.spent)} spent tokens presented again; {soak.daemon.resident()} kB at the end")

"""Good and hostile clients at every door for XMPP_AUTHD_SOAK seconds (60 unless told otherwise), while the daemon is reloaded, watched,
stopped, killed, and its clock is moved. Now and then all of them rest: then every answer is accounted for, and descriptors are what
they were. In the second half it is not started anew any more, and its memory must stand still.
"""

import collections
import contextlib
import os
import pathlib
import random
import re
import signal
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "doors")]

import clients as soak_clients  # noqa: E402
from conftest import configuration, directory, start  # noqa: E402,F401
from harness import DEADLINE  # noqa: E402
from harness.configuration import HOST  # noqa: E402
from harness.kinds import new_jsxc_secret  # noqa: E402
from harness.web import get  # noqa: E402
from once_support import QUIET, launcher, make_whole, with_journal  # noqa: E402
from test_users import Operator  # noqa: E402

SECONDS = int(os.environ.get("XMPP_AUTHD_SOAK", "60"))
REST_EVERY = 10
KINDS = (soak_clients.Good, soak_clients.Good, soak_clients.Good, soak_clients.GoodNew, soak_clients.Cyrus, soak_clients.Web,
         soak_clients.Replaying, soak_clients.Forging, soak_clients.Garbling, soak_clients.Vanishing)
EVENTS = ("reload", "reload", "bad_reload", "look", "deny", "move_clock")
STARTS = ("stop", "kill")
# Of a daemon that has settled: what a page here and there of libc's, and Python's reading of it, may make.
GROWTH_MAX = 1 << 20
# Fewer are no time in which a daemon could have settled.
SETTLED_RESTS = 5
# The one that is written, the one before it, and one that is being synchronised or released.
SEGMENTS_MAX = 3


class Minters:
    def __init__(self, configuration):
        self.key, self.jsxc_secret = configuration.key, new_jsxc_secret()
        configuration.host(accept="v1, v2, jsxc", jsxc_secret=self.jsxc_secret)


class Soak:
    def __init__(self, configuration, start):
        minters = Minters(configuration)
        configuration.listener("cyrus", protocol="saslauthd", host=HOST)
        configuration.listener("web", protocol="http")
        configuration.set("http", listen=f"unix:{configuration.directory / 'metrics.sock'}")
        self.start_daemon, self.configuration = start, configuration
        self.random = random.Random(4)
        self.clock = configuration.directory / "clock"
        self.set_clock(0)
        self.program = launcher(configuration.directory, "movable", clock=self.clock)
        self.daemon = self.start()
        self.resting = threading.Event()
        self.clients = [kind(number, self.daemon.socket, minters, self.resting) for number, kind in enumerate(KINDS)]
        self.descriptors = self.open_descriptors()
        self.beside = []  # memory beside the spent tokens, at each rest since the last start
        self.done = dict.fromkeys((*EVENTS, *STARTS, "rest"), 0)

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

    def look(self):
        """Whoever watches it, at once."""
        status, text = get(str(self.configuration.directory / "metrics.sock"), "/metrics")
        assert (status, "xmpp_authd_verdicts_total" in text) == (200, True)
        assert f"jid={self.clients[0].user} " in self.daemon.control(f"why {self.clients[0].user}\n".encode())[0]
        Operator(self.daemon).run("users", "list")

    def deny(self):
        """Somebody who has none of the clients' names, shut out and let in again."""
        for word in ("deny", "allow"):
            Operator(self.daemon).run(word, f"mallory@{HOST}")

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
        self.beside.clear()
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
        """The index of spent tokens, counted by itself, comes and goes with them."""
        deadline = time.monotonic() + DEADLINE
        while (descriptors := self.open_descriptors()) != self.descriptors:
            assert time.monotonic() < deadline, f"{descriptors - self.descriptors} more, {self.descriptors - descriptors} less"
            time.sleep(0.01)  # it has yet to see that the last clients left
        self.beside.append(self.daemon.resident() * 1024 - int(status["replay"]["bytes"]))

    def open_descriptors(self):
        """What is open, by name; without libfaketime's, and without the journal's segments, whose number is that of the time."""
        links = []
        for entry in pathlib.Path(f"/proc/{self.daemon.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed just now
                links.append(os.readlink(entry))
        assert sum("/spent-" in link for link in links) <= SEGMENTS_MAX, links
        return collections.Counter(re.sub(r":\[\d+\]$", "", link) for link in links if not re.search("/spent-|/faketime", link))

    def check_memory(self):
        """What stands still has its highest in any third of the time; the first third is for settling."""
        third = len(self.beside) // 3
        if third < SETTLED_RESTS:
            return
        settled, last = max(self.beside[third : 2 * third]), max(self.beside[2 * third :])
        assert last < settled + GROWTH_MAX, f"{last} bytes beside the spent tokens; {settled} before: {self.beside}"

    # --- all of it

    def go_on(self, seconds):
        for client in self.clients:
            client.start()
        self.live(seconds / 2, EVENTS + STARTS)
        self.live(seconds / 2, EVENTS)
        self.check_memory()
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(DEADLINE)

    def live(self, seconds, events):
        end, rest_at = time.monotonic() + seconds, time.monotonic() + 3
        first = sorted(set(events))  # each of them at least once
        while time.monotonic() < end:
            time.sleep(self.random.uniform(0.2, 2))
            step = "rest" if time.monotonic() > rest_at else first.pop() if first else self.random.choice(events)
            getattr(self, step)()
            self.done[step] += 1
            if step == "rest":
                rest_at = time.monotonic() + REST_EVERY
        self.rest()


@pytest.mark.skipif(os.geteuid() != 0, reason="moves the daemon's clock")
def test_good_and_hostile_clients_through_reloads_restarts_crashes_and_clock_steps(configuration, start, capsys):
    make_whole(with_journal(configuration, interval=10, window=3))
    configuration.set("log", **QUIET)
    soak = Soak(configuration, start)
    soak.go_on(SECONDS)
    with capsys.disabled():
        rounds = {client.name: client.rounds for client in soak.clients}
        answers = sum(client.total for client in soak.clients)
        print(f"\nsoak: {SECONDS} s, {answers} answers, {soak.done}, connections {rounds}, "
              f"{sum(client.lost for client in soak.clients)} answers lost to stops and crashes, {len(soak_clients.spent)} of the last spent tokens known to those who replay; resident beside "
              f"them {[size >> 10 for size in soak.beside]} kB, {soak.descriptors.total()} descriptors")

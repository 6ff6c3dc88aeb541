"""A restart loses no login: the relay puts off what was not sent, the daemon answers what was, and its record vouches for the rest."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, LengthClient, auth
from harness.configuration import Configuration
from once_support import QUIET, ROUNDS, jid, never_again, with_journal
from relay_peers import RELAY

HANG = 1.0
# After an outage of four seconds the relay denies, as xmpp-extauth(1) says: one that the machine makes so long is the relay's affair.
RELAY_PATIENCE = 3.5


class ChatServer(threading.Thread):
    """Runs a relay and logs in through it, one login after the other; notes every answer and what the longest took."""

    def __init__(self, path, key, number):
        super().__init__(daemon=True)
        self.key, self.user = key, jid(number)
        self.process = subprocess.Popen([RELAY, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.accepted, self.denied, self.longest = [], [], 0.0
        self.stopping = threading.Event()
        self.progress = threading.Condition()

    def run(self):
        while not self.stopping.is_set():
            token = self.key.mint(self.user)
            began = time.monotonic()
            self.process.stdin.write(LengthClient.encode(auth(self.user, token)))
            answer = self.process.stdout.read(4)
            self.longest = max(self.longest, time.monotonic() - began)
            words = LengthClient.words.get(answer, repr(answer))
            with self.progress:
                (self.accepted if words == YES else self.denied).append((self.user, token))
                self.progress.notify_all()
            self.stopping.wait(0.002)

    def await_logins(self, count):
        with self.progress:
            wanted = len(self.accepted) + len(self.denied) + count
            assert self.progress.wait_for(lambda: len(self.accepted) + len(self.denied) >= wanted, DEADLINE), "a login hangs"

    def forgive(self):
        """What was denied up to the next yes was the relay's to deny."""
        with self.progress:
            wanted = len(self.accepted) + 1
            assert self.progress.wait_for(lambda: len(self.accepted) >= wanted, DEADLINE), "the relay does not come back"
            self.denied.clear()

    def end(self):
        self.stopping.set()
        self.join(DEADLINE)
        self.process.stdin.close()
        assert self.process.wait(DEADLINE) == 0
        self.process.stdout.close()


@pytest.fixture
def undisturbed(start, directory):
    """A daemon that is left alone, for what the machine itself puts in the way of a login."""
    place = directory / "undisturbed"
    place.mkdir(mode=0o755)
    configuration = Configuration(place).set("log", **QUIET)
    daemon = start(configuration, ready=False)
    daemon.await_socket()
    return daemon


@pytest.fixture
def memory():
    """A directory in memory, where there is such. A daemon ends and begins with its record on the disk; one that others write to can
    take longer over it than the four seconds after which the relay denies."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="xa-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def test_restarts_under_load_deny_and_delay_nobody(configuration, start, undisturbed, memory):
    with_journal(configuration, after_restart="accept").set("log", **QUIET).set("state", dir=memory / "state")
    daemon = start(ready=False)
    daemon.await_socket()
    servers = [ChatServer(daemon.socket, configuration.key, number) for number in range(6)]
    control = ChatServer(undisturbed.socket, undisturbed.configuration.key, 100)
    for server in (*servers, control):
        server.start()
    outages = []
    for _ in range(ROUNDS or 20):
        for server in servers:
            server.await_logins(3)
        began = time.monotonic()
        daemon.finish()
        daemon = start(ready=False)
        daemon.await_socket()
        outages.append(time.monotonic() - began)
        for server in servers if outages[-1] > RELAY_PATIENCE else []:
            server.forgive()
    for server in servers:
        server.await_logins(3)
    for server in (*servers, control):
        server.end()
    denied = [pair for server in servers for pair in server.denied]
    accepted = [pair for server in servers for pair in server.accepted]
    assert denied == [], f"{len(denied)} of {len(denied) + len(accepted)} valid logins were denied; the restarts took {outages}"
    assert len(accepted) >= (ROUNDS or 20) * 6 * 3
    assert sum(outage > RELAY_PATIENCE for outage in outages) <= len(outages) / 4, outages
    # How long a process takes to end, with its record on the disk, and another to begin is for the machine to say too, as a login
    # undisturbed does not tell: nobody may wait for longer than that, and as a rule it is short.
    longest, outage = max(server.longest for server in servers), max(outages)
    assert statistics.median(outages) <= HANG + control.longest, outages
    assert longest <= HANG + control.longest + outage, \
        f"a login took {longest:.2f} s, undisturbed ones {control.longest:.2f} s, the longest restart {outage:.2f} s"
    daemon.await_socket()
    assert never_again(daemon, accepted)[NO] == len(accepted)


def test_questions_in_the_backlog_are_taken_by_the_one_or_the_other(configuration, start):
    """Clients that connect at every moment of a restart: each is answered, or finds nobody and comes again; none is denied."""
    with_journal(configuration, after_restart="accept").set("log", **QUIET)
    daemon = start(ready=False)
    daemon.await_socket()
    ending = threading.Event()
    accepted, denied = [], []
    path = daemon.socket

    def come_and_go(number):
        while not ending.is_set():
            pair = (jid(number), configuration.key.mint(jid(number)))
            answered = []
            while not answered and not ending.is_set():
                try:
                    with LengthClient(path) as client:
                        client.write(auth(*pair))
                        answered = client.answers(1)
                except OSError:  # nobody there, or gone before it was sent
                    time.sleep(0.005)
                else:
                    assert answered, "a question was read, and not answered"
            if answered:
                (accepted if answered == [YES] else denied).append(pair)

    threads = [threading.Thread(target=come_and_go, args=(number,), daemon=True) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(ROUNDS or 10):
        before = len(accepted)
        deadline = time.monotonic() + DEADLINE
        while len(accepted) < before + 20:
            assert time.monotonic() < deadline, "no logins"
            time.sleep(0.002)
        daemon.finish()
        daemon = start(ready=False)
        daemon.await_socket()
    ending.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert denied == [], f"{len(denied)} valid tokens were denied"
    assert never_again(daemon, accepted)[NO] == len(accepted)

"""Many users imported and listed: logins go on beside it, memory stays in bounds, and a kill in the midst loses nothing that was
confirmed."""

import os
import random
import socket
import subprocess
import threading
import time

import pytest

from harness import DEADLINE
from harness.clients import YES, LengthClient, isuser
from harness.daemon import SANITIZED, environment
from once_support import LONG
from test_users import CTL, Operator

MANY = 1_000_000 if LONG else 20_000
BYTES_A_USER = 300 if not SANITIZED else 3000


@pytest.fixture
def daemon(configuration, start):
    configuration.set("state", dir=configuration.directory / "state", seen_max=2 * MANY).host(isuser="seen")
    configuration.set("log", level="warning")
    daemon = start(ready=False)
    daemon.await_control()
    return daemon


@pytest.fixture
def names(directory):
    """A file of names in no order, the worst for a database."""
    names = [f"user{number:07}@example.org" for number in range(MANY)]
    random.Random(1).shuffle(names)
    path = directory / "names"
    path.write_text("\n".join(names))
    return path, names


class Asker(threading.Thread):
    """Asks one question after the other; notes what the longest answer took."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.longest, self.asked = path, 0.0, 0
        self.ending = threading.Event()

    def run(self):
        with LengthClient(self.path) as client:
            while not self.ending.wait(0.0005):
                began = time.monotonic()
                client.ask(isuser("nobody@example.org"))
                self.longest = max(self.longest, time.monotonic() - began)
                self.asked += 1

    def end(self):
        self.ending.set()
        self.join(DEADLINE)
        return self.longest


def longest_answer_beside(daemon, work):
    asker = Asker(daemon.socket)
    asker.start()
    work()
    return asker.end()


def longest_write(directory):
    """What the disk and the machine themselves make a process wait: as much as the database writes at once, synced."""
    longest = 0.0
    with open(directory / "probe", "wb", buffering=0) as file:
        for _ in range(20):
            began = time.monotonic()
            file.write(bytes(4 << 20))
            os.fsync(file.fileno())
            longest = max(longest, time.monotonic() - began)
    return longest


def import_all(daemon, path):
    return subprocess.run([CTL, "users", "import", path, "--control", daemon.directory / "control.sock"], capture_output=True,
                          text=True, timeout=30 * DEADLINE, env=environment(), check=False)


def test_an_import_and_a_list_hold_nobody_up_and_stay_small(daemon, directory, names):
    path, _ = names
    before = daemon.resident()
    imported = []
    took = longest_answer_beside(daemon, lambda: imported.append(import_all(daemon, path)))
    assert imported[0].returncode == 0, imported[0].stderr
    assert daemon.status()["daemon"]["users_seen"] == str(MANY)
    assert took <= 0.2 + 5 * longest_write(directory), f"an answer took {took:.3f} s beside the import"
    assert (daemon.resident() - before) * 1024 <= BYTES_A_USER * MANY + (8 << 20)
    whole = daemon.resident()
    took = longest_answer_beside(daemon, lambda: Operator(daemon).run("users", "list"))
    assert took <= 0.2 + 5 * longest_write(directory), f"an answer took {took:.3f} s beside the list"
    assert SANITIZED or (daemon.resident() - whole) * 1024 <= 4 << 20


def test_an_import_comes_in_short_lines_for_each_holds_the_loop_up(directory):
    """What the daemon does with a line it does in one turn; a name that is longer than a line comes alone."""
    users = [f"user{number:07}@example.org" for number in range(1000)]
    users.insert(500, "u" * 1023 + "@" + "d" * 1023)
    path, got = directory / "names", []
    path.write_text("\n".join(users))

    def serve():
        while len(got) < len(users):
            client, _ = control.accept()
            with client, client.makefile("rb") as stream:
                words = stream.readline().decode().split()
                assert words[:2] == ["users", "import"]
                assert sum(map(len, words)) + len(words) <= 2048 or len(words) == 3
                got.extend(words[2:])
                client.sendall(b"imported=1 known=0\n")

    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(directory / "control.sock"))
        control.listen()
        control.settimeout(DEADLINE)
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        done = subprocess.run([CTL, "users", "import", path, "--control", directory / "control.sock"], capture_output=True, text=True,
                              timeout=DEADLINE, env=environment(), check=False)
        assert done.returncode == 0, done.stderr
        server.join(DEADLINE)
    assert got == users


def test_a_kill_in_the_midst_of_an_import_loses_nothing_that_was_confirmed(daemon, start, names):
    path, users = names
    result = []
    importer = threading.Thread(target=lambda: result.append(import_all(daemon, path)), daemon=True)
    importer.start()
    confirmed = int(daemon.await_status(lambda status: int(status["daemon"]["users_seen"]) > MANY // 10)["daemon"]["users_seen"])
    daemon.kill()
    importer.join(DEADLINE)
    again = start(ready=False)
    again.await_control()
    kept = int(again.status()["daemon"]["users_seen"])
    assert confirmed <= kept <= MANY
    with LengthClient(again.socket) as client:
        for at in range(0, confirmed, 500):
            block = users[at : min(at + 500, confirmed)]
            assert client.ask(*map(isuser, block)) == [YES] * len(block)
    if kept < MANY:
        assert result[0].returncode == 2 and "it may be run again" in result[0].stderr
    assert import_all(again, path).returncode == 0
    assert again.status()["daemon"]["users_seen"] == str(MANY)

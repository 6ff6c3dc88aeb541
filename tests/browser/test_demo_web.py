"""tools/demo-web as a person uses it: start it, chat, press Ctrl-C."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from chromium import Person
from site_servers import ROOT, wait_until


class Demonstration:
    """A run of the tool, with what it says read as a person reads it."""

    def __init__(self, build):
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, ROOT / "tools/demo-web", build], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        wait_until(lambda: "Ctrl-C" in self.said or not self._reader.is_alive(), "the demonstration has started")
        assert "Ctrl-C" in self.said, self.said
        self.address = re.search(r"Open (\S+)", self.said)[1]
        self.passwords = dict(re.findall(r"^ +(\w+) +password (\w+)$", self.said, re.MULTILINE))
        self.directory = pathlib.Path(re.search(r"^(/\S+); the daemon", self.said, re.MULTILINE)[1])

    def _read(self):
        for line in self._process.stdout:
            self.said += line

    def servers(self):
        """The command lines of the processes that name its directory, by their pids."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                if str(self.directory) in command:
                    found[int(entry.name)] = command
        return found

    def server(self, name):
        [pid] = [pid for pid, command in self.servers().items() if f"/{name}\0" in command]
        return pid

    def send(self, number):
        self._process.send_signal(number)

    def end(self):
        """Its exit status."""
        try:
            return self._process.wait(60)
        finally:
            self._process.kill()
            self._reader.join()


@pytest.fixture
def demonstration(packages, build):
    it = Demonstration(build)
    yield it
    it.send(signal.SIGTERM)
    it.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_person_can_chat_and_ctrl_c_stops_everything(demonstration, chromium, number):
    assert demonstration.passwords.keys() == {"alice", "bob"}
    assert len(demonstration.servers()) == 3
    person = Person(chromium, demonstration, "bob")
    person.logs_in()
    person.comes_online()
    person.leaves()
    wait_until(lambda: re.search(r"event=verdict .*reason=allowed .*user=bob", demonstration.said), "the verdict is shown")
    demonstration.send(number)
    assert demonstration.end() == 0, demonstration.said
    assert not demonstration.servers()
    assert not demonstration.directory.exists()


def test_a_second_one_finds_ports_of_its_own(demonstration, build):
    second = Demonstration(build)
    assert second.address != demonstration.address
    second.send(signal.SIGINT)
    assert second.end() == 0


@pytest.mark.parametrize("name", ["xmpp-authd", "prosody", "webapp.py"])
def test_it_says_which_server_has_ended_and_stops_the_others(demonstration, name):
    os.kill(demonstration.server(name), signal.SIGKILL)
    assert demonstration.end() == 1
    assert re.search(rf"^demo-web: {name.removesuffix('.py')} has ended with status -9$", demonstration.said, re.MULTILINE)
    assert not demonstration.servers()
    assert not demonstration.directory.exists()


def test_its_servers_do_not_outlive_it(demonstration):
    demonstration.send(signal.SIGKILL)
    demonstration.end()
    wait_until(lambda: not demonstration.servers(), "the servers have ended")
    shutil.rmtree(demonstration.directory)

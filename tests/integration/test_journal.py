"""Under systemd's journal each line has its syslog level in front, and no time of its own."""

import os
import re
import signal
import subprocess
import time

import pytest

from harness import DEADLINE, confidential
from harness.clients import LengthClient, auth
from harness.daemon import BINARY, Daemon, environment, parse_logfmt


def lines_of(configuration, stream, named):
    """What a daemon writes into a file that JOURNAL_STREAM names, or names another: a login, a reload that fails, a stop."""
    daemon = Daemon(configuration)
    daemon.write_configuration()
    status = os.fstat(stream.fileno())
    name = f"{status.st_dev}:{status.st_ino if named else status.st_ino + 1}"
    with subprocess.Popen([BINARY, "-c", daemon.path], stderr=stream, env=environment() | {"JOURNAL_STREAM": name}) as process:
        daemon.process = process
        daemon.await_socket()
        with LengthClient(daemon.socket) as client:
            client.ask(auth("alice@example.org", configuration.key.mint("alice@example.org")))
        daemon.path.write_text("[nonsense]\n")
        process.send_signal(signal.SIGHUP)
        while b"reload-failed" not in (written := os.pread(stream.fileno(), 1 << 20, 0)):
            assert process.poll() is None, written
            time.sleep(0.01)
        process.terminate()
        assert process.wait(DEADLINE) == 0
    written = os.pread(stream.fileno(), 1 << 20, 0)
    assert not confidential.traces(written)
    return written.decode("ascii").splitlines()


@pytest.fixture(name="stream")
def a_file(directory):
    with open(directory / "stderr", "wb+") as stream:
        yield stream


def test_the_journal_gets_each_lines_level(configuration, stream):
    lines = lines_of(configuration, stream, True)
    levels = {"error": "3", "warning": "4", "info": "6", "debug": "7"}
    found = set()
    for line in lines:
        level, rest = re.fullmatch(r"<(\d)>(.*)", line).groups()
        record = parse_logfmt(rest)
        assert "time" not in record and levels[record["level"]] == level
        found.add((record["event"], level))
    assert {("verdict", "6"), ("reload-failed", "3"), ("connection-closed", "7")} <= found


def test_what_is_not_the_journal_gets_none(configuration, stream):
    for line in lines_of(configuration, stream, False):
        assert list(parse_logfmt(line))[:3] == ["time", "level", "event"]

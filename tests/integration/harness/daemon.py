"""The real xmpp-authd as a process: its log collected line by line, awaited instead of slept for, and judged at the end."""

import array
import fcntl
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import termios
import threading
import time

from . import DEADLINE, PRELOADED, confidential
from .clients import LengthClient

TREE = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()
BINARY = BUILD / "xmpp-authd"
SANITIZED = b"__asan_init" in BINARY.read_bytes() if BINARY.exists() else False

REPORTS = re.compile(rb"(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer|runtime error:")
FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)')
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")


def parse_logfmt(line):
    """The fields of a line of logfmt, which must be nothing but that."""
    fields, at = {}, 0
    while at < len(line):
        match = FIELD.match(line, at)
        assert match, f"not logfmt: {line!r}"
        value = match[2]
        if value.startswith('"'):
            value = ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else m[1], value[1:-1])
        assert match[1] not in fields, f"{match[1]} stands twice: {line!r}"
        fields[match[1]] = value
        at = match.end()
    return fields


def environment():
    return {**os.environ, **PRELOADED, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"}


def run(*arguments, **options):
    """Runs the program to its end; what it wrote holds nothing confidential and no sanitizer's report."""
    result = subprocess.run([BINARY, *arguments], capture_output=True, timeout=DEADLINE, env=environment(), check=False, **options)
    written = result.stdout + result.stderr
    confidential.archive(written)
    assert not REPORTS.search(written), written.decode(errors="replace")
    assert not confidential.traces(written), "something confidential is printed"
    return result


class Daemon:
    """A running daemon. What it complains of (warnings and errors) must be announced by expect(), or the test fails."""

    def __init__(self, configuration):
        self.configuration = configuration
        self.directory = configuration.directory
        self.path = self.directory / "xmpp-authd.conf"
        self.socket = self.directory / "a.sock"
        self._records, self._raw = [], []
        self.collected = 0  # bytes of the log
        self.expected, self.expected_status = [], 0
        self.changed = threading.Condition()
        self.process = self.reader = None

    # --- life

    def write_configuration(self):
        """Puts it in place whole, as one should: a daemon that reloads just now reads the old one or the new one."""
        new = self.path.with_suffix(".new")
        new.touch(0o600)
        new.write_text(self.configuration.text(), encoding="utf-8")
        new.replace(self.path)

    def start(self, descriptors=None, stderr=None, ready=True, program=BINARY, owner=None, prepare=None,
              more=None, descriptors_kept=()):
        """Starts it and waits until it is ready. descriptors: its limit of open files, or (soft, hard); stderr: somewhere else than
        here; program: another copy, or a command that runs it; owner: the user (and group) that it runs as; prepare: called in the
        child before; more: of its environment; descriptors_kept: by the child."""
        def before():
            if descriptors:
                both = descriptors if isinstance(descriptors, tuple) else (descriptors, descriptors)
                resource.setrlimit(resource.RLIMIT_NOFILE, both)
            if prepare:
                prepare()

        self.write_configuration()
        identity = {}
        if owner is not None:
            identity = {"user": owner, "group": owner, "extra_groups": []}
            os.chown(self.directory, owner, owner)
            os.chown(self.path, owner, owner)
        command = program if isinstance(program, list) else [program]
        self.process = subprocess.Popen(
            [*command, "-c", self.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**environment(), **(more or {})},
            stderr=subprocess.PIPE if stderr is None else stderr, preexec_fn=before, pass_fds=descriptors_kept, **identity)
        if stderr is None:
            self.reader = threading.Thread(target=self._collect, daemon=True)
            self.reader.start()
            if ready:
                self.await_event("ready")
        return self

    def _collect(self):
        stream, rest = self.process.stderr, b""
        readable = select.poll()
        readable.register(stream, select.POLLIN)
        while True:
            readable.poll()
            with self.changed:
                piece = os.read(stream.fileno(), 65536)
                self.collected += len(piece)
                *lines, rest = (rest + piece + (b"\n" if rest and not piece else b"")).split(b"\n")
                for line in lines:
                    self._take_line(line)
                if not piece:
                    self._records.append({"end": "of the log"})
                self.changed.notify_all()
            if not piece:
                return

    def _take_line(self, line):
        text = line.decode("ascii", "replace")
        try:
            record = parse_logfmt(text)
        except AssertionError:
            record = {"unreadable": text}
        self._raw.append(line + b"\n")
        self._records.append(record)

    def _catch_up(self):
        """Waits until all that the daemon has written by now is collected; with the lock held."""
        if self.process is None or self.process.stderr is None:
            return
        unread = array.array("i", [0])
        fcntl.ioctl(self.process.stderr, termios.FIONREAD, unread)
        written = self.collected + unread[0]
        assert self.changed.wait_for(lambda: self.collected >= written, DEADLINE), "the log is not read"

    def await_socket(self):
        """Waits until it can be asked, where its log does not say so."""
        deadline = time.monotonic() + DEADLINE
        while True:
            assert time.monotonic() < deadline and self.running(), "it does not listen"
            try:
                return LengthClient(self.socket).close()
            except (FileNotFoundError, ConnectionRefusedError, PermissionError):
                time.sleep(0.01)

    def await_control(self):
        """Waits until its operator can ask, which is a little later."""
        deadline = time.monotonic() + DEADLINE
        while True:
            assert time.monotonic() < deadline and self.running(), "its control socket is not there"
            try:
                return self.control()
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.01)

    def signal(self, number):
        self.process.send_signal(number)

    def await_end(self):
        """Waits for its end; the exit status."""
        status = self.process.wait(DEADLINE)
        if self.reader:
            self.reader.join(DEADLINE)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.await_end()

    def kill(self):
        """As a crash would end it."""
        self.expected_status = -signal.SIGKILL
        self.process.kill()
        self.await_end()

    def running(self):
        return self.process.poll() is None

    def finish(self):
        """Stops it and judges all that it wrote."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
        try:
            status = self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        log = b"".join(self._raw)
        confidential.archive(log)
        text = log.decode(errors="replace")
        assert not REPORTS.search(log), text
        assert status == self.expected_status, f"exit status {status}\n{text[-4000:]}"
        unexpected = [line for line in text.splitlines() if self._is_unexpected(line)]
        assert not unexpected, "the daemon complains:\n" + "\n".join(unexpected[:20])
        assert not confidential.traces(log), f"something confidential is in the log: {confidential.traces(log)[:3]}"

    def _is_unexpected(self, line):
        fields = parse_logfmt(line)
        return fields["level"] in ("error", "warning") and not any(re.search(pattern, line) for pattern in self.expected)

    # --- log

    def expect(self, *patterns):
        """Warnings and errors that match belong to the test."""
        self.expected += patterns
        return self

    @property
    def records(self):
        """The lines of the log so far, as fields: before the daemon answers, it logs."""
        with self.changed:
            self._catch_up()
            return self._records

    @property
    def raw(self):
        """The same as they came."""
        with self.changed:
            self._catch_up()
            return self._raw

    def events(self, event, **fields):
        """The records of an event, with these fields."""
        with self.changed:
            return [record for record in self.records if self._fits(record, event, fields)]

    @staticmethod
    def _fits(record, event, fields):
        return record.get("event") == event and all(record.get(name) == str(value) for name, value in fields.items())

    def await_event(self, event, count=1, **fields):
        """Waits until the log has so many records of an event with these fields; the last of them."""
        deadline = time.monotonic() + DEADLINE
        with self.changed:
            while True:
                found = [record for record in self._records if self._fits(record, event, fields)]
                if len(found) >= count:
                    return found[count - 1]
                ended = self._records and "end" in self._records[-1]
                left = deadline - time.monotonic()
                assert left > 0 and not ended, (
                    f"no event {event} {fields} in the log:\n" + b"".join(self._raw[-30:]).decode(errors="replace"))
                self.changed.wait(left)

    def verdict(self, jid, count=1):
        """The record of the latest verdict about a JID."""
        user, host = jid.rsplit("@", 1)
        return self.await_event("verdict", count, user=user, host=host)

    # --- reload

    def reload(self):
        """Writes the configuration anew and sends SIGHUP; the event that it ended in."""
        done = len(self.events("reloaded")) + len(self.events("reload-failed"))
        self.write_configuration()
        self.signal(signal.SIGHUP)
        with self.changed:
            assert self.changed.wait_for(lambda: self._reloads() > done, DEADLINE), "no end of the reload"
        return [record["event"] for record in self._records if record.get("event") in ("reloaded", "reload-failed")][-1]

    def _reloads(self):
        return sum(record.get("event") in ("reloaded", "reload-failed") for record in self._records)

    # --- what it says and costs

    def ask(self, *questions):
        with LengthClient(self.socket) as client:
            return client.ask(*questions)

    def control(self, request=b"status\n"):
        """What the control socket answers, as lines."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(DEADLINE)
            stream.connect(str(self.directory / "control.sock"))
            stream.sendall(request)
            answer = b""
            while piece := stream.recv(65536):
                answer += piece
        confidential.archive(answer)
        return answer.decode("ascii").splitlines()

    def status(self):
        """The status: `verdicts` as {(question, reason): count}, `latency` and `host` as lists, each other line by its `what`."""
        status = {"verdicts": {}, "latency": [], "host": []}
        for line in self.control():
            fields = parse_logfmt(line)
            what = fields.pop("what")
            if what == "verdicts":
                status["verdicts"][fields["question"], fields["reason"]] = int(fields["count"])
            elif what in ("latency", "host"):
                status[what].append(fields)
            else:
                assert what not in status
                status[what] = fields
        return status

    def await_status(self, condition):
        """Asks for the status until the condition holds for it; that status."""
        deadline = time.monotonic() + DEADLINE
        while not condition(status := self.status()):
            assert time.monotonic() < deadline, f"still {status}"
            time.sleep(0.05)
        return status

    def resident(self):
        """Kilobytes of memory in use."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1])

    def descriptors(self):
        """How many files and sockets it has open."""
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def processor_nanoseconds(self):
        """The same to the nanosecond, as the scheduler counts it."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])

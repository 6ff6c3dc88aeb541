"""The relay's two neighbours, for its tests: a chat server that runs it, and daemons that behave as badly as they like."""

import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

from harness import PRELOADED

TREE = pathlib.Path(__file__).resolve().parents[2]
RELAY = str(pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve() / "xmpp-extauth")

# How long a test waits for what must come at once. Only a broken relay makes a test wait that long.
SOON = 20.0


class Length:
    """ejabberd's framing."""

    yes, no = b"\0\2\0\1", b"\0\2\0\0"

    @staticmethod
    def frame(text):
        return struct.pack(">H", len(text)) + text

    @staticmethod
    def split(data):
        """The texts of all whole questions at the beginning of data, and the rest."""
        texts = []
        while len(data) >= 2:
            end = 2 + struct.unpack(">H", data[:2])[0]
            if len(data) < end:
                break
            texts.append(data[2:end])
            data = data[end:]
        return texts, data


class Line:
    """The generic framing."""

    yes, no = b"1\n", b"0\n"

    @staticmethod
    def frame(text):
        return text + b"\n"

    @staticmethod
    def split(data):
        *texts, rest = data.split(b"\n")
        return texts, rest


FRAMINGS = {"length": Length, "line": Line}


class Relay:
    """A chat server's view of the relay on two pipes."""

    def __init__(self, socket_path, framing=Line, command=None, **options):
        self.framing = framing
        self.buffer = b""
        self.process = subprocess.Popen(
            command or [RELAY, str(socket_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            **{"env": {**os.environ, **PRELOADED}, **options}
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.process.stdin.fileno(), view):]

    def answer(self, timeout=SOON):
        """The next answer as bytes; None if none has come in time, b"" at the end of the stream."""
        size = len(self.framing.yes)
        end = time.monotonic() + timeout
        while len(self.buffer) < size:
            left = max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                return None
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                assert self.buffer == b"", "half an answer"
                return b""
            self.buffer += got
        answer, self.buffer = self.buffer[:size], self.buffer[size:]
        return answer

    def ask(self, text, timeout=SOON):
        """True or False, as the relay answers."""
        self.send(self.framing.frame(text))
        return self.verdict(timeout)

    def verdict(self, timeout=SOON):
        answer = self.answer(timeout)
        assert answer in (self.framing.yes, self.framing.no), answer
        return answer == self.framing.yes

    def says_nothing_for(self, seconds):
        return self.answer(seconds) is None

    def close_input(self):
        self.process.stdin.close()

    def exit_status(self, timeout=SOON):
        return self.process.wait(timeout)

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class Connection:
    """One connection of the relay's, as the daemon sees it."""

    def __init__(self, sock, daemon, number):
        self.sock = sock
        self.daemon = daemon
        self.number = number
        self.buffer = b""

    def question(self):
        """The next question's text, which is noted as delivered; None when the relay has closed the connection."""
        while True:
            texts, _ = self.daemon.framing.split(self.buffer)
            if texts:
                self.buffer = self.buffer[len(self.daemon.framing.frame(texts[0])):]
                self.daemon.note_question(texts[0])
                return texts[0]
            try:
                got = self.sock.recv(65536)
            except OSError:
                got = b""
            if not got:
                return None
            self.buffer += got

    def send(self, data):
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def say(self, yes):
        self.send(self.daemon.framing.yes if yes else self.daemon.framing.no)

    @property
    def is_over(self):
        return self.sock.fileno() == -1

    def is_closed_by_relay(self, timeout=SOON):
        """Waits for the end of the stream."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def honest(connection):
    """A daemon as it should be: yes to what ends with `right`."""
    while (text := connection.question()) is not None:
        connection.say(text.endswith(b"right"))


def silent(connection):
    connection.question()
    connection.is_closed_by_relay(60)


class Daemon:
    """
    A daemon on a socket of its own. scripts[n] handles the connection n, the last script all further ones; each
    connection in a thread of its own, and is closed when its script returns.
    """

    def __init__(self, path, framing=Line, *scripts, backlog=512):
        self.path = str(path)
        self.framing = framing
        self.scripts = scripts or (honest,)
        self.questions = []
        self.connections = []
        self.changed = threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # As a daemon does that takes over from another: the new socket replaces the old one's name in one step.
        fresh = f"{self.path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        self.listener.bind(fresh)
        self.listener.listen(backlog)
        os.rename(fresh, self.path)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                connection = Connection(sock, self, len(self.connections))
                self.connections.append(connection)
                self.changed.notify_all()
            script = self.scripts[min(connection.number, len(self.scripts) - 1)]
            threading.Thread(target=self._serve, args=(script, connection), daemon=True).start()

    @staticmethod
    def _serve(script, connection):
        try:
            script(connection)
        finally:
            # shutdown() too, as the test's thread may be inside a recv() on it.
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            with connection.daemon.changed:
                connection.sock.close()
                connection.daemon.changed.notify_all()

    def note_question(self, text):
        with self.changed:
            self.questions.append(text)
            self.changed.notify_all()

    def wait_for(self, condition, timeout=SOON):
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "the daemon has waited in vain"

    def wait_for_connection(self, number=0):
        self.wait_for(lambda: len(self.connections) > number)
        return self.connections[number]

    def wait_for_question(self, count=1):
        self.wait_for(lambda: len(self.questions) >= count)

    def stop_listening(self):
        """The name in the file system stays, as after a kill."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def kill(self):
        """All at once, as SIGKILL would: whatever was received and not answered is lost."""
        self.stop_listening()
        with self.changed:
            connections = list(self.connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def socket_directory():
    """Short enough for a socket's path wherever the tests' own temporary directory is."""
    with tempfile.TemporaryDirectory(prefix="relay-") as directory:
        yield pathlib.Path(directory)


class Module:
    """
    Prosody's mod_auth_external_insecure in blocking mode, on lpty: one terminal for good, a process on it as long as that
    lives, another after an exit with 0, never another after any other end. ask() takes whatever it reads for the answer.

    restores: lpty 1.2 gives the terminal its first settings back at each start, but for echo; 1.0 leaves them alone.
    """

    TIMEOUT = 5.0

    def __init__(self, socket_path, restores=False):
        self.master, self.slave = os.openpty()
        self.first_settings = termios.tcgetattr(self.slave)
        self.restores = restores
        self.command = [RELAY, str(socket_path)]
        self.pid = None
        self.status = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.has_process():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for descriptor in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def has_process(self):
        if self.pid is None:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid != 0:
            self.pid, self.status = None, status
        return pid == 0

    def start(self, gate=None):
        """Forks; the child turns echo off once the gate (a descriptor) can be read."""
        assert self.status == 0, "the module starts no program that has not exited with 0"
        self.pid = os.fork()
        if self.pid != 0:
            return
        try:
            if gate is not None:
                select.select([gate], [], [])
            settings = self.first_settings if self.restores else termios.tcgetattr(self.slave)
            settings[3] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self.slave, termios.TCSANOW, settings)
            for descriptor in (0, 1, 2):
                os.dup2(self.slave, descriptor)
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 1)
            os.execv(self.command[0], self.command)
        finally:
            os._exit(127)

    def write(self, text):
        os.write(self.master, text + b"\n")

    def read(self, limit=4096, timeout=TIMEOUT):
        """What is read as an answer: True, False, None for nothing in time, or bytes that are neither."""
        if not select.select([self.master], [], [], timeout)[0]:
            return None
        answer = os.read(self.master, limit)
        bare = answer.removesuffix(b"\n").removesuffix(b"\r")
        return {b"1": True, b"0": False}.get(bare, answer)

    def ask(self, text, limit=4096):
        if not self.has_process():
            self.start()
        self.write(text)
        return self.read(limit)

    def ask_with_certain_echo(self, text, limit=4096):
        """The first question, written before the child has turned echo off."""
        readable, writable = os.pipe()
        self.start(gate=readable)
        self.write(text)
        # The terminal echoes when it gets to it, not within write().
        assert select.select([self.master], [], [], SOON)[0], "no echo"
        answer = self.read(limit)
        os.write(writable, b"x")
        os.close(readable)
        os.close(writable)
        return answer

    def wait_for_relay(self, timeout=SOON):
        """Until it has made the terminal transparent."""
        end = time.monotonic() + timeout
        while termios.tcgetattr(self.slave)[1] & termios.OPOST:
            assert time.monotonic() < end, "the relay has not touched the terminal"
            time.sleep(0.001)

    def exit_status(self, timeout=SOON):
        end = time.monotonic() + timeout
        while self.has_process():
            assert time.monotonic() < end, "the relay has not exited"
            time.sleep(0.001)
        return self.status

    def begin_in_step(self):
        """Gets the first question over with, so written that it can't have been echoed."""
        self.start()
        self.wait_for_relay()
        # The relay looks once at what may have been echoed; this is not to be among it.
        time.sleep(0.3)
        self.write(b"auth:first:host:right")
        assert self.exit_status() == 0
        assert self.read(timeout=0) is None

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)


def at_once(rows, check):
    """Checks all rows (name, ...) at the same time, as most of them wait for a deadline."""
    with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
        results = {row[0]: pool.submit(check, *row[1:]) for row in rows}
    failures = {name: result.exception() for name, result in results.items() if result.exception()}
    assert not failures, failures


def in_background(scenario):
    """
    Makes a test of a scenario that waits for deadlines most of its time: all such scenarios of a module start together, see
    run_scenarios(), and the test reports what became of its own. scenario is called with a directory for sockets.
    """

    def test(scenarios):
        scenarios[scenario].result()

    test.__doc__ = scenario.__doc__
    test.scenario = scenario
    return test


def in_both_framings(check):
    """Makes a scenario of check(directory, framing)."""

    def scenario(directory):
        rows = [(name, directory / name, framing) for name, framing in FRAMINGS.items()]
        for row in rows:
            row[1].mkdir()
        at_once(rows, check)

    scenario.__doc__ = check.__doc__
    return scenario


@contextlib.contextmanager
def run_scenarios(request):
    """For a fixture `scenarios` of scope module: runs the scenarios of all its tests that were selected."""

    def run(scenario):
        with socket_directory() as directory:
            scenario(directory)

    module = [item.function for item in request.session.items if item.module is request.module]
    selected = [function.scenario for function in module if hasattr(function, "scenario")]
    with concurrent.futures.ThreadPoolExecutor(max(1, len(selected))) as pool:
        yield {scenario: pool.submit(run, scenario) for scenario in selected}

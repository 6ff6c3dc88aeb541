"""A real redis-server for one test: on a Unix socket, and on a loopback port where the test asks for one."""

import signal
import socket
import subprocess
import time

from harness import DEADLINE

MARKER = "xmpp-authd:record"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    def __init__(self, directory, name="redis", **settings):
        self.directory = directory / name
        self.directory.mkdir()
        self.path = self.directory / "r.sock"
        self.settings = {"port": 0, "unixsocket": self.path, "dir": self.directory, "save": '""',
                         "appendonly": "no", "maxmemory-policy": "noeviction", **settings}
        self.process = None
        self.environment = None

    @property
    def store(self):
        return f"redis+unix:{self.path}"

    def start(self, **settings):
        self.settings.update(settings)
        lines = "".join(f"{name.replace('_', '-')} {value}\n" for name, value in self.settings.items())
        (self.directory / "redis.conf").write_text(lines)
        self.process = subprocess.Popen(["redis-server", self.directory / "redis.conf"], stdout=subprocess.DEVNULL,
                                        env=self.environment)
        deadline = time.monotonic() + DEADLINE
        while not self.answers():
            assert time.monotonic() < deadline and self.process.poll() is None, "redis-server does not start"
            time.sleep(0.02)
        return self

    def vouch(self):
        """Marks the record as whole, as it is a minute or two after its first daemon's start: without waiting."""
        fields = dict(line.split(":", 1) for line in self.reply("INFO").decode().splitlines() if ":" in line)
        identity = [fields[name] for name in ("run_id", "master_replid", "evicted_keys")]
        assert self.command("SET", MARKER, " ".join(["1", *identity, "1000"])) == b"+OK"
        return self

    def answers(self):
        try:
            return self.command("PING") in (b"+PONG", b"-NOAUTH Authentication required.")
        except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
            return False

    def command(self, *words):
        """One command; the first line of its reply."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(DEADLINE)
            stream.connect(str(self.path))
            if "requirepass" in self.settings and words != ("PING",):
                self._send(stream, "AUTH", self.settings["requirepass"])
                assert self._line(stream) == b"+OK"
            self._send(stream, *words)
            return self._line(stream)

    def reply(self, *words):
        """One command whose reply is a string: all of it."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(DEADLINE)
            stream.connect(str(self.path))
            self._send(stream, *words)
            length = int(self._line(stream)[1:])
            text = b""
            while len(text) < length:
                piece = stream.recv(length - len(text))
                assert piece
                text += piece
            return text

    def strings(self, *words):
        """One command whose reply is a list of strings."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(DEADLINE)
            stream.connect(str(self.path))
            self._send(stream, *words)
            count = int(self._line(stream)[1:])
            lines = [self._line(stream).decode() for _ in range(2 * count)]
            return lines[1::2]

    @staticmethod
    def _send(stream, *words):
        stream.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(str(word).encode()), str(word).encode()) for word in words))

    @staticmethod
    def _line(stream):
        line = b""
        while not line.endswith(b"\r\n"):
            piece = stream.recv(1)
            if not piece:
                raise ConnectionResetError
            line += piece
        return line[:-2]

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(DEADLINE)

"""A real redis-server for one test: on a Unix socket, and on a loopback port where the test asks for one."""

import signal
import socket
import subprocess
import time

from harness import DEADLINE


class Redis:
    def __init__(self, directory, name="redis", **settings):
        self.directory = directory / name
        self.directory.mkdir()
        self.path = self.directory / "r.sock"
        self.settings = {"port": 0, "unixsocket": self.path, "dir": self.directory, "save": '""',
                         "appendonly": "no", "maxmemory-policy": "noeviction", **settings}
        self.process = None

    @property
    def store(self):
        return f"redis+unix:{self.path}"

    def start(self, **settings):
        self.settings.update(settings)
        lines = "".join(f"{name.replace('_', '-')} {value}\n" for name, value in self.settings.items())
        (self.directory / "redis.conf").write_text(lines)
        self.process = subprocess.Popen(["redis-server", self.directory / "redis.conf"], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE
        while not self.answers():
            assert time.monotonic() < deadline and self.process.poll() is None, "redis-server does not start"
            time.sleep(0.02)
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

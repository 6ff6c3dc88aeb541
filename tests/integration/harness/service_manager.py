"""What systemd is to the daemon, in a test: a socket that it tells its state to, and listening sockets that it is handed."""

import os
import pathlib
import socket
import threading
import time

from . import DEADLINE

HANDED_OVER = pathlib.Path(__file__).with_name("hand_over.py")


class ServiceManager:
    """A notify socket whose messages are collected, and sockets held open over the daemon's restarts."""

    def __init__(self, directory, name=None, reads=True):
        self.name = name or str(directory / "n.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        if not self.name.startswith("@"):
            os.chmod(self.name, 0o777)
        self.held = []  # (name, socket)
        self.messages = []  # (when, {name: value})
        self.changed = threading.Condition()
        self.on_message = lambda fields: None
        if reads:
            self.read()

    def read(self):
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        while text := self.socket.recv(4096).decode():
            fields = dict(line.split("=", 1) for line in text.split("\n"))
            self.on_message(fields)
            with self.changed:
                self.messages.append((time.monotonic(), fields))
                self.changed.notify_all()

    def close(self):
        for _, listener in self.held:
            listener.close()

    # --- what it is told

    def states(self):
        """The messages that are about the daemon's state, in their order, without the status line."""
        with self.changed:
            found = [{name: value for name, value in fields.items() if name != "STATUS"} for _, fields in self.messages]
        return [fields for fields in found if fields and "WATCHDOG" not in fields]

    def status(self):
        with self.changed:
            return [fields["STATUS"] for _, fields in self.messages if "STATUS" in fields][-1]

    def signs_of_life(self, since=0.0):
        with self.changed:
            return [when for when, fields in self.messages if "WATCHDOG" in fields and when >= since]

    def wait(self, condition, what):
        with self.changed:
            assert self.changed.wait_for(condition, DEADLINE), f"{what}; it was told {self.messages[-5:]}"

    def await_state(self, name, count=1):
        self.wait(lambda: sum(name in fields for fields in self.states()) >= count, f"no {name}")

    def await_status(self, text):
        self.wait(lambda: any("STATUS" in fields for _, fields in self.messages) and text in self.status(), f"no {text!r}")

    # --- what it hands over

    def listen(self, path, name, mode=0o660, group=None):
        """A listening socket as a socket unit makes it."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, mode)
        if group is not None:
            os.chown(path, -1, group)
        listener.listen(1024)
        return self.hold(listener, name)

    def hold(self, descriptor, name):
        self.held.append((name, descriptor))
        return descriptor

    # --- how it starts the daemon

    def options(self, program, watchdog=None, **environment):
        """Options of Daemon.start()."""
        if watchdog is not None:
            environment["WATCHDOG_USEC"] = str(int(watchdog * 1_000_000))
        environment = {"NOTIFY_SOCKET": self.name, **environment}
        numbers = [held.fileno() for _, held in self.held]
        names = ":".join(name for name, _ in self.held)
        command = ["/usr/bin/python3", HANDED_OVER, names, ",".join(map(str, numbers)), *program]
        return {"program": command, "more": environment, "descriptors_kept": numbers}

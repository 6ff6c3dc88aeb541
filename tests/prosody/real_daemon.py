"""The real xmpp-authd behind a virtual host, with a configuration of its own."""

import os
import pathlib
import signal
import subprocess
import time

from plone_minter import Minter
from processes import die_with_parent

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", ROOT / "build")) / "xmpp-authd"

CONFIGURATION = """
[server]
listen = {directory}/auth.sock
[replay]
store = memory
after_restart = {after_restart}
[host {host}]
otp_seed = {minter.otp_seed}
token_secret = {minter.token_secret}
isuser = file:{directory}/users
"""


class RealDaemon:
    def __init__(self, directory, host, users=()):
        self.directory, self.host = pathlib.Path(directory), host
        self.path = str(self.directory / "auth.sock")
        self.minter = Minter.with_fresh_secrets()
        self._configuration = self.directory / "xmpp-authd.conf"
        self._log = self.directory / "xmpp-authd.log"
        self._process = None
        self.directory.mkdir(mode=0o755, exist_ok=True)
        self._write(self.directory / "users", "\n".join(users) + "\n")

    @staticmethod
    def _write(path, text):
        path.write_text(text)
        path.chmod(0o600)

    def token(self, user):
        return self.minter.mint(f"{user}@{self.host}")

    def start(self, after_restart="accept"):
        """Returns when it listens."""
        self.spawn(after_restart)
        self.wait_until_ready()

    def spawn(self, after_restart="accept"):
        """To be called from a thread that lives on: the process ends with it."""
        self._write(self._configuration, CONFIGURATION.format(
            directory=self.directory, after_restart=after_restart, host=self.host, minter=self.minter
        ))
        self._log_began = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", self._configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent,
            )

    def wait_until_ready(self):
        deadline = time.monotonic() + 20
        while b"event=ready" not in self._log.read_bytes()[self._log_began:]:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "xmpp-authd is not ready"
            time.sleep(0.01)

    def start_once(self):
        """Starts it unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def send_signal(self, number):
        self._process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Returns when it has ended."""
        if self._process:
            self._process.send_signal(number)
            status = self._process.wait(20)
            self._process = None
            assert status == (0 if number == signal.SIGTERM else -number), self._log.read_text()[-2000:]

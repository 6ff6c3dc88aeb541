"""Debian's Prosody on a free loopback port, with a directory of its own, and its log under watch."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from processes import die_with_parent
from prosody_console import Console

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "conf" / "prosody"

MODULES = ("roster", "saslauth", "tls", "disco", "ping", "blocklist", "pep", "mam", "admin_shell")

CONFIGURATION = """
run_as_root = {as_root}
data_path = "{directory}/data"
pidfile = "{directory}/prosody.pid"
plugin_paths = {{ {plugins} }}
log = {{ {level} = "{directory}/prosody.log" }}
network_backend = "{backend}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
modules_enabled = {{ {modules} }}
modules_disabled = {{ "s2s" }}
certificates = "{directory}"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
storage = "internal"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(directory, host):
    """A self-signed certificate, valid for tests alone."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
         "-keyout", f"{directory}/{host}.key", "-out", f"{directory}/{host}.crt"],
        check=True, capture_output=True,
    )


class Prosody:
    def __init__(self, directory, hosts, backend="epoll", level="debug", plugins=()):
        """`hosts` maps each virtual host to its settings in Lua; `plugins` are more directories to load modules from."""
        self.directory = pathlib.Path(directory)
        self.level = level
        self.port = free_port()
        self.log = self.directory / "prosody.log"
        self.configuration = self.directory / "prosody.cfg.lua"
        self._process = None
        self._console = None
        (self.directory / "data").mkdir(parents=True, exist_ok=True)
        quoted = [f'"{path}"' for path in (*plugins, PLUGINS)]
        text = CONFIGURATION.format(
            as_root=str(os.geteuid() == 0).lower(), directory=self.directory, level=level, backend=backend,
            port=self.port, plugins=", ".join(quoted), modules=", ".join(f'"{name}"' for name in MODULES),
        )
        for host, settings in hosts.items():
            text += f'\nVirtualHost "{host}"\n    authentication = "xmpp_authd"\n    {settings}\n'
        self.configuration.write_text(text)

    def start(self):
        with open(self.directory / "console", "ab") as console:
            self._process = subprocess.Popen(
                ["prosody", "--config", str(self.configuration), "-F"], stdin=subprocess.DEVNULL, stdout=console,
                stderr=console, cwd=self.directory, preexec_fn=die_with_parent,
            )
        try:
            # Ports are open before the last host is there; the console answers when all are.
            self.console("c2s:count()")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        """Ends it by SIGTERM. (The console stays open until then: Prosody runs the signal's handler in the middle of whatever
        it does, and the select back end can't stand that while it closes a connection.)"""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            if self._console:
                self._console.close()

    def console(self, command):
        """Runs a command of `prosodyctl shell`; returns what it prints."""
        if self._console is None:
            self._console = self._open_console()
        return self._console.run(command)

    def _open_console(self):
        mark = self.mark()
        deadline = time.monotonic() + 20
        while True:
            try:
                return Console(self.directory / "data" / "prosody.sock", lambda: self._wait_for_accept(mark))
            except (FileNotFoundError, ConnectionRefusedError):
                assert self._process.poll() is None, (self.directory / "console").read_text()
                assert time.monotonic() < deadline, "Prosody does not start"
                time.sleep(0.02)

    def _wait_for_accept(self, mark):
        if self.level == "debug":
            self.wait_for_log("adminstream\tdebug\tNew connection", mark)

    def sessions(self):
        """How many clients Prosody believes to be connected, logged in or not."""
        return int(re.search(r"Total: (\d+)", self.console("c2s:count()"))[1])

    @staticmethod
    def wait_until(is_so, seconds=20):
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not come to be"
            time.sleep(0.02)

    # ---- the log ----------------------------------------------------------------------------------------------------

    def mark(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, mark):
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace").splitlines()

    def wait_for_log(self, pattern, mark, seconds=20):
        """The first line since the mark that matches."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.log_since(mark):
                if re.search(pattern, line):
                    return line
            time.sleep(0.01)
        raise TimeoutError(f"no log line matches {pattern!r}")

    def complaints(self, mark):
        """The lines since the mark that report a warning or an error."""
        return [line for line in self.log_since(mark) if re.search(r"\t(warn|error)\t", line)]

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

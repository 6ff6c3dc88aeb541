"""The servers under test: the daemon and the two floors, each on a socket of its own and on the same core."""

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import time

import machine

START_SECONDS = 10
CONFIGURATION = """\
[server]
listen = {directory}/authd.sock
max_connections = 20000
[control]
listen = {directory}/control.sock
[replay]
store = memory
after_restart = accept
[host example.org]
secrets_file = {directory}/key.cfg
; No run lasts as long as a token counts.
otp_interval = 300
otp_window = 1
"""


class ServerFailed(Exception):
    """A server did not start."""


class Bench:
    """The directory of a benchmark: fresh keys, the daemon's configuration, the programs."""

    def __init__(self, build, directory):
        self.build = build
        self.directory = directory
        self.server_core, self.load_core = machine.cores()
        self.key_path = self._write(
            "key.cfg",
            f"otp_seed = {base64.b32encode(secrets.token_bytes(20)).decode()}\n"
            f"token_secret = {secrets.token_hex(32)}\n",
        )
        self.configuration_path = self._write("authd.conf", CONFIGURATION.format(directory=directory))
        self.commands = {
            "xmpp-authd": [self.program("xmpp-authd"), "-c", self.configuration_path],
            "floor": [self.program("bench/floor-server"), self.socket_path("floor")],
            "floor+hmac": [self.program("bench/floor-server"), "--hmac", self.socket_path("floor+hmac")],
        }
        self._check_programs()

    def _check_programs(self):
        for command in self.commands.values():
            if not os.access(command[0], os.X_OK):
                raise ServerFailed(f"{command[0]} is missing: build it with `make programs bench-programs`")
        if subprocess.run(self.commands["xmpp-authd"] + ["--check-config"], check=False).returncode != 0:
            raise ServerFailed("the daemon refuses the configuration")

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(text)
        return path

    def program(self, name):
        """The path of a program of the build."""
        return os.path.join(self.build, name)

    def socket_path(self, name):
        """The socket that a server listens on."""
        return os.path.join(self.directory, "authd.sock" if name == "xmpp-authd" else f"{name}.sock")

    @contextlib.contextmanager
    def running(self, name):
        """A server that listens, its process given to the block. Its log is written, and read by nobody."""
        process = subprocess.Popen(
            self.commands[name],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=machine.pin(self.server_core),
        )
        try:
            self._await_socket(name, process)
            yield process
        finally:
            process.terminate()
            process.wait()

    def _await_socket(self, name, process):
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(self.socket_path(name)) == 0:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{name} does not start: {' '.join(self.commands[name])}")
            time.sleep(0.005)

    def run(self, name, *arguments):
        """Runs a program of the bench on the load's core; its lines of key=value as dictionaries."""
        command = [self.program(f"bench/{name}"), *map(str, arguments)]
        # Not a pipe: what it logs must cost what it costs a daemon, and wake nobody.
        with open(os.path.join(self.directory, "errors"), "w+", encoding="utf-8") as errors:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False,
                preexec_fn=machine.pin(self.load_core),
            )
            if done.returncode != 0:
                errors.seek(0)
                raise ServerFailed(f"{' '.join(command)} failed: {errors.read()[-500:]}")
        return [dict(field.split("=", 1) for field in line.split()) for line in done.stdout.splitlines()]

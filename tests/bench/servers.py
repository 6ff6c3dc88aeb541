"""The servers under test: the daemon with each of its stores and the two floors, all on the same core."""

import base64
import contextlib
import csv
import os
import secrets
import shutil
import socket
import subprocess
import time

import machine

START_SECONDS = 10
CONFIGURATION = """\
[server]
listen = {directory}/socket
max_connections = 20000
[state]
dir = {directory}/state
[replay]
store = {store}
after_restart = {after_restart}
[host example.org]
secrets_file = {key}
; No run lasts as long as a token counts.
otp_interval = 300
otp_window = 1
"""
# The daemon by the store that it remembers spent tokens in, and what it is measured against.
STORES = ("memory", "journal")
SHARED = "redis"
FLOORS = {"floor": [], "floor+hmac": ["--hmac"]}


class ServerFailed(Exception):
    """A server or a program did not do what it is there for."""


def write(path, text):
    """Writes a file that nobody else may read."""
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)


class Bench:
    """The programs of a build and a directory for them: fresh keys, and a directory for each server."""

    def __init__(self, build, directory):
        self.build = build
        self.directory = directory
        self.server_core, self.load_core = machine.cores()
        self.key_path = os.path.join(directory, "key.cfg")
        seed = base64.b32encode(secrets.token_bytes(20)).decode()
        write(self.key_path, f"otp_seed = {seed}\ntoken_secret = {secrets.token_hex(32)}\n")
        for store in STORES:
            self._configure(store, store)
        self.redis_path = os.path.join(directory, "redis.sock")
        self._configure(SHARED, f"redis+unix:{self.redis_path}")

    def _configure(self, store, setting):
        directory = os.path.join(self.directory, store)
        os.makedirs(os.path.join(directory, "state"), mode=0o700)
        after_restart = "refuse" if store == SHARED else "accept"
        text = CONFIGURATION.format(directory=directory, store=setting, key=self.key_path, after_restart=after_restart)
        write(self.configuration_path(store), text)
        check = [self.program("xmpp-authd"), "-c", self.configuration_path(store), "--check-config"]
        if subprocess.run(check, check=False).returncode != 0:
            raise ServerFailed(f"the daemon refuses the configuration with store = {store}")

    def program(self, name):
        """The path of a program of the build."""
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            raise ServerFailed(f"{path} is missing: `make programs bench-programs` builds it")
        return path

    def configuration_path(self, store):
        """The daemon's configuration with a store."""
        return os.path.join(self.directory, store, "authd.conf")

    def socket_path(self, name):
        """The socket that a server listens on."""
        return os.path.join(self.directory, name, "socket")

    def _command(self, name):
        if name in (*STORES, SHARED):
            return [self.program("xmpp-authd"), "-c", self.configuration_path(name)]
        return [self.program("bench/floor-server"), *FLOORS[name], self.socket_path(name)]

    def _forget_everything(self, name):
        """The directory of a server as if it had never run."""
        directory = os.path.dirname(self.socket_path(name))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket_path(name))
        shutil.rmtree(os.path.join(directory, "state"), ignore_errors=True)
        os.makedirs(os.path.join(directory, "state"), mode=0o700)

    @contextlib.contextmanager
    def redis(self):
        """A redis-server that writes nothing to the disk, on the core of the load: the daemon has the other for itself."""
        settings = {"port": 0, "unixsocket": self.redis_path, "dir": self.directory, "save": "", "appendonly": "no",
                    "maxmemory-policy": "noeviction", "logfile": "/dev/null"}
        command = ["redis-server", *(word for name, value in settings.items() for word in (f"--{name}", str(value)))]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=machine.pin(self.load_core))
        try:
            self._await(self.redis_path, process, "redis-server")
            self._vouch()
            yield process
        finally:
            process.terminate()
            process.wait()

    def _vouch(self):
        """Marks the record in Redis as whole, as it is some minutes after its first daemon's start: nothing has to be waited for, and
        the daemon asks for the mark all the time, as it does in use."""
        lines = self._redis_command("INFO").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        identity = [fields[name] for name in ("run_id", "master_replid", "evicted_keys")]
        self._redis_command("SET", "xmpp-authd:record", " ".join(["1", *identity, "1000"]))

    def _redis_command(self, *words):
        return subprocess.run(["redis-cli", "-s", self.redis_path, *words], capture_output=True, text=True, check=True).stdout

    def redis_benchmark(self, clients, requests):
        """What Redis itself takes of the same clients: SETs a second."""
        command = ["redis-benchmark", "-s", self.redis_path, "-t", "set", "-c", str(clients), "-P", "1", "-n", str(requests), "--csv"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=machine.pin(self.server_core))
        rows = list(csv.DictReader(done.stdout.splitlines()))
        if done.returncode != 0 or not rows:
            raise ServerFailed(f"redis-benchmark failed: {done.stderr[-500:]}")
        return float(rows[0]["rps"])

    @contextlib.contextmanager
    def running(self, name):
        """A server that remembers nothing and listens; its process. What it logs is written, and read by nobody."""
        self._forget_everything(name)
        process = subprocess.Popen(
            self._command(name),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=machine.pin(self.server_core),
        )
        try:
            self._await(self.socket_path(name), process, " ".join(self._command(name)))
            yield process
        finally:
            process.terminate()
            process.wait()

    @contextlib.contextmanager
    def serving(self, configuration, path, pinned=True):
        """The daemon with a configuration of the caller's, which names the socket. Pinned, it goes before all else on its core."""
        process = subprocess.Popen(
            [self.program("xmpp-authd"), "-c", configuration],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=machine.pin(self.server_core) if pinned else None,
        )
        try:
            self._await(path, process, f"xmpp-authd -c {configuration}")
            yield process
        finally:
            process.terminate()
            process.wait()

    @staticmethod
    def _await(path, process, command):
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(path) == 0:
                    return
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"it does not start: {command}")
            time.sleep(0.001)

    def empty_directory(self):
        """A directory for a program that needs one; the last one's files are gone."""
        path = os.path.join(self.directory, "empty")
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path, mode=0o700)
        return path

    def run(self, name, *arguments, descriptors=(), pinned=True):
        """Runs a program of the bench, on the load's core unless told otherwise, with descriptors; its lines of key=value."""
        command = [self.program(f"bench/{name}"), *map(str, arguments)]
        # Not a pipe: what it logs must cost what it costs a daemon, and wake nobody.
        with open(os.path.join(self.directory, "errors"), "w+", encoding="utf-8") as errors:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                check=False,
                pass_fds=descriptors,
                preexec_fn=machine.pin(self.load_core) if pinned else None,
            )
            if done.returncode != 0:
                errors.seek(0)
                raise ServerFailed(f"{' '.join(command)} failed: {errors.read()[-500:]}")
        return [dict(field.split("=", 1) for field in line.split()) for line in done.stdout.splitlines()]

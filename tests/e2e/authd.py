"""xmpp-authd on a temporary socket, with its log under watch."""

import pathlib
import re
import signal
import subprocess
import time

from processes import SANITIZERS, Account, die_with_parent

PATIENCE = 20  # seconds; only ever reached where a test fails

def parse_line(line):
    """A logfmt line as a dictionary."""
    pairs = re.findall(r'([^ =]+)=("(?:[^"\\]|\\.)*"|[^ ]*)', line)
    return {name: value.strip('"') for name, value in pairs}


class Log:
    """The file that the daemon, and after it the next one, logs to. A verdict's line is there before its answer."""

    def __init__(self, path):
        self._path = path
        path.touch()

    def open(self):
        return self._path.open("ab")

    def mark(self):
        return self._path.stat().st_size

    def lines(self, mark=0):
        with self._path.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace").splitlines()

    def events(self, mark=0, **fields):
        """The lines since the mark that have these fields."""
        wanted = fields.items()
        return [line for line in map(parse_line, self.lines(mark)) if wanted <= line.items()]


class Authd:
    """The daemon: its configuration, its life and its log. One object outlives any number of restarts."""

    def __init__(self, program, directory, account=Account.own(), socket_group=None, socket=None):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.socket = socket or self.directory / "auth.sock"
        self.configuration = self.directory / "xmpp-authd.conf"
        self.account = account
        self.socket_group = socket_group or account.group_name
        self.log = Log(self.directory / "log")
        self.hosts = {}
        self.expected = []  # patterns of warnings and errors that belong to the test
        self.process = None
        account.give(self.directory)

    def write(self, path, text):
        """A file that the daemon alone can read."""
        path = self.directory / path
        path.touch(0o600)
        path.write_text(text)
        self.account.give(path)
        return path

    @staticmethod
    def secrets_of(minter):
        """A host's settings for the two secrets of its minter."""
        return {"otp_seed": minter.otp_seed, "token_secret": minter.token_secret, "otp_interval": minter.interval}

    def configure(self, hosts, store="journal", after_restart="accept"):
        """`hosts` maps each host to its settings. `accept` is for a first start, which has no record of spent tokens."""
        self.hosts = hosts
        text = f"""
[server]
listen = {self.socket}
group = {self.socket_group}
[control]
listen = {self.directory}/control.sock
[log]
level = debug
[state]
dir = {self.directory}/state
[replay]
store = {store}
after_restart = {after_restart}
"""
        for host, settings in hosts.items():
            text += f"[host {host}]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
        self.write(self.configuration.name, text)

    def check_configuration(self):
        """The exit status and the output of --check-config."""
        run = subprocess.run(
            [self.program, "-c", self.configuration, "--check-config"], capture_output=True, text=True, env=SANITIZERS,
            **self.account.popen_options(),
        )
        return run.returncode, run.stdout + run.stderr

    def start(self):
        """Returns the fields of the line that says that it is ready."""
        mark = self.log.mark()
        with self.log.open() as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.configuration], stdin=subprocess.DEVNULL, stderr=log, env=SANITIZERS,
                preexec_fn=die_with_parent, **self.account.popen_options(),
            )
        deadline = time.monotonic() + PATIENCE
        while not (ready := self.log.events(mark, event="ready")):
            assert self.is_running, "xmpp-authd does not start:\n" + "\n".join(self.log.lines(mark))
            assert time.monotonic() < deadline, "xmpp-authd is not ready:\n" + "\n".join(self.log.lines(mark))
            time.sleep(0.002)
        return ready[0]

    def stop(self):
        """By SIGTERM, as a service manager does."""
        self.ask_to_stop()
        self.await_stop()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def await_stop(self):
        status = self.process.wait(PATIENCE)
        assert status == 0, f"xmpp-authd ended with status {status}:\n" + "\n".join(self.log.lines())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        """Ends it however it stands."""
        if self.is_running:
            self.resume()
            try:
                self.stop()
            finally:
                self.process.kill()
                self.process.wait()
        complaints = [
            line for line in self.log.lines()
            if parse_line(line).get("level") not in ("info", "debug")
            and not any(re.search(pattern, line) for pattern in self.expected)
        ]
        assert not complaints, "xmpp-authd complains:\n" + "\n".join(complaints)

"""xmpp-authd on a temporary socket, with its log under watch."""

import pathlib
import re
import signal
import subprocess
import threading

from processes import Account, die_with_parent

PATIENCE = 20  # seconds; only ever reached where a test fails

# A daemon that is hidden from other processes of its own account is hidden from the leak checker too.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


def parse_line(line):
    """A logfmt line as a dictionary."""
    pairs = re.findall(r'([^ =]+)=("(?:[^"\\]|\\.)*"|[^ ]*)', line)
    return {name: value.strip('"') for name, value in pairs}


class Log:
    """What a process writes to stderr, line by line, as it comes."""

    def __init__(self):
        self._lines = []
        self._news = threading.Condition()
        self._reader = None

    def follow(self, stream):
        """Takes the stream's lines until it ends."""
        self._reader = threading.Thread(target=self._take, args=(stream,), daemon=True)
        self._reader.start()

    def _take(self, stream):
        with stream:
            for line in stream:
                with self._news:
                    self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._lines.append("")
            self._news.notify_all()

    def finish(self):
        """Waits for the end of the stream."""
        if self._reader:
            self._reader.join()

    def mark(self):
        with self._news:
            return len(self._lines)

    def lines(self, mark=0):
        with self._news:
            return [line for line in self._lines[mark:] if line]

    def await_events(self, count, mark=0, **fields):
        """The lines since the mark that have these fields, once there are this many."""
        wanted = fields.items()

        def found():
            return [line for line in map(parse_line, self._lines[mark:]) if wanted <= line.items()]

        with self._news:
            self._news.wait_for(lambda: len(found()) >= count or "" in self._lines[mark:], PATIENCE)
            assert len(found()) >= count, f"not {count} of {fields} in:\n" + "\n".join(self._lines[mark:])
            return found()

    def await_event(self, mark=0, **fields):
        return self.await_events(1, mark, **fields)[0]


class Authd:
    """The daemon: its configuration, its life and its log. One object outlives any number of restarts."""

    def __init__(self, program, directory, account=Account.own(), socket_group=None, socket=None):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.socket = socket or self.directory / "auth.sock"
        self.configuration = self.directory / "xmpp-authd.conf"
        self.account = account
        self.socket_group = socket_group or account.group_name
        self.log = Log()
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

    def configure(self, hosts, after_restart="accept"):
        """`hosts` maps each host to its settings."""
        self.hosts = hosts
        text = f"""
[server]
listen = {self.socket}
group = {self.socket_group}
[control]
listen = {self.directory}/control.sock
[log]
level = debug
[replay]
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
        self.process = subprocess.Popen(
            [self.program, "-c", self.configuration], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=SANITIZERS,
            preexec_fn=die_with_parent, **self.account.popen_options(),
        )
        self.log.follow(self.process.stderr)
        return self.log.await_event(mark, event="ready")

    def stop(self):
        """By SIGTERM, as a service manager does."""
        self.ask_to_stop()
        self.await_stop()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def await_stop(self):
        status = self.process.wait(PATIENCE)
        self.log.finish()
        assert status == 0, f"xmpp-authd ended with status {status}:\n" + "\n".join(self.log.lines())

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.finish()

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

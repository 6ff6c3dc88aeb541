"""What a doctor looks at: a daemon's configuration, the programs, a chat server's files; and the doctor itself."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import DEADLINE, confidential
from harness.configuration import Configuration
from harness.daemon import BUILD, REPORTS, SANITIZED, Daemon, environment, parse_logfmt  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Site:
    """All in one directory, that everybody may enter; the programs are copies, for a build may stand where a chat server's user
    can't go."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="xd-", dir="/run"))
        self.directory.chmod(0o755)
        for program in ("xmpp-authctl", "xmpp-extauth"):
            shutil.copy(BUILD / program, self.directory)
        self.relay = self.directory / "xmpp-extauth"
        self.socket = self.directory / "a.sock"
        self.configuration = Configuration(self.directory)
        self.daemons = []

    def start(self):
        """A running daemon with the configuration as it is now."""
        daemon = Daemon(self.configuration)
        self.daemons.append(daemon)
        return daemon.start()

    def remove(self):
        try:
            for daemon in self.daemons:
                daemon.finish()
        finally:
            shutil.rmtree(self.directory)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def write_configuration(self):
        path = self.write("xmpp-authd.conf", self.configuration.text())
        path.chmod(0o600)
        return path

    def run(self, *arguments, preload=None, command="doctor", **options):
        """Runs the doctor to its end; nothing confidential and no sanitizer's report is in what it wrote."""
        variables = environment()
        if preload:
            variables["LD_PRELOAD"] = str(preload)
        result = subprocess.run(
            [self.directory / "xmpp-authctl", command, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False,
            env=variables, cwd="/", **options)
        written = (result.stdout + result.stderr).encode()
        assert not REPORTS.search(written), written.decode()
        assert not confidential.traces(written), "something confidential is printed"
        return result

    def doctor(self, *arguments, ignore="clock", offline=True):
        """Its findings as dictionaries, and its exit status."""
        arguments = ["-c", self.directory / "xmpp-authd.conf", "--logfmt", "--ignore", ignore, *arguments]
        result = self.run(*arguments, *(["--offline"] if offline else []))
        assert result.stderr == ""
        return [parse_logfmt(line) for line in result.stdout.splitlines()], result.returncode

    def fix(self, *arguments):
        """Puts the doctor's patch into effect, as its page says one does."""
        arguments = ["-c", self.directory / "xmpp-authd.conf", "--fix", "--offline", "--ignore", "clock", *arguments]
        result = self.run(*arguments)
        patch = result.stdout
        assert patch, result.stderr
        subprocess.run(["git", "apply", "--check"], input=patch, text=True, check=True, cwd="/", env={**os.environ, "GIT_DIR": "/nowhere"})
        subprocess.run(["patch", "-d", "/", "-p1", "--quiet"], input=patch, text=True, check=True)
        return patch


def names(findings):
    """The findings' names, each once."""
    return sorted({finding["finding"] for finding in findings})

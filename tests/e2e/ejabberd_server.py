"""Debian's ejabberd on a free loopback port, with a spool of its own, set up by the very text of conf/ejabberd."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from processes import SANITIZERS, Account, die_with_parent

SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "conf" / "ejabberd" / "ejabberd.yml.example"

# What the tests need beyond the snippet: BOSH, offline messages, and all that the modules on a login's way have to say. (At
# the level of "debug" ejabberd writes every stanza of every client, whatever it may contain.)
EXTRA = """
  -
    port: {bosh_port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /bosh: mod_bosh
loglevel: info
log_modules_fully: [extauth, extauth_sup, ejabberd_auth, ejabberd_auth_external, ejabberd_c2s, xmpp_stream_in, xmpp_sasl]
modules:
  mod_bosh: {{}}
  mod_offline: {{}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(hosts, certificate, program, port, bosh_port):
    """The snippet with nothing but hosts, paths and the port changed, and EXTRA behind it."""
    text = SNIPPET.read_text()
    for old, new in (
        ("  - example.org\n", "".join(f"  - {host}\n" for host in hosts)),
        ('"/etc/ejabberd/ejabberd.pem"', f'"{certificate}"'),
        ('"/usr/local/bin/xmpp-extauth /run/xmpp-authd/auth.sock"', f'"{program}"'),
        ("port: 5222\n", f"port: {port}\n"),
        ('ip: "::"\n', 'ip: "127.0.0.1"\n'),
    ):
        assert text.count(old) == 1, f"{SNIPPET.name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    return text + EXTRA.format(bosh_port=bosh_port)


def make_certificate(directory, hosts):
    """A self-signed certificate and its key, in one file as ejabberd wants them."""
    key, certificate, both = directory / "key.pem", directory / "certificate.pem", directory / "ejabberd.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365",
         "-subj", f"/CN={hosts[0]}", "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts),
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    key.unlink()
    return both


def library_path():
    """Where Debian's ejabberdctl finds ejabberd."""
    return re.search(r"^ERL_LIBS='(.*)'", pathlib.Path("/usr/sbin/ejabberdctl").read_text(), re.MULTILINE)[1]


class Ejabberd:
    def __init__(self, directory, hosts, program, account=Account.own()):
        """`program` is the command of extauth_program; all files go to `directory`, which belongs to `account`."""
        self.directory = pathlib.Path(directory)
        self.port, self.bosh_port = free_port(), free_port()
        self.log = self.directory / "ejabberd.log"
        self.console = self.directory / "console"
        self.certificate = self.directory / "certificate.pem"
        self._account = account
        self._process = None
        both = make_certificate(self.directory, hosts)
        text = configuration(hosts, both, program, self.port, self.bosh_port)
        (self.directory / "ejabberd.yml").write_text(text)
        (self.directory / "spool").mkdir()
        for path in (self.directory, *self.directory.iterdir()):
            account.give(path)

    def start(self):
        spool = self.directory / "spool"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(spool),
            "EJABBERD_CONFIG_PATH": str(self.directory / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.log),
            "ERL_LIBS": library_path(),
            "ERL_CRASH_DUMP_BYTES": "0",
            **SANITIZERS,
        }
        with self.console.open("ab") as console:
            # Without a node name there is no epmd, no cookie and no port for other nodes.
            self._process = subprocess.Popen(
                ["erl", "-noinput", "+K", "true", "-mnesia", "dir", f'"{spool}"', "-s", "ejabberd"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=spool, env=environment,
                preexec_fn=die_with_parent, **self._account.popen_options(),
            )
        self._await_log("Start accepting TCP connections")
        return self

    def _await_log(self, text):
        deadline = time.monotonic() + 60
        while text not in self.log_since(0):
            assert self._process.poll() is None, "ejabberd ended:\n" + self.console.read_text()
            assert time.monotonic() < deadline, "ejabberd does not start:\n" + self.log_since(0)
            time.sleep(0.02)

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        if self._process is None:
            return
        try:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None

    def mark(self):
        return self.log.stat().st_size

    def log_since(self, mark):
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "replace")

    def files_written(self):
        """Its logs and its database."""
        return [path for path in self.directory.rglob("*") if path.is_file() and path.suffix not in (".pem", ".yml")]

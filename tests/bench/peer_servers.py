"""The daemon's peers, each started for real in a directory of its own, on the server's core.

Each server here is a context manager that gives a Target: how to ask it, and the processes that do its work.
"""

import contextlib
import ctypes
import dataclasses
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

import machine
from servers import ServerFailed, write

HOST = "example.org"
USER = "somebody"
PASSWORD = "the-password-of-all-questions"
INTERVAL = 300  # of the tokens' time step, as the load mints them
START_SECONDS = 10
SASLAUTHD_PROCESSES = 5  # saslauthd's own default
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

DAEMON_CONFIGURATION = """\
[server]
listen = {directory}/socket
[listen cyrus]
path = {directory}/cyrus
protocol = saslauthd
host = example.org
[state]
dir = {directory}/state
[replay]
store = journal
after_restart = accept
[host example.org]
secrets_file = {key}
otp_interval = {interval}
otp_window = 1
"""

DOVECOT_CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
protocols =
ssl = no
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
auth_mechanisms = plain
disable_plaintext_auth = no
passdb {{
  driver = static
  args = password={password}
}}
service auth {{
  unix_listener auth-client {{
    mode = 0600
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


@dataclasses.dataclass
class Target:
    """Where the client asks, and whose CPU time counts."""

    way: list  # a socket's path, or descriptors, as the client takes them
    processes: list
    descriptors: tuple = ()


class Unavailable(Exception):
    """A peer can't be had on this machine; why."""


def _await_socket(path, is_alive):
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return
        if not is_alive() or time.monotonic() > deadline:
            raise Unavailable(f"nothing listens on {os.path.basename(path)}")
        time.sleep(0.01)


def _descendants(pid):
    """A process and all that it started, and they."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    found += map(int, file.read().split())
    return found


def _adopt_orphans():
    """Whoever's parent ends from here on becomes a child of this process, so that none is left over."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stop(pids, patience=3):
    """Ends processes, of which those that lost their parent are this one's children."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def on_standard_input(bench, command, count):
    """Programs that are asked through standard input, one for each client."""
    ours, processes = [], []
    try:
        for _ in range(count):
            our, their = socket.socketpair()
            ours.append(our)
            with their:
                processes.append(
                    subprocess.Popen(command, stdin=their, stdout=their, preexec_fn=machine.pin(bench.server_core))
                )
        descriptors = tuple(our.fileno() for our in ours)
        yield Target(list(map(str, descriptors)), [process.pid for process in processes], descriptors)
    finally:
        for our in ours:
            our.close()
        for process in processes:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def script(bench, _directory, count):
    """The extauth script, a process for each client."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "extauth_script.py")
    with on_standard_input(bench, ["/usr/bin/python3", "-B", path, bench.key_path, str(INTERVAL)], count) as target:
        yield target


@contextlib.contextmanager
def daemon(bench, directory, socket_name="socket"):
    """xmpp-authd with its default store."""
    configuration = os.path.join(directory, "authd.conf")
    os.makedirs(os.path.join(directory, "state"), mode=0o700)
    write(configuration, DAEMON_CONFIGURATION.format(directory=directory, key=bench.key_path, interval=INTERVAL))
    process = subprocess.Popen(
        [bench.program("xmpp-authd"), "-c", configuration],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=machine.pin(bench.server_core),
    )
    try:
        path = os.path.join(directory, socket_name)
        _await_socket(path, lambda: process.poll() is None)
        yield Target([path], [process.pid])
    except Unavailable as problem:
        raise ServerFailed(f"xmpp-authd: {problem}") from problem
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def relay(bench, directory, count):
    """xmpp-extauth, a process for each client, in front of one daemon."""
    with daemon(bench, directory) as behind:
        with on_standard_input(bench, [bench.program("xmpp-extauth"), *behind.way], count) as target:
            yield dataclasses.replace(target, processes=target.processes + behind.processes)


@contextlib.contextmanager
def saslauthd(bench, directory, options):
    """saslauthd over a file of passwords as they are, which it opens by a fixed name: in a view of /etc of its own."""
    if shutil.which("saslauthd") is None or shutil.which("saslpasswd2") is None:
        raise Unavailable("saslauthd is not installed (Debian's sasl2-bin)")
    etc, run = os.path.join(directory, "etc"), os.path.join(directory, "run")
    os.makedirs(etc)
    os.makedirs(run, mode=0o700)
    for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache"):
        with contextlib.suppress(OSError):
            shutil.copy(os.path.join("/etc", name), etc)
    create = ["saslpasswd2", "-c", "-p", "-f", os.path.join(etc, "sasldb2"), "-u", HOST, USER]
    subprocess.run(create, input=PASSWORD, text=True, check=True, capture_output=True)
    view = f'mount --bind "{etc}" /etc && exec saslauthd -a sasldb -m "{run}" -n {SASLAUTHD_PROCESSES} {options}'
    _adopt_orphans()
    own_view = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    started = subprocess.run(
        [*own_view, "sh", "-c", view],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        preexec_fn=machine.pin(bench.server_core), env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    if started.returncode != 0:
        raise Unavailable("it can't be given a directory /etc of its own, where its file of passwords must be")
    pids = []
    try:
        path = os.path.join(run, "mux")
        _await_socket(path, lambda: True)
        with open(os.path.join(run, "saslauthd.pid"), encoding="ascii") as file:
            master = int(file.read())
        pids = _descendants(master)
        yield Target([path], pids)
    finally:
        _stop(pids)


def _dovecot_users():
    """Users and group that Dovecot may become: its own, or none but the caller where that is not root."""
    if os.geteuid() != 0:
        name = pwd.getpwuid(os.geteuid()).pw_name
        return {"internal": name, "login": name, "group": str(os.getegid())}
    return {"internal": "dovecot", "login": "dovenull", "group": "dovecot"}


@contextlib.contextmanager
def dovecot(bench, directory):
    """Dovecot with nothing but its auth service."""
    program = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        raise Unavailable("Dovecot is not installed (Debian's dovecot-core)")
    # Its processes of other users pass through.
    os.chmod(bench.directory, 0o711)
    os.chmod(directory, 0o755)
    configuration = os.path.join(directory, "dovecot.conf")
    write(configuration, DOVECOT_CONFIGURATION.format(directory=directory, password=PASSWORD, **_dovecot_users()))
    process = subprocess.Popen(
        [program, "-F", "-c", configuration],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=machine.pin(bench.server_core),
    )
    try:
        path = os.path.join(directory, "run", "auth-client")
        _await_socket(path, lambda: process.poll() is None)
        # The service's process starts with the first client; one that asks nothing is enough.
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(path)
            first.settimeout(START_SECONDS)
            first.recv(1)
        yield Target([path], _descendants(process.pid))
    finally:
        _stop(_descendants(process.pid)[1:])
        process.terminate()
        process.wait()

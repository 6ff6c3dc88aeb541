"""xmpp-authctl status for a person, and top, in a real terminal: tmux, its screen read back."""

import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, auth, isuser
from harness.daemon import BUILD, REPORTS, environment
from harness.minter import Key

CTL = BUILD / "xmpp-authctl"
ALICE = "alice@example.org"

needs_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="Debian's tmux is the terminal")


def control(daemon):
    return daemon.directory / "control.sock"


def run(*words, status=0, **variables):
    done = subprocess.run([CTL, *words], capture_output=True, text=True, timeout=DEADLINE, check=False, stdin=subprocess.DEVNULL,
                          env={**environment(), "LC_ALL": "C.UTF-8", **variables})
    assert not REPORTS.search(done.stderr.encode()), done.stderr
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stdout, done.stderr


def logins(daemon, number=3):
    key = daemon.configuration.key
    for _ in range(number):
        jid = f"{secrets.token_hex(8)}@example.org"
        token = key.mint(jid)
        assert daemon.ask(auth(jid, token), auth(jid, token), auth(jid, Key().mint(jid)), isuser(jid)) == [YES, NO, NO, YES]


# --- status


def test_status_is_for_a_person(start, configuration):
    configuration.host("chat.example", Key())
    daemon = start()
    logins(daemon)
    out, err = run("status", "--control", control(daemon))
    assert err == ""
    assert re.match(rf"xmpp-authd \d+\.\d+\.\d+: ready, for \d+s, since 20\S+Z, process {daemon.process.pid}\n", out)
    for pattern in (r"^  clients +0 of 1024; 3 so far, 0 of them refused; 0 B pending$", r"^  replay +3 spent tokens, \S+ \S+; store memory, 0 errors$",
                    r"^  hosts +2; 0 reloads, 0 refused$", r"^  decisions  half within \S+ [mu]?s, 99 in 100 within \S+ [mu]?s$",
                    r"^logins\n  allowed +3\n  forged +3\n  replayed +3\n\nusers asked about\n  allowed +3$",
                    r"^host +allowed +denied +undecided  minter's clock\nexample.org +3 +6 +0  agrees$"):
        assert re.search(pattern, out, flags=re.MULTILINE), f"{pattern}\n{out}"
    assert "chat.example" not in out


def test_status_says_what_is_wrong(start, configuration):
    configuration.set("replay", after_restart="refuse")
    daemon = start().expect("configuration", "reload-failed")
    configuration.server(max_connections="nonsense")
    daemon.reload()
    out, _ = run("status", "--control", control(daemon))
    assert ": starting, " in out
    assert re.search(r"^  tokens minted before 20\S+Z are refused$", out, flags=re.MULTILINE)
    assert "the configuration was refused at the last reload" in out


def test_status_shows_the_busiest_of_many_hosts(start, configuration):
    keys = {f"host-{number}.example": Key() for number in range(120)}
    for domain, key in keys.items():
        configuration.host(domain, key)
    daemon = start()
    for domain in keys:
        daemon.ask(auth(f"x@{domain}", "nonsense"))
    daemon.ask(*[auth("x@host-119.example", "nonsense")] * 3, *[auth("x@host-118.example", "nonsense")] * 2)
    hosts = daemon.status()["host"]
    assert len(hosts) == 100 and [host["host"] for host in hosts[:2]] == ["host-119.example", "host-118.example"]
    out, _ = run("status", "--control", control(daemon))
    assert len(re.findall(r"^host-\d+\.example ", out, flags=re.MULTILINE)) == 100


def test_status_for_scripts_is_what_the_socket_says(start):
    daemon = start()
    logins(daemon, 1)
    out, _ = run("status", "--logfmt", "--control", control(daemon))
    kinds = [re.match(r"what=(\w+)", line)[1] for line in out.splitlines()]
    assert kinds[:3] == ["daemon", "connections", "replay"] and set(kinds[3:]) == {"recorder", "verdicts", "latency", "host"}


# --- top, as text


def test_top_once_writes_a_page_without_control_sequences(start):
    daemon = start()
    logins(daemon)
    out, err = run("top", "--once", "--interval", "1", "--control", control(daemon))
    assert err == "" and "\033" not in out
    assert re.match(r"xmpp-authd \S+  ready  up \S+", out)
    assert max(len(line) for line in out.splitlines()) <= 80
    for words in ("logins a second: 0 allowed", "allowed a second", "denied or undecided a second", "replayed", "host, a second"):
        assert words in out


def test_top_knows_the_width_that_it_is_told(start):
    daemon = start()
    out, _ = run("top", "--once", "--interval", "1", "--control", control(daemon), COLUMNS="40")
    assert max(len(line) for line in out.splitlines()) == 40


@pytest.mark.parametrize("words, said", [
    (["--interval", "0"], "--interval takes whole seconds, from 1 to 3600"),
    (["--interval", "1.5"], "--interval takes whole seconds, from 1 to 3600"),
    (["--interval", "4000"], "--interval takes whole seconds, from 1 to 3600"),
    (["--once=now"], "--once takes no value"),
])
def test_top_says_what_it_takes(words, said):
    assert said in run("top", *words, "--control", "/nowhere", status=2)[1]


def test_top_without_a_daemon_says_so_and_ends(tmp_path):
    assert "is xmpp-authd running, and is this its socket?" in run("top", "--control", tmp_path / "none", status=2)[1]


def test_top_ends_where_nobody_reads_it(start):
    daemon = start()
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([CTL, "top", "--interval", "1", "--control", control(daemon)], stdout=write, stderr=subprocess.PIPE, env=environment())
    os.close(write)
    assert "can't be written" in process.communicate(timeout=DEADLINE)[1].decode()
    assert process.returncode == 2


# --- top, on a terminal


class Terminal:
    """A tmux server of its own with one window, in which a shell runs."""

    def __init__(self, directory, columns=100, rows=40, locale="C.UTF-8"):
        self.socket = directory / "tmux"
        self.marks = 0
        env = {**environment(), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "PS1": "$ "}
        env.pop("TMUX", None)
        self.command("-f", "/dev/null", "-u", "new-session", "-d", "-x", columns, "-y", rows, f"env LC_ALL={locale} PS1='$ ' sh", env=env)

    def command(self, *words, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE, check=False, env=env)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def close(self):
        self.command("kill-server")

    def keys(self, *keys):
        self.command("send-keys", *keys)

    def type(self, line):
        self.keys("-l", line)
        self.keys("Enter")

    def screen(self, *options):
        return self.command("capture-pane", "-p", *options)

    def modes(self):
        """Whether the alternate screen is on, and whether the cursor shows."""
        return self.command("display-message", "-p", "#{alternate_on} #{cursor_flag}").split()

    def await_screen(self, pattern):
        deadline = time.monotonic() + DEADLINE
        while not re.search(pattern, screen := self.screen(), flags=re.MULTILINE):
            assert time.monotonic() < deadline, f"no {pattern} in:\n{screen}"
            time.sleep(0.05)
        return screen

    def size(self, columns, rows):
        self.command("resize-window", "-x", columns, "-y", rows)


@pytest.fixture
def terminal(directory):
    terminals = []

    def open_terminal(**options):
        terminals.append(Terminal(directory, **options))
        return terminals[-1]

    yield open_terminal
    for opened in terminals:
        opened.close()


def top_line(daemon):
    return f"{CTL} top --interval 1 --control {control(daemon)}; echo ended with $?"


@needs_tmux
def test_top_shows_rates_reasons_and_a_history(start, terminal):
    daemon = start()
    window = terminal()
    window.type(top_line(daemon))
    window.await_screen(r"^xmpp-authd \S+  ready  up ")
    assert window.modes() == ["1", "0"]
    deadline = time.monotonic() + DEADLINE
    while not re.search("[\u2581-\u2588]{2}", window.screen()):
        assert time.monotonic() < deadline, window.screen()
        logins(daemon, 1)
    screen = window.await_screen(r"^replayed +\S+ +\d+$")
    assert re.search(r"^logins a second: \S+ allowed, \S+ denied, 0 undecided$", screen, flags=re.MULTILINE)
    assert re.search(r"^example\.org +\S+ +\S+ +0  agrees$", screen, flags=re.MULTILINE)
    assert re.search(r"^forged +\S+ +\d+$", screen, flags=re.MULTILINE)


@needs_tmux
def test_top_draws_in_ascii_where_the_locale_is(start, terminal):
    daemon = start()
    window = terminal(locale="C")
    window.type(top_line(daemon))
    window.await_screen(r"ready  up ")
    deadline = time.monotonic() + DEADLINE
    while not re.search(r"\|.*[.:|]", window.screen()):
        assert time.monotonic() < deadline, window.screen()
        logins(daemon, 1)
    assert window.screen().isascii()


@needs_tmux
@pytest.mark.parametrize("columns, rows", [(40, 10), (200, 60), (30, 5)])
def test_top_follows_the_terminals_size(start, terminal, columns, rows):
    daemon = start()
    window = terminal()
    window.type(top_line(daemon))
    window.await_screen(r"^host|^reason")
    window.size(columns, rows)
    deadline = time.monotonic() + DEADLINE
    while True:
        lines = window.screen().splitlines()
        if re.fullmatch(rf"xmpp-authd .{{{columns - 21}}} \d\d:\d\d:\d\dZ", lines[0]):
            break
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)
    assert len(lines) <= rows and max(len(line) for line in lines) <= columns


@needs_tmux
@pytest.mark.parametrize("keys, status", [(["q"], 0), (["C-c"], 0), (["C-\\"], 0)], ids=["q", "ctrl-c", "ctrl-backslash"])
def test_top_gives_the_terminal_back_on(start, terminal, keys, status):
    daemon = start()
    window = terminal()
    window.type(top_line(daemon))
    window.await_screen(r"ready  up ")
    window.keys(*keys)
    window.await_screen(rf"ended with {status}$")
    restored(window)


def restored(window):
    """No alternate screen, the cursor there, and what is typed is shown."""
    assert window.modes() == ["0", "1"]
    window.type("echo typed; stty -a | tr -s ' ;' '\\n' | grep -x -e icanon -e echo | tr '\\n' ,")
    window.await_screen(r"typed\n(echo,icanon|icanon,echo),")
    assert "echo typed" in window.screen()


@needs_tmux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_top_gives_the_terminal_back_when_told_to_end(start, terminal, number):
    daemon = start()
    window = terminal()
    window.type(top_line(daemon))
    window.await_screen(r"ready  up ")
    os.kill(process_of(control(daemon)), number)
    window.await_screen(r"ended with 0$")
    restored(window)


def process_of(path):
    """The top that watches a control socket."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if words and words[0] == bytes(CTL) and bytes(path) in words:
            return int(entry.name)
    raise AssertionError("no such process")


@needs_tmux
def test_top_can_be_stopped_and_continued(start, terminal):
    daemon = start()
    window = terminal()
    window.type(top_line(daemon).split(";")[0])
    window.await_screen(r"ready  up ")
    window.keys("C-z")
    window.await_screen(r"Stopped|Suspended")
    restored(window)
    window.type("fg")
    window.await_screen(r"^xmpp-authd \S+  ready  up ")
    assert window.modes() == ["1", "0"]
    window.keys("q")
    deadline = time.monotonic() + DEADLINE
    while window.modes() != ["0", "1"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_tmux
def test_top_waits_for_a_daemon_that_is_away(start, configuration, terminal):
    daemon = start()
    window = terminal(columns=140)
    window.type(top_line(daemon))
    window.await_screen(r"ready  up ")
    daemon.stop()
    screen = window.await_screen(r"^xmpp-authd  no answer ")
    assert "xmpp-authd running, and is this its socket?" in screen or "is not running" in screen
    start()
    window.await_screen(r"^xmpp-authd \S+  ready  up \ds")

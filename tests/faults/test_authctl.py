"""The operator's command line: each call of a command fails in turn. It says so and fails, or does what it says; a file that it changes
is the old one or the new one."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import tally
from faults import HARMLESS, Faults, errors, first_of_each_site, functions, is_libraries_end
from harness import confidential
from harness.clients import auth
from harness.configuration import HOST
from harness.daemon import BINARY, BUILD, REPORTS, environment
from served import ALICE, changed

CTL = BUILD / "xmpp-authctl"
AT_ONCE = 3
# OpenSSL asks for memory thousands of times before a command has begun.
MANY = 200


def numbers(count, stride, sites):
    """Which of so many calls are tried."""
    if stride == 0:
        return [1]
    if stride == 1 and count > MANY:
        return first_of_each_site(sites)
    step = stride if count <= MANY else stride * (count // 100)
    return sorted({*range(1, min(count, 3) + 1), *range(1, count + 1, step)})


class Site:
    """A configuration that a command may change, and a daemon to ask."""

    def __init__(self, configuration, start, directory):
        configuration.host(isuser="seen").set("state", dir=directory / "state").set("log", level="info")
        self.daemon = start().expect("level=(error|warning)")
        self.path, self.key = self.daemon.path, configuration.key
        self.daemon.control(f"users import carol@{HOST}\n".encode())
        self.daemon.control(f"deny mallory@{HOST}\n".encode())
        # What `why` tells of.
        self.daemon.ask(auth(ALICE, self.key.mint(ALICE)))

    def run(self, place, words, own_file, faults=None, text=None):
        path = self.path
        if own_file:
            path = place / "c.conf"
            shutil.copy2(self.path, path)
        if text is None:
            text = self.key.mint(ALICE)
        done = subprocess.run([CTL, "-c", path, *(str(word) for word in words)], input=text.encode(), capture_output=True, timeout=60,
                              env={**environment(), **(faults.environment if faults else {})}, check=False)
        confidential.archive(done.stderr)
        return done, path.read_bytes()


def shape(output):
    """What is always the same in an output."""
    return re.sub(rb"[0-9A-Za-z+/=_-]{8,}|[0-9]+", b"*", output).count(b"\n")


COMMANDS = {
    "keygen": (["keygen", HOST], True),
    "rotate": (["rotate", HOST], True),
    "rotate --write": (["rotate", HOST, "--write"], True),
    "keys": (["keys"], False),
    "mint": (["mint", ALICE], False),
    "check": (["check", ALICE], False),
    "query": (["query", "auth", ALICE], False),
    "ping": (["ping"], False),
    "status": (["status"], False),
    "why": (["why", ALICE], False),
    "deny": (["deny", f"eve@{HOST}"], False),
    "allow": (["allow", f"eve@{HOST}"], False),
    "denied": (["denied"], False),
    "users list": (["users", "list"], False),
    "users forget": (["users", "forget", f"nobody@{HOST}"], False),
}


@pytest.fixture
def site(configuration, start, directory):
    return Site(configuration, start, directory)


def judge(name, usual, done, before, after, error, log_gone):
    wrong = []
    if REPORTS.search(done.stderr) or done.returncode < 0 or done.returncode > 4:
        wrong.append(f"exit status {done.returncode}")
    if done.returncode == 0 and shape(done.stdout) < shape(usual.stdout):
        wrong.append(f"says that all is well, and wrote {done.stdout[-100:]}")
    if done.returncode not in (0, usual.returncode) and not done.stderr and not done.stdout and not log_gone:
        wrong.append(f"fails ({done.returncode}) without a word")
    if error in HARMLESS and done.returncode != usual.returncode:
        wrong.append(f"fails ({done.returncode}) by what is no failure")
    if after != before and name != "rotate --write":
        wrong.append("has changed the file")
    if name == "rotate --write" and after != before and not (after.startswith(before.rstrip(b"\n")) and after.count(b"otp_seed") == 2 and
                                                             after.endswith(b"\n")):
        wrong.append("left half a file")
    if name == "rotate --write" and done.returncode == 0 and after == before:
        wrong.append("says that the file is written")
    return wrong


@pytest.mark.parametrize("name", COMMANDS)
def test_calls_of_a_command_that_fail(site, directory, stride, name):
    words, own_file = COMMANDS[name]
    before = site.path.read_bytes()
    faults = Faults(directory / "page")
    (directory / "usual").mkdir()
    faults.trace()
    usual, _ = site.run(directory / "usual", words, own_file, faults)
    sites = faults.sites()
    assert usual.returncode == 0, usual
    counts = {call: count for call, count in faults.calls().items() if count}
    plan = [(call, error, number) for call, count in counts.items() for error in errors(call, stride) for number in numbers(count, stride, sites[call])]

    def play(order, step):
        place = directory / str(order)
        place.mkdir()
        own = Faults(place / "page")
        call, error, number = step
        own.arm(call, error, number)
        done, after = site.run(place, words, own_file, own)
        hits = own.disarm()
        tally.count("xmpp-authctl", call, hits, own.place())
        left = sorted(path.name for path in place.iterdir() if path.name not in ("page", "c.conf"))
        shutil.rmtree(place)
        if hits == 0 or is_libraries_end(CTL, done.returncode, done.stderr, own.place()):
            return []
        wrong = judge(name, usual, done, before, after, error, own.was_log())
        if left and call not in ("unlinkat", "unlink"):
            wrong.append(f"left {left}")
        return [(name, *step, text, functions(CTL, own.place()), done.stderr[-150:]) for text in wrong]

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [line for lines in pool.map(play, range(len(plan)), plan) for line in lines]
    assert not wrong, f"{len(wrong)}\n" + "\n".join(map(str, wrong[:60]))


def test_a_forged_token_is_never_yes(site, directory, stride):
    """Asked by a command whose calls fail."""
    words, answers = ["query", "auth", ALICE], []
    faults = Faults(directory / "page")
    site.run(directory, words, False, faults, changed(site.key.mint(ALICE)))
    for call, count in faults.calls().items():
        for number in [1] if stride == 0 else range(1, min(count, 40) + 1):
            for error in errors(call, stride) if count else []:
                faults.arm(call, error, number)
                done, _ = site.run(directory, words, False, faults, changed(site.key.mint(ALICE)))
                answers.append(done.returncode == 0 or b"yes" in done.stdout)
                tally.count("xmpp-authctl", call, faults.disarm())
    assert answers and not any(answers)

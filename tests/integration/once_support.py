"""What the tests of "once means once" share: journals that may vouch for everything, other boots, clocks that are set by hand, and
a count of what was answered yes."""

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth
from harness.configuration import HOST
from harness.daemon import BINARY, BUILD, SANITIZED, Daemon
from harness.minter import Key

FEATURES = "features:tryagain"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
LIBFAKETIME = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
CLOCK_CAN_BE_SET = SANITIZED or LIBFAKETIME is not None
# `make check-long-once`: more rounds of what is left to chance, and tests that take long.
ROUNDS = int(os.environ.get("XMPP_AUTHD_ROUNDS", "0"))
LONG = ROUNDS > 0

# The harness reads every line of the log, and there are tens of thousands of logins.
QUIET = {"level": "warning"}


def jid(number):
    return f"user{number}@{HOST}"


def with_journal(configuration, interval=30, window=10, **replay):
    """Turns a configuration into one with a journal in `state`. By default its tokens can be presented again for minutes."""
    configuration.key = Key(interval=interval)
    configuration.sections[f"host {HOST}"] = configuration.key.settings()
    configuration.host(otp_window=window)
    configuration.set("replay", store="journal", after_restart=None)
    configuration.set("replay", **replay)
    configuration.set("state", dir=configuration.directory / "state")
    return configuration


def state_of(configuration):
    return configuration.directory / "state"


# --- another boot, another clock


class Clock:
    """A wall clock so many seconds ahead of ours, for programs that run with clock_environment()."""

    def __init__(self, directory):
        self.file = directory / "clock"
        self.ahead = 0
        self.set(0)

    def set(self, seconds):
        """Whole, for the program may read it at any moment."""
        self.ahead = seconds
        temporary = self.file.with_suffix(".new")
        temporary.write_text(f"{seconds:+d}")
        temporary.rename(self.file)

    def now(self):
        return time.time() + self.ahead


@functools.cache
def movable_clock():
    """The library for the sanitized build."""
    path = pathlib.Path(BUILD, "movable-clock.so")
    new = path.with_suffix(f".{os.getpid()}")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", new, pathlib.Path(__file__).with_name("movable_clock.c")], check=True)
    new.rename(path)
    return path


def clock_environment(file, own=SANITIZED):
    """What makes a program take its wall clock from a file: libfaketime, or a library of our own where that does not work."""
    if own:
        return {"LD_PRELOAD": movable_clock(), "MOVABLE_CLOCK": file}
    return {"LD_PRELOAD": LIBFAKETIME, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def launcher(directory, name, boot_id=None, clock=None):
    """A program that is the daemon on another boot (its boot_id, or one that can't be read where that is empty) or with a clock
    that is as far off as the file `clock` says at the moment."""
    steps = 'exec "$@"'
    command = f'"{BINARY}"'
    if clock is not None:
        command = " ".join(["env", *(f'{name}="{value}"' for name, value in clock_environment(clock).items()), command])
    if boot_id is not None:
        file = directory / f"{name}.boot-id"
        file.write_text(boot_id)
        steps = f'mount --bind "{file}" {BOOT_ID} && {steps}'
        command = f"unshare -m sh -c '{steps}' sh {command}"
    path = directory / name
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


def other_boot(directory, digit=1, clock=None):
    return launcher(directory, f"boot{digit}", boot_id=f"{digit}" * 8 + "-0000-4000-8000-000000000000\n", clock=clock)


FLAGS_AT, FLOOR = 52, 4  # in the journal's head, which ends in a checksum


def fingerprint(data):
    """The checksum of base/fingerprint.h: eight bytes at a time, what is left over one by one."""
    value = 14695981039346656037
    whole = len(data) // 8 * 8
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    for word in [*words, *data[whole:]]:
        value = (value ^ word) * 1099511628211 % (1 << 64)
        value ^= value >> 32
    return value


def make_whole(configuration):
    """Makes a state directory that may vouch for all tokens, as any does a few minutes after its first start: without waiting,
    the first start is taken out of its head."""
    daemon = Daemon(configuration)
    daemon.expect("event=record-incomplete")
    daemon.start(ready=False)
    daemon.await_socket()
    daemon.finish()
    path = pathlib.Path(configuration.sections["state"]["dir"]) / "head"
    head = bytearray(path.read_bytes()[:-8])
    assert head[FLAGS_AT] & FLOOR, "the first start is not in the head: has its layout changed?"
    head[FLAGS_AT] &= ~FLOOR
    path.write_bytes(head + fingerprint(head).to_bytes(8, "little"))
    return configuration


# --- asking


def ask_all(path, pairs, undecided=True):
    """The answers to many logins, asked a few hundred at a time."""
    answers = []
    with LengthClient(path) as client:
        if undecided:
            assert client.ask(FEATURES) == YES
        for at in range(0, len(pairs), 200):
            block = pairs[at : at + 200]
            client.write(*(auth(user, token) for user, token in block))
            answers += client.answers(len(block))
    assert len(answers) == len(pairs)
    return answers


def present(daemon, pairs):
    return ask_all(daemon.socket, pairs)


def mint(configuration, count, first=0, **options):
    return [(jid(first + number), configuration.key.mint(jid(first + number), **options)) for number in range(count)]


def log_in(daemon, count, first=0):
    """So many fresh logins, all of them accepted; (user, token) of each."""
    pairs = mint(daemon.configuration, count, first)
    answers = present(daemon, pairs)
    assert answers == [YES] * count, f"{count - answers.count(YES)} of {count} fresh tokens were not accepted: {set(answers)}"
    return pairs


def never_again(daemon, pairs):
    """None of the tokens, all of them answered yes before, is accepted once more; how often each other answer came."""
    answers = present(daemon, pairs)
    assert YES not in answers, f"{answers.count(YES)} of {len(pairs)} spent tokens were accepted once more"
    return {answer: answers.count(answer) for answer in (NO, TRY_AGAIN)}


class Load(threading.Thread):
    """A client that logs in without end, some logins at a time, until its connection breaks."""

    def __init__(self, path, key, name, at_once):
        super().__init__(daemon=True)
        self.path, self.key, self.user, self.at_once = path, key, f"{name}@{HOST}", at_once
        self.accepted, self.denied, self.in_flight = [], [], []
        self.underway = threading.Event()

    def run(self):
        with LengthClient(self.path) as client:
            while True:
                tokens = [self.key.mint(self.user) for _ in range(self.at_once)]
                answers = []
                try:
                    client.write(*(auth(self.user, token) for token in tokens))
                except OSError:
                    pass
                data = client.receive(self.at_once * client.answer_size)
                answers = client.decode(data[: len(data) - len(data) % client.answer_size])
                for token, answer in zip(tokens, answers):
                    (self.accepted if answer == YES else self.denied).append((self.user, token))
                self.in_flight = [(self.user, token) for token in tokens[len(answers) :]]
                if self.in_flight:
                    return
                self.underway.set()


def start_load(daemon, count, at_once=(1, 3, 20, 64)):
    clients = [Load(daemon.socket, daemon.configuration.key, f"load{number}", at_once[number % len(at_once)])
               for number in range(count)]
    for client in clients:
        client.start()
    for client in clients:
        assert client.underway.wait(DEADLINE), "no logins"
    return clients


def end_load(clients):
    for client in clients:
        client.join(DEADLINE)
        assert not client.is_alive(), "a client hangs"


# --- the directory


def copy_state(source, target):
    """A copy of a state directory, modes and all."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target)
    target.chmod(0o700)


def kill_now(daemon):
    daemon.expected_status = -signal.SIGKILL
    daemon.process.send_signal(signal.SIGKILL)
    daemon.await_end()


def mount_tmpfs(path, size):
    path.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(path)], check=True)

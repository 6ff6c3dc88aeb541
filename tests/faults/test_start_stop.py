"""Starting and stopping, a process for each call that fails. A daemon that does not start says why; one that does is as good as any. What
was accepted before is never accepted again, whatever failed while it was written down or read."""

import os
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

import tally
from faults import FOREVER, HARMLESS, PEER_GONE, errors, first_of_each_site, functions, is_libraries_end
from harness import DEADLINE, confidential
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth
from harness.daemon import BINARY, REPORTS, environment
from harness.service_manager import HANDED_OVER
from injection import numbers
from once_support import copy_state
from served import ALICE, CUT_OFF, Site
from test_running import all_doors

# One that stops is waited for, for ten seconds and more.
AWHILE = {"flock": 3}
# OpenSSL asks for memory thousands of times, almost all of it before it knows its hashes.
MANY = 300
# A start is divided among so many tests, for they run at the same time.
SHARES = 4


class Place:
    """A state directory that is made anew for each start, and what was accepted with it."""

    def __init__(self, configuration, faults, start, directory):
        self.site = Site(all_doors(configuration), faults, start)
        self.faults, self.directory = faults, directory
        self.site.start()
        self.spent = [self.site.mint() for _ in range(3)]
        for token in self.spent:
            assert self.site.ask(LengthClient, auth(ALICE, token)) == [YES]
        self.site.daemon.stop()
        copy_state(directory / "state", directory / "kept")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(directory / "n.sock"))

    def fresh(self):
        copy_state(self.directory / "kept", self.directory / "state")

    def run(self, when_ready, activated=None):
        """Starts it, and stops it once it is ready: (exit status, log)."""
        command, more, kept = [BINARY, "-c", self.directory / "xmpp-authd.conf"], {}, ()
        if activated:
            kept = (activated.fileno(),)
            command = ["/usr/bin/python3", HANDED_OVER, "server", str(activated.fileno()), *command]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=kept,
                                   env={**environment(), **self.faults.environment, **more, "NOTIFY_SOCKET": str(self.directory / "n.sock")})
        log = b""
        os.set_blocking(process.stderr.fileno(), False)
        deadline = time.monotonic() + DEADLINE
        told = None
        while process.poll() is None and time.monotonic() < deadline:
            heard, _, _ = select.select([process.stderr], [], [], 0.7)
            log += (process.stderr.read() or b"") if heard else b""
            # The line that it is ready may be the one that could not be written.
            if told is None and (b" event=ready " in log or not heard):
                when_ready(process)
                process.send_signal(signal.SIGTERM)
                told = time.monotonic()
            # libevent's handler of a signal writes to a socket of its own; where that fails, the signal is lost.
            if told is not None and time.monotonic() > told + 5:
                self.faults.disarm()
                process.send_signal(signal.SIGTERM)
                told = time.monotonic()
        if process.poll() is None:
            process.kill()
        process.wait()
        log += process.stderr.read() or b""
        process.stderr.close()
        confidential.archive(log)
        while True:
            try:
                self.manager.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        return process.returncode, log

    def spent_again(self):
        answers = self.site.ask(LengthClient, *(auth(ALICE, token) for token in self.spent))
        return [answer for answer in answers if answer not in (NO, TRY_AGAIN, CUT_OFF)]


@pytest.fixture
def place(configuration, faults, start, directory):
    place = Place(configuration, faults, start, directory)
    yield place
    place.manager.close()


def some(count, stride, sites=()):
    if stride == 0:
        return [1]
    if count < MANY:
        return numbers(count, stride)
    if stride == 1 and sites:
        return first_of_each_site(sites)
    return [number for number in numbers(count, stride) if number <= 100 or number % (3 * stride) == 0]


@pytest.mark.parametrize("from_manager, share", [(False, share) for share in range(SHARES)] + [(True, None)],
                         ids=[f"alone {share + 1} of {SHARES}" for share in range(SHARES)] + ["activated"])
def test_calls_that_fail_while_it_starts(place, stride, from_manager, share):
    faults, wrong = place.faults, []
    listener = None
    if from_manager:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place.directory / "a.sock"))
        os.chmod(place.directory / "a.sock", 0o660)
        listener.listen(64)
        place.site.configuration.server(group=os.getegid())
        place.site.daemon.write_configuration()

    def attempt(name=None, error=None, number=1, times=1):
        place.fresh()
        answers = []

        def when_ready(_):
            faults.disarm()
            answers.append(place.spent_again())
            answers.append(place.site.login())

        if name:
            faults.arm(name, error, number, times)
        status, log = place.run(when_ready, listener)
        faults.disarm()
        return status, log, answers

    before = faults.calls()
    faults.trace()
    status, log, answers = attempt()
    sites = faults.sites()
    counts = {name: count - before[name] for name, count in faults.calls().items() if count > before[name]}
    assert status == 0 and answers == [[], YES], (log, answers)
    names = [name for name in counts if not from_manager or name in ("getsockopt", "getsockname", "fcntl", "fstat", "stat", "lstat", "sendto",
                                                                    "socket", "close", "epoll_ctl", "listen", "getrandom")]
    plan = [(name, error, number, times) for name in names for error in errors(name, stride)
            for number, times in [(number, 1) for number in some(counts[name], stride, sites.get(name))]
            + ([(1, AWHILE.get(name, FOREVER))] if error not in HARMLESS and stride else [])]
    for name, error, number, times in plan[share::SHARES] if share is not None else plan:
        status, log, answers = attempt(name, error, number, times)
        hits, where = faults.page.hits, faults.place()
        what = (name, error, number if times == 1 else "from then on", functions(BINARY, where))
        tally.count("start", name, hits if times == 1 else 1, where)
        if is_libraries_end(BINARY, status, log, where):
            continue
        if status not in (0, 1) or REPORTS.search(log):
            wrong.append((*what, f"exit status {status}", log[-300:]))
        if status == 1 and b"level=error" not in log and not faults.was_log() and name not in ("write", "poll"):
            wrong.append((*what, "no word of why", log[-300:]))
        if answers and answers[0]:
            wrong.append((*what, f"spent tokens got {answers[0]}", log[-300:]))
        if len(answers) == 2 and answers[1] not in (YES, NO, TRY_AGAIN):
            wrong.append((*what, f"it is ready and answers {answers[1]}", log[-600:]))
        if len(answers) == 2 and answers[1] != YES and b"record-incomplete" not in log and name not in ("write", "poll"):
            wrong.append((*what, f"{answers[1]} to a fresh token, and not a word why", log[-600:]))
        if error in HARMLESS and (status != 0 or answers != [[], YES]) and not faults.was_log():
            wrong.append((*what, f"status {status}, {answers} after a failure that is none", log[-600:]))
    if listener:
        listener.close()
    assert not wrong, f"{len(wrong)} things are wrong:\n" + "\n".join(map(str, wrong[:40]))


def test_calls_that_fail_while_it_stops(place, stride):
    """The next one knows what was spent."""
    faults, wrong = place.faults, []

    def attempt(name=None, error=None, number=1, times=1):
        place.fresh()
        token = place.site.mint()
        counts = {}

        def when_ready(_):
            assert place.site.ask(LengthClient, auth(ALICE, token)) == [YES]
            counts.update(faults.calls())
            if name:
                faults.arm(name, error, number, times)

        status, log = place.run(when_ready)
        counts = {call: count - counts[call] for call, count in faults.calls().items()}
        faults.disarm()
        after = []

        def then(_):
            after.append(place.site.ask(LengthClient, auth(ALICE, token))[0])
            after.append(place.spent_again())

        again = place.run(then)
        return status, log, counts, after, again

    status, log, counts, after, again = attempt()
    assert (status, after[0], after[1], again[0]) == (0, NO, [], 0), (log, after, again)
    for name, count in counts.items():
        for error in errors(name, stride) if count else []:
            steps = [(number, 1) for number in some(count, stride)]
            for number, times in steps + ([(1, AWHILE.get(name, FOREVER))] if error not in HARMLESS and stride else []):
                status, log, _, after, again = attempt(name, error, number, times)
                what = (name, error, number if times == 1 else "from then on", functions(BINARY, faults.place()))
                tally.count("stop", name, faults.page.hits if times == 1 else 1, faults.place())
                if status not in (0, 1) or REPORTS.search(log):
                    wrong.append((*what, f"exit status {status}", log[-300:]))
                if status == 1 and b"level=error" not in log and error not in PEER_GONE:
                    wrong.append((*what, "no word of why", log[-300:]))
                if not after or after[0] not in (NO, TRY_AGAIN) or after[1]:
                    wrong.append((*what, f"the next one answered {after}", again[1][-400:]))
    assert not wrong, f"{len(wrong)} things are wrong:\n" + "\n".join(map(str, wrong[:40]))

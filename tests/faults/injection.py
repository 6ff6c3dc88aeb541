"""The one procedure of all scenarios on a running daemon: a call fails, the scenario is played, and all must be well afterwards."""

import dataclasses
import time
import typing

import tally
from faults import FOREVER, HARMLESS, NAMES, NO_THREAD_MEMORY, PEER_GONE, errors, functions
from harness import DEADLINE
from harness.clients import NO, YES
from harness.daemon import BINARY
from served import NO_ANSWER, TOLD



@dataclasses.dataclass
class Scenario:
    name: str
    play: typing.Callable  # site -> what came of it, which can be compared
    prepare: typing.Callable = lambda site: None  # before a call is made to fail
    patient: bool = False  # libevent's clients: what it can't wait for is cut off after some seconds


def numbers(count, stride):
    """Which of so many calls are tried."""
    if stride == 0:
        return [1] if count else []
    return [number for number in range(1, count + 1) if stride == 1 or number <= 3 or number % stride == 0]


class Inquest:
    """Plays scenarios and collects what is wrong, to be told all at once."""

    def __init__(self, site, part, harmless_exempt=()):
        self.site, self.part, self.faults = site, part, site.faults
        self.wrong = []
        self.silent, self.spoke = {}, set()
        self.open_files = self.tries = 0
        # Calls that a scenario did not come to: how often a loop turns, and when something grows, is not always the same.
        self.missed = []
        self.harmless_exempt = harmless_exempt

    # --- what a scenario calls, and what comes of it

    def learn(self, scenario):
        """What it comes to where nothing fails, and how often each function is called."""
        most, least = dict.fromkeys(NAMES, 0), {}
        self.site.login()
        for _ in range(3):
            scenario.prepare(self.site)
            before = self.faults.calls()
            usual = scenario.play(self.site)
            after = self.faults.calls()
            self.settle()
            for name, count in after.items():
                most[name] = max(most[name], count - before[name])
                least[name] = min(least.get(name, count), count - before[name])
        self.least = least
        return usual, {name: count for name, count in most.items() if count}

    def settle(self):
        """Until the daemon has let go of what clients left behind."""
        self.site.control("status")

    def begin(self):
        # The journal's first file is open after the first login.
        self.site.login()
        self.settle()
        self.open_files = self.site.descriptors()

    def everything(self, scenario, stride):
        usual, counts = self.learn(scenario)
        self.begin()
        for name, count in counts.items():
            for error in errors(name, stride):
                # The log's lines of one kind are a few in ten seconds.
                self.faults.wind(11)
                for number in numbers(count, stride):
                    self.inject(scenario, usual, name, error, number)
                if stride and error not in ("EINTR", "EAGAIN"):
                    self.inject(scenario, usual, name, error, 1, FOREVER)
            self._gives_back((scenario.name, name))

    def inject(self, scenario, usual, name, error, number, times=1, for_its_line=False):
        site = self.site
        what = (scenario.name, name, error, number if times == 1 else "from then on")
        waits = scenario.patient and name == "epoll_ctl"
        for again in range(3):
            # The log's lines of one kind are a few in ten seconds.
            self.faults.wind(11 if again else 0)
            scenario.prepare(site)
            mark = len(site.daemon.raw)
            site.patience = 0.1 if times > 1 else 0.3 if waits else 10
            called = self.faults.calls()[name]
            self.faults.arm(name, error, number, times)
            came = scenario.play(site)
            hits = self.faults.disarm()
            called = self.faults.calls()[name] - called
            site.patience = 10
            # It came to other calls, or the error can't happen to those that it came to.
            if hits or called >= number or number > self.least.get(name, 0):
                break
        else:
            self.missed.append((*what, f"it was not called: {came}"))
        self.tries += 1
        if hits == 0:
            return
        place = self.faults.place()
        tally.count(self.part, name, hits if times == 1 else 1, place)
        if times == 1 and site.daemon.running() and not self._is_well(scenario, what, usual, came, place, mark, error, waits) and not for_its_line:
            self.faults.wind(11)
            self.inject(scenario, usual, name, error, number, for_its_line=True)
            return
        if not site.daemon.running():
            if not self._is_libcs_end():
                raise AssertionError((*what, "it is gone", functions(BINARY, place), site.daemon.raw[-20:]))
            self.begin()
            return
        self._recovers(what)
        self._is_as_before(scenario, usual, what, place)
        if site.ledger.wrong:
            self.wrong.append((*what, site.ledger.wrong[:3], functions(BINARY, place)))
            site.ledger.wrong.clear()

    def _is_libcs_end(self):
        """The thread of a reload looks for a group."""
        daemon = self.site.daemon
        daemon.expected_status = 127
        if daemon.await_end() != 127 or not daemon.raw[-1].startswith(NO_THREAD_MEMORY):
            return False
        daemon.raw.pop()
        self.site.start()
        return True

    # readv() and writev() are libevent's, which takes any failure for a peer's end.
    def _is_well(self, scenario, what, usual, came, place, mark, error, waits):
        """What is wrong is noted; false: there is no line in the log, which may be because there were too many of its kind."""
        if waits:
            return True
        if NO_ANSWER in (came, *came) and what[0] != "reload":
            self.wrong.append((*what, "no answer", functions(BINARY, place)))
        if came in (usual, TOLD) or self._is_lost_signal(what, place):
            return True
        if error in HARMLESS:
            if (what[0], what[1], error) not in self.harmless_exempt and not self.faults.was_log():
                self.wrong.append((*what, f"{came} where it should be {usual}", functions(BINARY, place)))
        elif error not in PEER_GONE and what[1] not in ("readv", "writev") and not self.faults.was_log():
            if not self.site.complains(mark, 0.02 if place in self.spoke or place in self.silent else 0.3):
                self.silent.setdefault(place, (*what, f"{came} in place of {usual}"))
                return place in self.spoke
            self.spoke.add(place)
        return True

    @staticmethod
    def _is_lost_signal(what, place):
        """libevent's handler of a signal writes to a socket of its own, and tells nobody where that fails."""
        return what[:3] == ("reload", "write", "ENOMEM") and not functions(BINARY, place).startswith("do_work")

    def _recovers(self, what):
        """A fresh token gets its yes."""
        begun = time.monotonic()
        while (answer := self.site.login()) != YES:
            if time.monotonic() - begun > DEADLINE / 3 or not self.site.daemon.running():
                raise AssertionError((*what, f"it answers {answer} for ever", self.site.daemon.raw[-20:]))
            time.sleep(0.01)
        self.recovered(begun, what)

    def _is_as_before(self, scenario, usual, what, place):
        """The scenario has its usual end again; what is first used after a failure may be what finds it out."""
        ends = []
        while (not ends or ends[-1] != usual) and len(ends) < 4:
            scenario.prepare(self.site)
            ends.append(scenario.play(self.site))
        if ends[-1] != usual:
            self.wrong.append((*what, f"afterwards {ends}, before {usual}", functions(BINARY, place)))

    def recovered(self, begun, what):
        tally.recovered(self.part, time.monotonic() - begun, what)

    def _gives_back(self, what):
        """No descriptor is left; clients over HTTP are looked after once a second."""
        begun = time.monotonic()
        while (now := self.site.descriptors()) > self.open_files:
            if time.monotonic() > begun + 8:
                self.wrong.append((*what, f"{now} descriptors, {self.open_files} before"))
                self.open_files = now
                return
            self.settle()
            time.sleep(0.02)
            if time.monotonic() > begun + 0.5:
                # More than any client is given; they are looked after once a second.
                self.faults.wind(11)
                time.sleep(1)

    # --- at the end

    def close(self):
        """Presents again what was accepted, before a restart and after it."""
        site = self.site
        presented = site.replays()
        site.daemon.stop()
        site.start()
        site.replays()
        self.wrong += [(self.part, wrong) for wrong in site.ledger.wrong]
        for place, what in self.silent.items():
            if place not in self.spoke:
                self.wrong.append((*what, "and not a word in the log", functions(BINARY, place)))
        if len(self.missed) > 2 + self.tries / 20:
            self.wrong += self.missed
        told = "\n".join(map(str, self.wrong[:60]))
        assert not self.wrong, f"{len(self.wrong)} things are wrong:\n{told}"
        return presented

"""Random histories of the daemon against a model of a few lines: a token is good once, in its window, unless its step is closed or
its user denied. Between two looks anything happens: restarts, crashes, clocks that are set, other windows and intervals. All
kinds of tokens take part, and what one kind closes is nothing to the others."""

import dataclasses
import random
import time

import pytest

from conftest import needs_root
from harness.clients import NO, YES
from harness.kinds import mint_jsxc, mint_v2, new_jsxc_secret
from harness.minter import Key
from once_support import CLOCK_CAN_BE_SET, Clock, QUIET, ROUNDS, jid, kill_now, launcher, make_whole, present, with_journal

pytestmark = [needs_root, pytest.mark.wrong_clocks, pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime")]
FORMATS = [(30, 0), (30, 1), (30, 5), (30, 10), (60, 1), (60, 7)]  # interval, window
SLACK = 3  # seconds within which the model does not say on which side of a moment something fell
STEPS = 120  # of a history


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a reload changes, and what a token's time is judged by."""

    interval: int = 30
    window: int = 10
    max_lifetime: int = 120
    jsxc_max_lifetime: int = 3600

    @property
    def lead(self):
        return self.window * self.interval


@dataclasses.dataclass(frozen=True)
class Token:
    user: str
    text: str
    interval: int
    step: int

    def is_good(self, moment, settings):
        return self.interval == settings.interval and abs(int(moment) // self.interval - self.step) <= settings.window

    @property
    def stretch(self):
        """What is closed when it is dropped, on the timeline of its kind."""
        return "v1", self.step * self.interval, (self.step + 1) * self.interval

    def over(self, settings):
        """When it may be dropped, at the earliest."""
        return (self.step + 1 + settings.window) * self.interval


@dataclasses.dataclass(frozen=True)
class TokenV2:
    user: str
    text: str
    issued: int
    lifetime: int

    def is_good(self, moment, settings):
        return self.issued - settings.lead <= int(moment) < self.issued + min(self.lifetime, settings.max_lifetime)

    @property
    def stretch(self):
        step = (self.issued + self.lifetime) // 30
        return "v2", step * 30, (step + 1) * 30

    def over(self, _):
        return self.stretch[2]


@dataclasses.dataclass(frozen=True)
class TokenJsxc:
    user: str
    text: str
    expiry: int

    def is_good(self, moment, settings):
        return self.expiry - settings.jsxc_max_lifetime - settings.lead <= int(moment) < self.expiry

    @property
    def stretch(self):
        return "jsxc", self.expiry // 60 * 60, self.expiry // 60 * 60 + 60

    def over(self, _):
        return self.stretch[2]


class Model:
    """What must be so, from the outside."""

    def __init__(self):
        self.settings = Settings()
        self.spent, self.denied = set(), set()
        self.shelves = {}  # stretch: until when it is kept by (wall clock, boot-time clock), at the least
        self.perhaps_closed = set()

    def expected(self, token, times):
        """The answers that may be given to it between two moments of the daemon's clock."""
        if token in self.spent or token.user in self.denied:
            return {NO}
        answers = {YES if token.is_good(moment, self.settings) else NO for moment in times}
        kind, begin, end = token.stretch
        is_perhaps_closed = any(kind == other and first < end and begin < last for other, first, last in self.perhaps_closed)
        return answers | {NO} if is_perhaps_closed else answers

    def spend(self, token, wall):
        self.spent.add(token)
        over = token.over(self.settings)
        kept = self.shelves.get(token.stretch, (over, 0))
        boot = time.clock_gettime(time.CLOCK_BOOTTIME) + over - wall
        self.shelves[token.stretch] = (max(kept[0], over), max(kept[1], boot))

    def pass_time(self, wall):
        """What the daemon may have dropped by now."""
        boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        for stretch, (over_wall, over_boot) in self.shelves.items():
            if wall + SLACK >= over_wall and boot + SLACK >= over_boot:
                self.perhaps_closed.add(stretch)


class History:
    def __init__(self, configuration, start, seed):
        self.configuration, self.start = configuration, start
        self.dice = random.Random(seed)
        self.model = Model()
        self.clock = Clock(configuration.directory)
        self.tokens, self.told = [], []
        self.jsxc_secret = new_jsxc_secret()
        configuration.host(accept="v1, v2, jsxc", jsxc_secret=self.jsxc_secret)
        self.program = launcher(configuration.directory, "movable", clock=self.clock.file)
        self.run()

    def run(self):
        self.daemon = self.start(program=self.program, ready=False).expect("event=minter-clock ")
        self.daemon.await_control()

    def now(self):
        return self.clock.now()

    # --- what can happen

    def mint(self):
        interval, far = self.model.settings.interval, self.model.settings.window + 2
        user, when = jid(self.dice.randrange(3)), self.now() + interval * self.dice.randint(-far, far)
        self.tokens.append(Token(user, self.key().mint(user, time=when), interval, int(when) // interval))

    def mint_v2(self):
        user, issued = jid(self.dice.randrange(3)), int(self.now()) + self.dice.randint(-100, 100)
        lifetime = self.dice.choice([1, 30, 60, 120, 600, 3600])
        self.tokens.append(TokenV2(user, mint_v2(self.key(), user, issued, lifetime), issued, lifetime))

    def mint_jsxc(self):
        user, expiry = jid(self.dice.randrange(3)), int(self.now()) + self.dice.randint(-200, 4200)
        self.tokens.append(TokenJsxc(user, mint_jsxc(self.jsxc_secret, user, expiry), expiry))

    def mint_any(self):
        self.dice.choice([self.mint, self.mint_v2, self.mint_jsxc])()

    def key(self):
        key = self.configuration.key
        return Key(key.seed, key.secret, interval=self.model.settings.interval)

    def mint_and_present(self):
        self.mint_any()
        self.check(self.tokens[-1:])

    def present_some(self):
        self.check(self.dice.sample(self.tokens, min(len(self.tokens), 8)))

    def present_spent(self):
        spent = [token for token in self.tokens if token in self.model.spent]
        self.check(self.dice.sample(spent, min(len(spent), 30)))

    def step_clock(self):
        self.model.pass_time(self.now())
        self.clock.set(self.dice.choice([0, 0, self.clock.ahead + self.dice.randint(-90, 90), 3600, -3600, 7200, 45, -45, 600]))

    def restart(self):
        self.daemon.finish()
        self.run()

    def crash(self):
        kill_now(self.daemon)
        self.run()

    def reload(self):
        interval, window = self.dice.choice(FORMATS)
        lifetime, jsxc_lifetime = self.dice.choice([5, 60, 120, 900]), self.dice.choice([60, 600, 3600, 10800])
        self.model.settings = Settings(interval, window, lifetime, jsxc_lifetime)
        self.configuration.host(otp_interval=interval, otp_window=window, max_lifetime=lifetime, jsxc_max_lifetime=jsxc_lifetime)
        done = int(self.daemon.status()["daemon"]["reloads"])
        self.daemon.write_configuration()
        self.daemon.signal(1)
        self.daemon.await_status(lambda status: int(status["daemon"]["reloads"]) > done)

    def deny_or_allow(self):
        user = jid(self.dice.randrange(3))
        if user in self.model.denied:
            assert self.daemon.control(f"allow {user}\n".encode()) == [f"allowed={user} was_denied=yes"]
            self.model.denied.remove(user)
        else:
            assert self.daemon.control(f"deny {user}\n".encode()) == [f"denied={user} until=forever"]
            self.model.denied.add(user)

    def check(self, tokens):
        before = self.now()
        answers = present(self.daemon, [(token.user, token.text) for token in tokens])
        after = self.now()
        self.model.pass_time(after)
        for token, answer in zip(tokens, answers):
            expected = self.model.expected(token, (before - 1, before, after, after + 1))
            assert answer in expected, f"{token} at {after}: {answer}, not {expected}; {self.model.settings}; {self.told[-30:]}"
            if answer == YES:
                self.model.spend(token, before)

    def go_on(self):
        happening, = self.dice.choices(
            [self.mint_and_present, self.mint_any, self.present_some, self.present_spent, self.step_clock, self.restart, self.crash,
             self.reload, self.deny_or_allow], [30, 10, 20, 15, 10, 4, 6, 5, 4])
        self.told.append(happening.__name__)
        happening()


@pytest.mark.parametrize("seed", range(ROUNDS or 4))
def test_a_history(configuration, start, seed):
    with_journal(configuration).set("log", **QUIET)
    history = History(make_whole(configuration), start, seed)
    for _ in range(STEPS):
        history.go_on()
    for ahead in (history.clock.ahead, 0):
        history.clock.set(ahead)
        history.check(history.tokens)
    assert len(history.model.spent) > STEPS / 20

"""Random histories of the daemon against a model of a few lines: a token is good once, in its window, unless its step is closed."""

import dataclasses
import random
import time

import pytest

from conftest import needs_root
from harness.clients import NO, YES
from once_support import CLOCK_CAN_BE_SET, QUIET, ROUNDS, jid, kill_now, launcher, make_whole, present, with_journal

pytestmark = [needs_root, pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime, and no sanitizers")]
INTERVAL = 30
SLACK = 3  # seconds within which the model does not say on which side of a moment something fell
STEPS = 120  # of a history


@dataclasses.dataclass(frozen=True)
class Token:
    user: str
    text: str
    step: int


class Model:
    """What must be so, from the outside."""

    def __init__(self):
        self.window = 10
        self.spent = set()
        self.shelves = {}  # step: until when it is kept by (wall clock, boot-time clock), at the least
        self.perhaps_closed = set()

    def expected(self, token, times):
        """The answers that may be given to it between two moments of the daemon's clock."""
        if token in self.spent:
            return {NO}
        answers = {YES if abs(int(moment) // INTERVAL - token.step) <= self.window else NO for moment in times}
        return answers | {NO} if token.step in self.perhaps_closed else answers

    def spend(self, token, wall):
        self.spent.add(token)
        over = (token.step + 1 + self.window) * INTERVAL
        kept = self.shelves.get(token.step, (over, 0))
        boot = time.clock_gettime(time.CLOCK_BOOTTIME) + over - wall
        self.shelves[token.step] = (max(kept[0], over), max(kept[1], boot))

    def pass_time(self, wall):
        """What the daemon may have dropped by now."""
        boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        for step, (over_wall, over_boot) in self.shelves.items():
            if wall + SLACK >= over_wall and boot + SLACK >= over_boot:
                self.perhaps_closed.add(step)


class History:
    def __init__(self, configuration, start, seed):
        self.configuration, self.start = configuration, start
        self.dice = random.Random(seed)
        self.model = Model()
        self.clock = configuration.directory / "clock"
        self.tokens, self.told = [], []
        self.ahead = 0
        self.set_clock()
        self.program = launcher(configuration.directory, "movable", clock=self.clock)
        self.run()

    def run(self):
        self.daemon = self.start(program=self.program, ready=False)
        self.daemon.await_socket()

    def now(self):
        return time.time() + self.ahead

    def set_clock(self):
        temporary = self.clock.with_suffix(".new")
        temporary.write_text(f"{self.ahead:+d}")
        temporary.rename(self.clock)

    # --- what can happen

    def mint(self):
        user, when = jid(self.dice.randrange(3)), self.now() + INTERVAL * self.dice.randint(-12, 12)
        self.tokens.append(Token(user, self.configuration.key.mint(user, time=when), int(when) // INTERVAL))

    def mint_and_present(self):
        self.mint()
        self.check(self.tokens[-1:])

    def present_some(self):
        self.check(self.dice.sample(self.tokens, min(len(self.tokens), 8)))

    def present_spent(self):
        spent = [token for token in self.tokens if token in self.model.spent]
        self.check(self.dice.sample(spent, min(len(spent), 30)))

    def step_clock(self):
        self.model.pass_time(self.now())
        self.ahead = self.dice.choice([0, 0, self.ahead + self.dice.randint(-90, 90), 3600, -3600, 7200, 45, -45, 600])
        self.set_clock()

    def restart(self):
        self.daemon.finish()
        self.run()

    def crash(self):
        kill_now(self.daemon)
        self.run()

    def reload(self):
        self.model.window = self.dice.choice([0, 1, 5, 10])
        self.configuration.host(otp_window=self.model.window)
        done = int(self.daemon.status()["daemon"]["reloads"])
        self.daemon.write_configuration()
        self.daemon.signal(1)
        self.daemon.await_status(lambda status: int(status["daemon"]["reloads"]) > done)

    def check(self, tokens):
        before = self.now()
        answers = present(self.daemon, [(token.user, token.text) for token in tokens])
        after = self.now()
        self.model.pass_time(after)
        for token, answer in zip(tokens, answers):
            expected = self.model.expected(token, (before - 1, before, after, after + 1))
            assert answer in expected, f"{token.step - int(after) // INTERVAL} steps ahead: {answer}, not {expected}; {self.told[-30:]}"
            if answer == YES:
                self.model.spend(token, before)

    def go_on(self):
        happening, = self.dice.choices(
            [self.mint_and_present, self.mint, self.present_some, self.present_spent, self.step_clock, self.restart, self.crash,
             self.reload], [30, 10, 20, 15, 10, 4, 6, 5])
        self.told.append(happening.__name__)
        happening()


@pytest.mark.parametrize("seed", range(ROUNDS or 4))
def test_a_history(configuration, start, seed):
    with_journal(configuration, interval=INTERVAL).set("log", **QUIET)
    history = History(make_whole(configuration), start, seed)
    for _ in range(STEPS):
        history.go_on()
    for ahead in (history.ahead, 0):
        history.ahead = ahead
        history.set_clock()
        history.check(history.tokens)
    assert len(history.model.spent) > STEPS / 10

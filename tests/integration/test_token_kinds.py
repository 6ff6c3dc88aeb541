"""Tokens of v2 and of JSXC's: taken where they are accepted, in their time, once, whatever comes in between."""

import time

import pytest

from conftest import needs_root
from harness.clients import NO, TRY_AGAIN, YES, auth
from harness.configuration import HOST
from harness.kinds import mint_jsxc, mint_v2, new_jsxc_secret
from harness.minter import Key
from once_support import CLOCK_CAN_BE_SET, kill_now, launcher, make_whole, other_boot, present, with_journal

ALICE = f"alice@{HOST}"
needs_clock = pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime, and no sanitizers")


class Minter:
    """All kinds for one user, made at a time; JSXC's for an hour."""

    def __init__(self, configuration):
        self.key, self.secret = configuration.key, new_jsxc_secret()
        configuration.host(accept="v1, v2, jsxc", jsxc_secret=self.secret)

    def mint(self, kind, at=None, user=ALICE):
        at = int(time.time() if at is None else at)
        if kind == "v1":
            return self.key.mint(user, time=at)
        return mint_v2(self.key, user, issued=at) if kind == "v2" else mint_jsxc(self.secret, user, at + 3600)


KINDS = ("v1", "v2", "jsxc")
NEW_KINDS = KINDS[1:]


@pytest.fixture
def minter(configuration):
    return Minter(configuration)


def reasons(daemon, jid=ALICE):
    user, host = jid.split("@")
    return [record["reason"] for record in daemon.events("verdict", user=user, host=host)]


def test_a_host_takes_v1_alone_unless_it_says_otherwise(configuration, minter, start):
    configuration.host(accept=None, jsxc_secret=None)
    daemon = start()
    assert [daemon.ask(auth(ALICE, minter.mint(kind))) for kind in KINDS] == [YES, NO, NO]
    daemon.verdict(ALICE, count=3)
    assert reasons(daemon) == ["allowed", "malformed", "malformed"]


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_a_token_is_good_once_and_for_its_user(minter, start, kind):
    daemon = start()
    token = minter.mint(kind)
    assert daemon.ask(auth(f"bob@{HOST}", token)) == NO
    assert daemon.ask(auth(ALICE, token), auth(ALICE, token)) == [YES, NO]
    assert daemon.ask(auth(ALICE, token)) == NO
    daemon.verdict(ALICE, count=3)
    assert reasons(daemon) == ["allowed", "replayed", "replayed"] and reasons(daemon, f"bob@{HOST}") == ["forged"]


def test_two_tabs_in_one_second_are_one_jsxc_token(minter, start):
    daemon = start()
    now = time.time()
    first, second, later = (minter.mint("jsxc", at) for at in (now, now, now + 1))
    assert daemon.ask(*(auth(ALICE, token) for token in (first, second, later))) == [YES, NO, YES]


def test_each_key_is_known_by_its_name_and_its_dates_count(configuration, minter, start):
    old, new = Key(), Key()
    configuration.set(f"key {HOST} old", **old.settings(), accept_until="2020-01-01T00:00:00Z")
    configuration.set(f"key {HOST} new", **new.settings())
    daemon = start()
    assert daemon.ask(*(auth(ALICE, mint_v2(key, ALICE)) for key in (old, new, minter.key, Key()))) == [NO, YES, YES, NO]
    daemon.verdict(ALICE, count=4)
    assert reasons(daemon) == ["key-retired", "allowed", "allowed", "forged"]
    assert [record.get("key") for record in daemon.events("verdict", user="alice")] == ["old", "new", None, None]
    assert daemon.control(b"keys\n")[2].split("key=")[1].startswith("new") and " uses=1 " in daemon.control(b"keys\n")[2]


def test_the_lifetime_is_cut_to_what_the_host_says(configuration, minter, start):
    configuration.host(max_lifetime="10s")
    daemon = start()
    now = int(time.time())
    assert daemon.ask(*(auth(ALICE, mint_v2(minter.key, ALICE, issued=now - age, lifetime=600)) for age in (1, 15))) == [YES, NO]
    daemon.verdict(ALICE, count=2)
    assert reasons(daemon) == ["allowed", "expired"]
    assert int(daemon.events("verdict", user="alice", reason="expired")[0]["clock_offset_s"]) in (-15, -16, -17)


def test_a_reload_that_takes_a_kind_away_takes_its_tokens_away(configuration, minter, start):
    daemon = start()
    assert [daemon.ask(auth(ALICE, minter.mint(kind))) for kind in KINDS] == [YES, YES, YES]
    configuration.host(accept="jsxc", otp_seed=None, token_secret=None)
    assert daemon.reload() == "reloaded"
    assert [daemon.ask(auth(ALICE, minter.mint(kind, time.time() + 5))) for kind in KINDS] == [NO, NO, YES]


# --- what is remembered


class Clock:
    """The daemon's wall clock, so many seconds ahead of ours."""

    def __init__(self, directory):
        self.file = directory / "clock"
        self.set(0)

    def set(self, ahead):
        self.ahead = ahead
        self.file.with_suffix(".new").write_text(f"{ahead:+d}")
        self.file.with_suffix(".new").rename(self.file)

    def now(self):
        return time.time() + self.ahead


@pytest.fixture
def clock(directory):
    return Clock(directory)


def journal(configuration, window=1):
    key = configuration.key
    with_journal(configuration, window=window)
    configuration.key = key
    configuration.host(key=key)
    return configuration


@needs_root
@pytest.mark.parametrize("kind", KINDS)
def test_what_may_have_been_spent_before_the_start_is_starting(configuration, start, kind):
    """The first start of all has no record. (How long that lasts is tests/unit/test_token_judge.c's.)"""
    minter = Minter(journal(configuration))
    daemon = start()
    daemon.expect("event=record-incomplete")
    # A minter whose clock is ahead may have made the second before the start, though it says otherwise.
    now = time.time()
    assert present(daemon, [(ALICE, minter.mint(kind, at)) for at in (now - 5, now + 5)]) == [TRY_AGAIN] * 2
    assert daemon.status()["replay"]["state"] == "starting"


@needs_root
@pytest.mark.parametrize("end", ["stopped", "killed"])
@pytest.mark.parametrize("kind", NEW_KINDS)
def test_a_restart_forgets_nothing(configuration, start, kind, end):
    make_whole(journal(configuration))
    minter = Minter(configuration)
    daemon = start()
    spent, fresh = minter.mint(kind), minter.mint(kind, time.time() + 3)
    assert present(daemon, [(ALICE, spent)]) == [YES]
    (daemon.finish if end == "stopped" else lambda: kill_now(daemon))()
    daemon = start()
    assert present(daemon, [(ALICE, spent), (ALICE, fresh), (ALICE, fresh)]) == [NO, YES, NO]


@needs_root
@pytest.mark.parametrize("kind", NEW_KINDS)
def test_a_crash_of_the_machine_makes_it_starting(configuration, directory, start, kind):
    make_whole(journal(configuration))
    minter = Minter(configuration)
    daemon = start(program=other_boot(directory, 1))
    spent, fresh = minter.mint(kind), minter.mint(kind, time.time() + 3)
    # Whole on this boot only after a stop in order: on this one the record begins.
    first = present(daemon, [(ALICE, spent)])
    kill_now(daemon)
    daemon = start(program=other_boot(directory, 2))
    daemon.expect("event=record-incomplete")
    answers = present(daemon, [(ALICE, spent), (ALICE, fresh)])
    assert YES not in answers and answers[1] == TRY_AGAIN and first in ([YES], [TRY_AGAIN])


@pytest.mark.parametrize("kind", ["v2", "jsxc"])
def test_tokens_in_time_say_nothing_of_a_clock_whatever_their_verdict(configuration, minter, start, kind):
    """Seconds old, by four users, and refused as spent: no minter's clock is off for that."""
    daemon = start()
    users = [f"user{number}@{HOST}" for number in range(4)]
    tokens = [(user, minter.mint(kind, at=time.time() - 40, user=user)) for user in users]
    for _ in range(3):
        for user, token in tokens:
            daemon.ask(auth(user, token))
    assert not daemon.events("minter-clock")
    assert all("clock_offset_s" not in record for record in daemon.events("verdict"))


@needs_root
@needs_clock
@pytest.mark.parametrize("kind, life", [("v2", 60), ("jsxc", 3600)])
def test_a_clock_that_is_put_back_opens_nothing(configuration, directory, clock, start, kind, life):
    """What is over by both clocks is dropped and closed, and settings that make such tokens good again change nothing of that."""
    make_whole(journal(configuration, window=0))
    minter = Minter(configuration)
    minter.life = life
    daemon = start(program=launcher(directory, "movable", clock=clock.file))
    token = mint_v2(minter.key, ALICE, issued=clock.now(), lifetime=1) if kind == "v2" else \
        mint_jsxc(minter.secret, ALICE, clock.now() + 2)
    assert present(daemon, [(ALICE, token)]) == [YES]
    clock.set(7200)
    assert present(daemon, [(ALICE, token)]) == [NO]
    clock.set(-10)
    configuration.host(otp_window=10, max_lifetime="15m", jsxc_max_lifetime="3h")
    assert daemon.reload() == "reloaded"
    assert present(daemon, [(ALICE, token)]) == [NO]
    kill_now(daemon)
    daemon = start(program=launcher(directory, "movable", clock=clock.file))
    assert present(daemon, [(ALICE, token)]) == [NO]


@needs_root
@needs_clock
def test_what_one_kind_closes_is_open_to_the_others(configuration, directory, clock, start):
    """v1 logins of a minute ago are forgotten and their time closed; a JSXC token of that minute is still good."""
    make_whole(journal(configuration, window=0))
    minter = Minter(configuration)
    configuration.host(otp_interval=1)
    minter.key.interval = 1
    daemon = start(program=launcher(directory, "movable", clock=clock.file))
    early = [minter.mint("jsxc", clock.now() - age) for age in range(3)] + [
        mint_v2(minter.key, ALICE, issued=clock.now() - age, lifetime=120) for age in range(3)]
    for _ in range(20):  # its second may end on the way
        if present(daemon, [(ALICE, minter.mint("v1", clock.now()))]) == [YES]:
            break
    spent = int(daemon.status()["replay"]["spent"])
    assert spent == 1
    daemon.await_status(lambda status: int(status["replay"]["spent"]) == 0)  # both clocks are beyond its second
    assert present(daemon, [(ALICE, token) for token in early]) == [YES] * len(early)

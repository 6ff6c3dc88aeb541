"""Settings are made shorter, and the record of what was spent under the longer ones is lost beside that: what they let in is not let in
again."""

import time

from harness import DEADLINE
from harness.clients import TRY_AGAIN, YES
from harness.configuration import Configuration
from once_support import kill_now, make_whole, mint, present, state_of, with_journal

INCOMPLETE = "event=record-incomplete"
LONG, SHORT = 8, 1  # steps of a second


def lose(configuration):
    for pattern in ("head", "count", "spent-*"):
        for path in state_of(configuration).glob(pattern):
            path.unlink()


def in_the_same_restart(start, configuration):
    kill_now(start(configuration))
    configuration.host(otp_window=SHORT)
    lose(configuration)
    return start(configuration).expect(INCOMPLETE)


def in_one_restart_and_the_record_is_lost_in_the_next(start, configuration):
    configuration.host(otp_window=SHORT)
    kill_now(start(configuration))
    lose(configuration)
    return start(configuration).expect(INCOMPLETE)


def by_a_reload_when_the_record_is_lost_already(start, configuration):
    lose(configuration)
    daemon = start(configuration).expect(INCOMPLETE)
    configuration.host(otp_window=SHORT)
    assert daemon.reload() == "reloaded"
    return daemon


def by_a_reload_and_the_record_is_lost_in_a_restart(start, configuration):
    daemon = start(configuration)
    configuration.host(otp_window=SHORT)
    kept = state_of(configuration) / "reach"
    before = kept.read_bytes()
    assert daemon.reload() == "reloaded"
    deadline = time.monotonic() + DEADLINE
    while kept.read_bytes() == before:
        assert time.monotonic() < deadline, "what was is not kept"
        time.sleep(0.02)
    kill_now(daemon)
    lose(configuration)
    return start(configuration).expect(INCOMPLETE)


WAYS = [in_the_same_restart, in_one_restart_and_the_record_is_lost_in_the_next, by_a_reload_when_the_record_is_lost_already,
        by_a_reload_and_the_record_is_lost_in_a_restart]


class Site:
    """A daemon whose settings were made shorter in one of these ways, and the tokens spent before, of some steps to come, as a minter
    whose clock is ahead makes them."""

    def __init__(self, way, start, directory):
        place = directory / f"site{WAYS.index(way)}"
        place.mkdir(mode=0o711)
        self.name, self.configuration = way.__name__, make_whole(with_journal(Configuration(place), interval=1, window=LONG))
        daemon = start(self.configuration).expect("event=minter-clock ")
        now = time.time()
        self.pairs = [pair for step in (4, 5, 6) for pair in mint(self.configuration, 1, first=step, time=now + step)]
        assert present(daemon, self.pairs) == [YES] * 3
        kill_now(daemon)
        self.daemon = way(start, self.configuration).expect("event=minter-clock ")
        self.over = now + 6 + SHORT + 1

    def logs_in(self):
        return present(self.daemon, mint(self.configuration, 1, first=20))[0]


def test_what_was_spent_under_the_longer_ones_is_not_let_in_again(start, directory):
    sites = [Site(way, start, directory) for way in WAYS]
    changed = time.time()
    assert [site.logs_in() for site in sites] == [TRY_AGAIN] * len(sites)
    while time.time() < sites[-1].over:
        for site in sites:
            assert YES not in present(site.daemon, site.pairs), f"{site.name}: spent twice"
        time.sleep(0.1)
    # And no longer than that: so far the settings before reached.
    while YES not in (answers := {site.logs_in() for site in sites}):
        assert answers == {TRY_AGAIN} and time.time() < changed + DEADLINE, "logins do not resume"
        time.sleep(0.1)
    assert time.time() > changed + LONG - 3

"""Hosts with windows of different lengths beside each other: what one of them has spent, and when its record goes, is no matter to the
others' tokens of the same time."""

import time

import pytest

from harness.clients import NO, YES, auth
from harness.minter import Key

SHORT, LONG = "short.example", "long.example"


@pytest.mark.parametrize("interval, window", [(1, 0), (1, 1), (2, 0)])
def test_a_login_at_a_host_with_a_short_window_closes_no_time_for_a_longer_one(start, configuration, interval, window):
    short, long = Key(interval=interval), Key()
    configuration.host(SHORT, short, otp_window=window)
    configuration.host(LONG, long, otp_window=10)
    daemon = start()
    now = time.time()
    late = long.mint(f"late@{LONG}", time=now)
    assert daemon.ask(auth(f"a@{SHORT}", short.mint(f"a@{SHORT}"))) == YES
    # Its window is over, and the tick that would drop its record has come.
    time.sleep(interval * (2 * window + 1) + 2.2)
    assert daemon.ask(auth(f"late@{LONG}", late)) == YES
    assert daemon.ask(auth(f"late@{LONG}", late)) == NO


def test_spent_tokens_are_kept_no_longer_than_the_widest_window_asks(start, configuration):
    short = Key(interval=1)
    configuration.host("example.org", short, otp_window=0)
    daemon = start()
    assert daemon.ask(auth("a@example.org", short.mint("a@example.org"))) == YES
    daemon.await_status(lambda status: status["replay"]["spent"] == "0")

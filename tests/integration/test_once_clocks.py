"""The wall clock jumps, and is put right again: no token is good twice, and only the steps in which logins were accepted are closed.
The real daemon with a clock that is set through a file; the boot-time clock goes on by itself."""

import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES
from once_support import CLOCK_CAN_BE_SET, Clock, kill_now, launcher, make_whole, mint, other_boot, present, state_of, with_journal

pytestmark = [needs_root, pytest.mark.wrong_clocks, pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime")]
HOUR = 3600


@pytest.fixture
def clock(directory):
    return Clock(directory)


@pytest.fixture
def program(directory, clock):
    return launcher(directory, "movable", clock=clock.file)


@pytest.fixture(params=["running", "restarted", "crashed"])
def go_on(request, start, program):
    """go_on(daemon): what happens between two settings of the clock."""
    def proceed(daemon):
        if request.param == "running":
            return daemon
        (daemon.finish if request.param == "restarted" else lambda: kill_now(daemon))()
        return start(program=program)

    return proceed


def accept(daemon, clock, count=5, first=0):
    """Fresh tokens of the present by the daemon's clock, all accepted."""
    pairs = mint(daemon.configuration, count, first, time=clock.now())
    assert present(daemon, pairs) == [YES] * count
    return pairs


def refused(daemon, pairs):
    answers = present(daemon, pairs)
    assert YES not in answers, f"{answers.count(YES)} of {len(pairs)} were accepted again"
    return answers


@pytest.fixture
def whole(configuration):
    return make_whole(with_journal(configuration))


def test_an_hour_ahead_and_put_right(whole, start, program, clock, go_on):
    """Logins accepted in the hour that was not yet there stay spent; fresh tokens pass at once, before and after."""
    daemon = start(program=program)
    before = accept(daemon, clock)
    clock.set(HOUR)
    during = accept(daemon, clock)
    refused(daemon, before)
    daemon = go_on(daemon)
    refused(daemon, during)
    during += accept(daemon, clock, first=10)
    clock.set(0)
    daemon = go_on(daemon)
    refused(daemon, before)
    accept(daemon, clock, first=20)
    # The hour comes.
    clock.set(HOUR)
    refused(daemon, during)
    daemon = go_on(daemon)
    refused(daemon, during)


def test_an_hour_back_and_put_right(whole, start, program, clock, go_on):
    daemon = start(program=program)
    before = accept(daemon, clock)
    clock.set(-HOUR)
    daemon = go_on(daemon)
    during = accept(daemon, clock)
    refused(daemon, before + during)
    clock.set(0)
    daemon = go_on(daemon)
    refused(daemon, before + during)
    accept(daemon, clock, first=10)


def test_a_start_with_a_wrong_clock(whole, start, program, clock):
    for wrong in (HOUR, -HOUR):
        clock.set(wrong)
        daemon = start(program=program)
        during = accept(daemon, clock)
        clock.set(0)
        refused(daemon, during)
        right = accept(daemon, clock, first=10)
        refused(daemon, right)
        kill_now(daemon)


def await_dropped(daemon, configuration):
    """Until all records are dropped and their files are gone."""
    daemon.await_status(lambda status: status["replay"]["spent"] == "0")
    deadline = time.monotonic() + DEADLINE
    while list(state_of(configuration).glob("spent-*")):
        assert time.monotonic() < deadline, "files are left over"
        time.sleep(0.05)


def in_steps(clock, interval):
    """Waits for the beginning of a step, for the arithmetic of steps to come."""
    time.sleep(interval - clock.now() % interval + 0.05)


def test_a_step_whose_records_are_dropped_is_closed_for_good(configuration, start, program, clock, go_on):
    """By both clocks the window is over; then the wall clock is put back. The other steps of that time are open."""
    interval = 3
    make_whole(with_journal(configuration, interval=interval, window=0))
    daemon = start(program=program)
    in_steps(clock, interval)
    moment = clock.now()
    spent = mint(configuration, 5, time=moment)
    unused = mint(configuration, 5, 5, time=moment - interval)
    assert present(daemon, spent) == [YES] * 5
    await_dropped(daemon, configuration)
    daemon = go_on(daemon)
    # Back into the very step, whatever time the restart took.
    back = moment - time.time()
    clock.set(round(back - 0.5))
    assert int(clock.now()) // interval in (int(moment) // interval, int(moment) // interval - 1)
    while int(clock.now()) // interval < int(moment) // interval:
        time.sleep(0.01)
    refused(daemon, spent)
    refused(daemon, mint(configuration, 5, 10, time=moment))
    if int(clock.now()) // interval == int(moment) // interval:
        assert daemon.status()["verdicts"]["auth", "replayed"] == 10
    daemon = go_on(daemon)
    clock.set(round(moment - interval - time.time()))
    assert_step(daemon, clock, configuration, unused, interval, int(moment) // interval - 1)


def assert_step(daemon, clock, configuration, pairs, interval, step):
    """Tokens of an unused step are accepted when the clock is in it."""
    while int(clock.now()) // interval > step:
        clock.set(clock.ahead - 1)
    while int(clock.now()) // interval < step:
        time.sleep(0.01)
    assert present(daemon, pairs) == [YES] * len(pairs)


def test_a_clock_that_runs_ahead_for_a_while_drops_nothing(configuration, start, program, clock):
    """Only the wall clock says that the windows are over."""
    make_whole(with_journal(configuration))
    daemon = start(program=program)
    spent = accept(daemon, clock, count=20)
    clock.set(HOUR)
    for _ in range(3):
        seen = float(daemon.status()["daemon"]["uptime_s"])
        daemon.await_status(lambda status: float(status["daemon"]["uptime_s"]) > seen)
    assert daemon.status()["replay"]["spent"] == "20"
    clock.set(0)
    assert refused(daemon, spent) == [NO] * 20
    accept(daemon, clock, first=20)


def test_a_slow_clock_put_right_does_not_open_it_early(configuration, start, program, clock):
    """The record is incomplete, and the clock an hour slow at the start: tokens minted before the start, by right clocks, are of steps
    that by the daemon's first clock lie an hour ahead."""
    with_journal(configuration)
    before = mint(configuration, 5, time=time.time())
    clock.set(-HOUR)
    daemon = start(program=program).expect("event=record-incomplete")
    assert set(present(daemon, mint(configuration, 2, time=clock.now()))) == {TRY_AGAIN}
    clock.set(0)
    assert set(present(daemon, before)) == {TRY_AGAIN}
    kill_now(daemon)
    daemon = start(program=program)
    assert set(present(daemon, before)) == {TRY_AGAIN}


def test_a_wider_window_reopens_nothing(configuration, start, program, clock):
    """Spent under a narrow window, with its record let go; a later login of the same step under a wide one keeps the step open."""
    interval = 4
    with_journal(configuration, interval=interval, window=1, after_restart="accept")
    daemon = start(program=program)
    in_steps(clock, interval)
    moment = clock.now()
    narrow = mint(configuration, 3, time=moment)
    assert present(daemon, narrow) == [YES] * 3
    configuration.host(otp_window=10)
    assert daemon.reload() == "reloaded"
    wide = mint(configuration, 3, 3, time=moment)
    assert present(daemon, wide) == [YES] * 3
    for ahead in (2 * interval, 4 * interval, 0):
        clock.set(ahead)
        refused(daemon, narrow + wide)
    kill_now(daemon)
    daemon = start(program=program)
    for ahead in (2 * interval, 4 * interval, 0):
        clock.set(ahead)
        refused(daemon, narrow + wide)


def test_another_interval_reopens_nothing(configuration, start):
    """The same step by other words: a token stays spent where the interval changes and changes back."""
    make_whole(with_journal(configuration, interval=30, window=10))
    daemon = start()
    spent = mint(configuration, 5)
    assert present(daemon, spent) == [YES] * 5
    for interval, window in ((60, 5), (30, 10)):
        configuration.host(otp_interval=interval, otp_window=window)
        assert daemon.reload() == "reloaded"
        refused(daemon, spent)
        kill_now(daemon)
        daemon = start()
        refused(daemon, spent)


def test_a_clean_stop_a_reboot_and_a_wrong_clock(whole, start, directory, clock):
    """Machines without a battery start in the past; what was spent before the reboot stays spent when the clock is right."""
    daemon = start()
    spent = accept(daemon, clock)
    daemon.finish()
    for number, wrong in enumerate((-HOUR, HOUR)):
        clock.set(wrong)
        daemon = start(program=other_boot(directory, 1 + number, clock=clock.file))
        accept(daemon, clock, first=10 * (number + 1))
        clock.set(0)
        refused(daemon, spent)
        spent += accept(daemon, clock, first=50 + 10 * number) if number == 0 else []
        daemon.finish()

"""The state directory after a power cut, damaged, mixed up with another's: what was answered yes is never answered yes again. Where the record may lack something, the daemon says so and refuses what it can't vouch for, for as long as it must."""

import calendar
import os
import shutil
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES
from once_support import (
    copy_state, kill_now, log_in, make_whole, mint, never_again, other_boot, present, state_of, with_journal)

pytestmark = needs_root
INCOMPLETE = "event=record-incomplete"


@pytest.fixture
def whole(configuration):
    return make_whole(with_journal(configuration))


class Site:
    """A state directory of three segments as a crash left it, and the tokens that are on record in it."""

    def __init__(self, configuration, start):
        self.configuration, self.start = configuration, start
        self.state = state_of(configuration)
        self.original = configuration.directory / "original"
        self.spent = []
        for run in range(3):
            daemon = start()
            self.spent += log_in(daemon, 8, first=8 * run)
            kill_now(daemon)
        copy_state(self.state, self.original)

    def segments(self):
        return sorted(self.original.glob("spent-*"))

    def judge(self, what, damage, complete=False, **options):
        """Starts on a damaged copy: never a second yes; either the record is complete and everything else is accepted, or the
        daemon has said that it is not, and can't decide about any token."""
        copy_state(self.original, self.state)
        damage(self.state)
        daemon = self.start(**options)
        if not complete:
            daemon.expect(INCOMPLETE)
        answers = never_again(daemon, self.spent)
        fresh = set(present(daemon, mint(self.configuration, 3)))
        said = daemon.events("record-incomplete")
        kill_now(daemon)
        if complete:
            assert not said and fresh == {YES} and answers[TRY_AGAIN] == 0, what
        else:
            assert said and fresh == {TRY_AGAIN} and answers[NO] == 0, what


@pytest.fixture
def site(whole, start):
    return Site(whole, start)


def test_an_untouched_copy_refuses_nothing(site):
    site.judge("untouched", lambda state: None, complete=True)


def test_files_cut_off_anywhere(site):
    for path in [site.original / "head", site.original / "count", *site.segments()]:
        size = path.stat().st_size
        # A segment: before, in and at the end of its header, and of its first, a middle and its last record.
        cuts = {0, 1, size // 2, size - 1}
        if path.name.startswith("spent-"):
            cuts |= {31, 32, 33, 32 + 39, 32 + 40, 32 + 41, 32 + 4 * 40, size - 40}
        for cut in sorted(cuts):
            site.judge(f"{path.name} cut off at {cut}", lambda state: os.truncate(state / path.name, cut))


def test_files_with_a_flipped_bit(site):
    for path in [site.original / "head", site.original / "count", *site.segments()[:2]]:
        content = path.read_bytes()
        stride = 1 if len(content) < 20 else 23
        for at in [*range(0, len(content), stride), len(content) - 1]:
            flipped = bytearray(content)
            flipped[at] ^= 1 << (at % 8)
            site.judge(f"a bit of {path.name}'s byte {at}", lambda state: (state / path.name).write_bytes(flipped))


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def test_files_gone_or_of_another_kind(site):
    first, middle, last = (path.name for path in site.segments())
    for name in ("head", "count", first, middle, last):
        site.judge(f"{name} gone", lambda state: (state / name).unlink())
        site.judge(f"{name} zeroed", lambda state: zero(state / name))
    for name in (first, middle, last):
        def swap(state):
            (state / name).unlink()
            os.mkfifo(state / name)
        site.judge(f"{name} a pipe", swap)
    site.judge("segments swapped", lambda state: (
        (state / first).rename(state / "x"), (state / last).rename(state / first), (state / "x").rename(state / last)))


def test_an_emptied_directory(site):
    def empty(state):
        for path in state.iterdir():
            path.unlink()

    site.judge("empty", empty)
    site.judge("gone", lambda state: shutil.rmtree(state))


def test_what_does_no_harm(site):
    """What a crash can leave beside the record, or what the daemon does not need."""
    site.judge("the lock gone", lambda state: (state / "lock").unlink(), complete=True)
    site.judge("half a new head", lambda state: (state / "head.new").write_bytes(b"xahead01\0\0"), complete=True)
    site.judge("a stranger's file", lambda state: (state / "spent-1").write_bytes(b"x" * 100), complete=True)
    last = site.segments()[-1]
    site.judge("half a record after the last", lambda state: (state / last.name).write_bytes(last.read_bytes() + b"x" * 30),
               complete=True)


def test_another_journals_files(site, configuration, start):
    other = configuration.directory / "other"
    shutil.rmtree(state_of(configuration))
    make_whole(configuration)
    daemon = start()
    log_in(daemon, 8)
    kill_now(daemon)
    copy_state(site.state, other)
    segment = next(other.glob("spent-*"))
    for name in ("head", "count"):
        site.judge(f"another's {name}", lambda state: shutil.copy(other / name, state / name))
    for path in site.segments():
        site.judge(f"another's segment as {path.name}", lambda state: shutil.copy(segment, state / path.name))
    site.judge("another's segment beside", lambda state: shutil.copy(segment, state / f"spent-{99:020}"))


# --- power cuts


def test_a_power_cut_after_a_yes_that_never_reached_the_disk(whole, start, directory):
    """The directory as the disk had it earlier, on another boot."""
    daemon = start()
    spent = log_in(daemon, 50)
    copies = []
    for number in range(4):
        copy_state(state_of(whole), directory / f"copy{number}")
        copies.append(directory / f"copy{number}")
        spent += log_in(daemon, 50)
    kill_now(daemon)
    for number, copy in enumerate(copies):
        copy_state(copy, state_of(whole))
        daemon = start(program=other_boot(directory)).expect(INCOMPLETE)
        assert never_again(daemon, spent) == {NO: 0, TRY_AGAIN: len(spent)}
        assert set(present(daemon, mint(whole, 3))) == {TRY_AGAIN}
        kill_now(daemon)


def test_a_power_cut_is_not_forgotten_by_further_starts(whole, start, directory):
    """Neither a crash, nor a clean stop, nor another boot opens what the first start had to close."""
    daemon = start()
    spent = log_in(daemon, 20)
    kill_now(daemon)
    daemon = start(program=other_boot(directory)).expect(INCOMPLETE)
    assert never_again(daemon, spent)[NO] == 0
    kill_now(daemon)
    for program in (other_boot(directory), other_boot(directory, 2)):
        daemon = start(program=program).expect(INCOMPLETE)
        assert never_again(daemon, spent)[NO] == 0
        daemon.finish()
        daemon = start(program=program)
        assert daemon.events("record-incomplete") == []
        assert never_again(daemon, spent)[NO] == 0
        assert set(present(daemon, mint(whole, 3))) == {TRY_AGAIN}
        kill_now(daemon)


def test_a_clean_stop_counts_on_the_next_boot(whole, start, directory):
    spent = []
    for digit in range(1, 4):
        daemon = start(program=other_boot(directory, digit))
        if spent:
            assert never_again(daemon, spent)[NO] == len(spent)
        spent += log_in(daemon, 20)
        daemon.finish()
    daemon = start()
    assert never_again(daemon, spent)[NO] == 60
    log_in(daemon, 20)


def test_the_mark_of_a_clean_stop_counts_once(whole, start, directory):
    """It is gone, on the disk, before the first yes of the next start."""
    daemon = start()
    log_in(daemon, 1)
    daemon.finish()
    daemon = start()
    copy_state(state_of(whole), directory / "ready")
    spent = log_in(daemon, 20)
    kill_now(daemon)
    copy_state(directory / "ready", state_of(whole))
    daemon = start(program=other_boot(directory)).expect(INCOMPLETE)
    assert never_again(daemon, spent)[NO] == 0
    kill_now(daemon)


def test_it_says_when_it_is_open_and_is_open_then(configuration, start, directory):
    """Short steps: every token of a step up to the start's plus the window is refused as starting, and the next is accepted."""
    with_journal(configuration, interval=2, window=1)
    daemon = start().expect(INCOMPLETE)
    replay = daemon.status()["replay"]
    assert replay["state"] == "starting"
    opens = calendar.timegm(time.strptime(replay["opens"], "%Y-%m-%dT%H:%M:%SZ"))
    started = calendar.timegm(time.strptime(daemon.status()["daemon"]["started"], "%Y-%m-%dT%H:%M:%SZ"))
    assert opens == (started // 2 + 2) * 2
    assert daemon.events("ready")[0]["refuses_tokens_minted_before"] == replay["opens"]
    deadline = time.monotonic() + DEADLINE
    number = 0
    while True:
        number += 1
        minted = time.time()
        answer = present(daemon, mint(configuration, 1, first=number, time=minted))[0]
        if minted >= opens:
            break
        assert answer == TRY_AGAIN, f"{opens - minted:.2f} s before it opens: {answer}"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer == YES
    assert daemon.status()["replay"]["state"] == "open"
    assert daemon.status()["verdicts"]["auth", "starting"] == number - 1
    # One of the last refused step is refused still, for it was minted before; it may be spent already.
    assert present(daemon, mint(configuration, 1, time=opens - 1)) == [TRY_AGAIN]


def test_accept_waives_it_and_says_so(configuration, start):
    daemon = start(with_journal(configuration, after_restart="accept"))
    assert len(daemon.events("record-incomplete", level="info")) == 1
    log_in(daemon, 3)
    assert daemon.status()["replay"]["state"] == "open"

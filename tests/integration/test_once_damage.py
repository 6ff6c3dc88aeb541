"""The state directory after a power cut, on a bad disk, on a full one, in the wrong hands: what was answered yes is never answered
yes again. Where the record may lack something, the daemon says so and refuses what it can't vouch for, for as long as it must."""

import calendar
import os
import shutil
import subprocess
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, isuser
from harness.daemon import Daemon
from once_support import (
    copy_state, kill_now, log_in, make_whole, mint, mount_tmpfs, never_again, other_boot, present, state_of, with_journal)

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


# --- disks


@pytest.fixture
def small_disk(configuration):
    """The state directory on a small file system of its own."""
    path = configuration.directory / "disk"
    mount_tmpfs(path, "512k")
    with_journal(configuration).set("state", dir=path / "state")
    make_whole(configuration)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def fill(disk):
    """Leaves no room; the file to remove to make room again."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler


def test_a_full_disk_is_no_yes_and_is_got_over(small_disk, configuration, start):
    daemon = start().expect("event=store-failed", "event=users-database-failed")
    spent = log_in(daemon, 30)
    filler = fill(small_disk)
    pairs = mint(configuration, 400, first=30)
    answers = present(daemon, pairs)
    assert TRY_AGAIN in answers and NO not in answers
    accepted = [pair for pair, answer in zip(pairs, answers) if answer == YES]
    undecided = [pair for pair, answer in zip(pairs, answers) if answer == TRY_AGAIN]
    assert set(present(daemon, undecided[-100:])) == {TRY_AGAIN}
    assert never_again(daemon, spent + accepted)[NO] == len(spent + accepted)
    # What is left of a page takes a few records: it can fail, recover and fail again, but is not reported for every login.
    failures = len(daemon.events("store-failed"))
    assert 1 <= failures <= 4
    filler.unlink()
    assert present(daemon, undecided) == [YES] * len(undecided)
    daemon.await_event("store-recovered", failures)
    assert len(daemon.events("store-failed")) == failures
    kill_now(daemon)
    daemon = start()
    assert never_again(daemon, spent + pairs)[NO] == 430


def test_a_disk_that_the_journal_itself_has_filled_is_got_over(configuration, start):
    """The segments that are over make the room, once they are over; nobody has to help."""
    path = configuration.directory / "disk"
    mount_tmpfs(path, "160k")
    try:
        with_journal(configuration, interval=2, window=0, after_restart="accept").set("state", dir=path / "state")
        daemon = start().expect("event=store-failed", "event=users-database-failed")
        deadline = time.monotonic() + DEADLINE
        pairs = accepted = []
        while TRY_AGAIN not in (answers := present(daemon, pairs)):
            accepted = accepted + [pair for pair, answer in zip(pairs, answers) if answer == YES]
            assert time.monotonic() < deadline, "the disk is large"
            pairs = mint(configuration, 400)
        accepted += [pair for pair, answer in zip(pairs, answers) if answer == YES]
        log_in_now(daemon, 100)
        daemon.await_event("store-recovered")
        never_again(daemon, accepted)
        kill_now(daemon)
        daemon = start().expect(INCOMPLETE)
        never_again(daemon, accepted)
        daemon.finish()
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_crash_on_a_full_disk(small_disk, configuration, start):
    daemon = start().expect("event=store-failed", "event=users-database-failed")
    spent = log_in(daemon, 30)
    filler = fill(small_disk)
    pairs = mint(configuration, 400, first=30)
    answers = present(daemon, pairs)
    spent += [pair for pair, answer in zip(pairs, answers) if answer == YES]
    kill_now(daemon)
    daemon = start(ready=False)
    assert daemon.await_end() == 1, "it starts though it can't record anything"
    daemon.expect("event=start-failed")
    daemon.expected_status = 1
    filler.unlink()
    daemon = start()
    assert never_again(daemon, spent)[NO] == len(spent)
    log_in(daemon, 30)


def test_a_read_only_disk(small_disk, configuration, start):
    daemon = start()
    spent = log_in(daemon, 30)
    kill_now(daemon)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    daemon = start(ready=False)
    assert daemon.await_end() == 1
    assert len(daemon.expect("event=start-failed").events("start-failed")) == 1
    daemon.expected_status = 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    daemon = start()
    assert never_again(daemon, spent)[NO] == 30
    log_in(daemon, 30)


def test_files_removed_under_the_running_daemon(whole, start):
    daemon = start()
    spent = log_in(daemon, 30)
    for path in state_of(whole).iterdir():
        path.unlink()
    pairs = mint(whole, 30, first=30)
    spent += [pair for pair, answer in zip(pairs, present(daemon, pairs)) if answer == YES]
    assert never_again(daemon, spent)[NO] == len(spent)
    kill_now(daemon)
    daemon = start().expect(INCOMPLETE)
    assert never_again(daemon, spent)[NO] == 0


# --- whose directory it is


def second(configuration, **server):
    """A daemon with a socket of its own, and the same state directory."""
    other = Daemon(configuration)
    other.path = configuration.directory / "second.conf"
    other.configuration = type(configuration)(configuration.directory, configuration.key)
    other.configuration.sections = {header: dict(settings) for header, settings in configuration.sections.items()}
    other.socket = configuration.directory / "second.sock"
    other.configuration.server(listen=other.socket, **server)
    other.configuration.set("control", listen=configuration.directory / "second-control.sock")
    return other


def test_a_second_daemon_is_refused_beside_a_living_one(whole, start):
    daemon = start()
    spent = log_in(daemon, 10)
    other = second(whole).expect("event=start-failed")
    other.expected_status = 1
    began = time.monotonic()
    other.start(ready=False)
    assert other.await_end() == 1
    assert time.monotonic() - began < 3, "it waits for a daemon that is not stopping"
    assert "another daemon" in other.events("start-failed")[0]["why"]
    other.finish()
    assert never_again(daemon, spent)[NO] == 10
    log_in(daemon, 10)


def test_a_second_daemon_waits_for_one_that_drains(whole, start):
    """A client that reads no answers holds the first one up, for as long as drain_timeout allows."""
    whole.server(drain_timeout="2s")
    daemon = start().expect("event=drain-timeout")
    spent = log_in(daemon, 10)
    with LengthClient(daemon.socket) as client:
        client.fill(daemon, isuser("alice@example.org"))
        daemon.process.terminate()
        daemon.await_event("draining")
        other = second(whole)
        try:
            other.start(ready=False)
            assert daemon.await_end() == 0
            other.await_event("ready")
            assert never_again(other, spent)[NO] == 10
            log_in(other, 10)
        finally:
            other.finish()


def test_a_reload_changes_neither_store_nor_directory(whole, start):
    daemon = start().expect("event=reload-failed", "event=configuration")
    spent = log_in(daemon, 10)
    for section, setting, value in (("replay", "store", "memory"), ("state", "dir", whole.directory / "elsewhere")):
        before = whole.sections[section][setting]
        whole.set(section, **{setting: value})
        assert daemon.reload() == "reload-failed"
        whole.set(section, **{setting: before})
        assert never_again(daemon, spent)[NO] == 10
    assert daemon.reload() == "reloaded"
    assert not (whole.directory / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_directory_that_others_may_look_into_is_refused(whole, start, mode):
    state_of(whole).chmod(mode)
    daemon = start(ready=False).expect("event=start-failed")
    assert daemon.await_end() == 1
    daemon.expected_status = 1
    assert "0700" in daemon.events("start-failed")[0]["why"]


# --- nothing is left over


def test_files_go_with_the_window(configuration, start):
    with_journal(configuration, interval=1, window=0, after_restart="accept")
    daemon = start()
    log_in_now(daemon, 20)
    assert len(list(state_of(configuration).glob("spent-*"))) == 1
    deadline = time.monotonic() + DEADLINE
    while list(state_of(configuration).glob("spent-*")):
        assert time.monotonic() < deadline, "files are left over after the window"
        time.sleep(0.05)
    assert daemon.status()["replay"]["spent"] == "0"
    names = {path.name for path in state_of(configuration).iterdir()}
    assert {name for name in names if not name.startswith("users.db")} == {"head", "count", "lock"}
    log_in_now(daemon, 20)
    kill_now(daemon)
    daemon = start()
    log_in_now(daemon, 1)


def log_in_now(daemon, count):
    """With steps of one second a token can be stale on arrival: tries until so many are in."""
    deadline = time.monotonic() + DEADLINE
    while count > 0:
        assert time.monotonic() < deadline
        count -= present(daemon, mint(daemon.configuration, count)).count(YES)

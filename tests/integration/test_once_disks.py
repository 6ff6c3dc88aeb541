"""The state directory on a full disk, a failing one, moved away, in the wrong hands: no yes that is not on record, no end, and
logins that resume by themselves where the directory is itself again. Nothing is left in it when it is over."""

import os
import pathlib
import subprocess
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, isuser
from harness.daemon import Daemon
from once_support import (
    kill_now, log_in, make_whole, mint, mount_tmpfs, never_again, present, state_of, with_journal)

pytestmark = [needs_root, pytest.mark.wrong_clocks]
INCOMPLETE = "event=record-incomplete"


@pytest.fixture
def whole(configuration):
    return make_whole(with_journal(configuration))


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


class FailingDisk:
    """An ext4 of its own that turns read-only at an error, as one on a bad disk does."""

    def __init__(self, directory):
        self.image, self.path = directory / "image", directory / "disk"
        self.path.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)
        if not self.mount():
            pytest.skip("no loop devices here")
        if not self.trigger().exists():
            self.unmount()
            pytest.skip("this kernel fails no ext4 on demand")

    def mount(self):
        return subprocess.run(["mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path)], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def unmount(self):
        """Until the kernel has let go of it: else it is mounted again as it was."""
        subprocess.run(["umount", str(self.path)], check=True)
        deadline = time.monotonic() + DEADLINE
        while subprocess.run(["losetup", "-j", str(self.image)], capture_output=True, check=True).stdout:
            assert time.monotonic() < deadline, "the loop device stays"
            time.sleep(0.01)

    def repair(self):
        """As a machine does where it mounts a disk that had errors."""
        subprocess.run(["e2fsck", "-fy", str(self.image)], check=False, capture_output=True)

    def trigger(self):
        device = os.path.basename(next(line.split()[0] for line in open("/proc/mounts") if f" {self.path} " in line))
        return pathlib.Path("/sys/fs/ext4", device, "trigger_fs_error")

    def fail(self):
        self.trigger().write_text("1")


@pytest.fixture
def failing_disk(directory):
    disk = FailingDisk(directory)
    yield disk
    disk.unmount()


def test_a_disk_that_turns_read_only_under_the_running_daemon(failing_disk, configuration, start):
    """No yes from then on, and no end: who exists is still answered. What the disk lost of the record it can't tell after it was
    mounted anew, so the operator takes the head away, as docs/operations.md says."""
    with_journal(configuration).set("state", dir=failing_disk.path / "state")
    configuration.host(isuser="seen")
    make_whole(configuration)
    daemon = start().expect("event=store-failed", "event=users-database-failed")
    spent = log_in(daemon, 30)
    failing_disk.fail()
    for first in (30, 60):
        assert set(present(daemon, mint(configuration, 30, first=first))) == {TRY_AGAIN}
    assert never_again(daemon, spent)[NO] == 30
    assert daemon.await_event("store-failed")["why"] == "Read-only file system"
    assert daemon.ask(isuser(spent[0][0]), isuser("nobody@example.org")) == [YES, NO]
    assert daemon.control(f"deny {spent[0][0]}\n".encode())[0].startswith("error=")
    kill_now(daemon)
    failing_disk.unmount()
    failing_disk.repair()
    assert failing_disk.mount()
    (failing_disk.path / "state" / "head").unlink(missing_ok=True)
    daemon = start().expect(INCOMPLETE)
    assert never_again(daemon, spent)[NO] == 0
    kill_now(daemon)


def test_a_directory_that_is_moved_away_and_put_back(whole, start):
    """Nothing is answered yes while the record is where no start would find it, and no denial is taken that would be lost."""
    daemon = start().expect("event=store-failed")
    spent = log_in(daemon, 10)
    state, away = state_of(whole), whole.directory / "away"
    state.rename(away)
    daemon.await_event("store-failed")
    pairs = mint(whole, 10, first=10)
    assert present(daemon, pairs) == [TRY_AGAIN] * 10
    assert "put it back" in daemon.control(b"deny alice@example.org\n")[0]
    # Another in its place changes nothing.
    state.mkdir(mode=0o700)
    assert present(daemon, pairs) == [TRY_AGAIN] * 10
    state.rmdir()
    away.rename(state)
    daemon.await_event("store-recovered")
    assert present(daemon, pairs) == [YES] * 10
    assert len(daemon.events("store-failed")) == 1
    assert never_again(daemon, spent + pairs)[NO] == 20
    assert daemon.control(b"deny alice@example.org\n") == ["denied=alice@example.org until=forever"]
    kill_now(daemon)
    daemon = start()
    assert never_again(daemon, spent + pairs)[NO] == 20


def test_a_disk_mounted_over_the_directory(whole, start):
    """As where a volume is attached late, or another one by mistake."""
    daemon = start().expect("event=store-failed")
    spent = log_in(daemon, 10)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(state_of(whole))], check=True)
    try:
        daemon.await_event("store-failed")
        assert present(daemon, mint(whole, 3, first=10)) == [TRY_AGAIN] * 3
    finally:
        subprocess.run(["umount", str(state_of(whole))], check=True)
    daemon.await_event("store-recovered")
    spent += log_in(daemon, 10, first=20)
    assert never_again(daemon, spent)[NO] == 20


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


def test_a_second_daemon_is_refused_where_somebody_removed_the_lock(whole, start):
    daemon = start()
    spent = log_in(daemon, 10)
    (state_of(whole) / "lock").unlink()
    other = second(whole).expect("event=start-failed")
    other.expected_status = 1
    other.start(ready=False)
    assert other.await_end() == 1
    assert "another daemon" in other.events("start-failed")[0]["why"]
    other.finish()
    spent += log_in(daemon, 10, first=10)
    kill_now(daemon)
    daemon = start()
    assert never_again(daemon, spent)[NO] == 20


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
    assert {name for name in names if not name.startswith("users.db")} == {"head", "count", "lock", "reach"}
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

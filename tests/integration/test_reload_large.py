"""SIGHUP where the configuration is large: it is read and freed beside the loop, which goes on answering."""

import signal
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, LineClient, auth, isuser
from harness.daemon import SANITIZED
from harness.minter import Key

HOSTS = 3_000


@pytest.fixture
def large(configuration):
    """So many hosts that reading them takes much longer than a few answers."""
    key = Key()
    for number in range(HOSTS):
        configuration.host(f"h{number}.example", key)
    configuration.set("log", level="info")
    return configuration


def outcomes(daemon):
    return len(daemon.events("reloaded")) + len(daemon.events("reload-failed"))


def answers_during_a_reload(daemon, client):
    """How many questions, one after the other, are answered before the reload is over."""
    done, count = outcomes(daemon), 0
    daemon.signal(signal.SIGHUP)
    while outcomes(daemon) == done:
        assert client.ask(isuser("alice@h7.example")) == YES
        count += 1
    return count


def test_questions_are_answered_while_a_configuration_is_read(large, start):
    daemon = start()
    with LineClient(daemon.socket) as client:
        # Where the machine has other things to do a reload may get the processor before the client does, but not each time.
        assert max(answers_during_a_reload(daemon, client) for _ in range(5)) >= 20


def test_a_change_while_the_file_is_read_is_not_lost(large, start):
    """The second signal comes while the first one's file is being read: what it is about may be too late for that."""
    daemon = start()
    for number in range(3):
        daemon.signal(signal.SIGHUP)
        large.host(f"late{number}.example", Key())
        daemon.write_configuration()
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGHUP)
        deadline = time.monotonic() + DEADLINE
        while daemon.ask(isuser(f"alice@late{number}.example")) == NO:
            assert time.monotonic() < deadline, "what was written before the last signal never counts"
            time.sleep(0.01)


def test_a_bad_file_then_a_good_one_while_the_bad_one_is_read(large, start):
    daemon = start().expect("event=configuration", "event=reload-failed")
    large.server(colour="blue")
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    large.server(colour=None)
    large.host("late.example", Key())
    done = daemon.reload()
    if done == "reload-failed":
        daemon.await_event("reloaded")
    assert daemon.ask(isuser("alice@late.example")) == YES


def test_keys_that_went_while_a_stale_token_had_its_table(large, start):
    """Whose calendars are shared by all keys: the old keys leave them before they are freed."""
    daemon = start()
    old = large.key
    stale = auth("alice@example.org", old.mint("alice@example.org", time.time() - 3600))
    for _ in range(3):
        assert daemon.ask(stale) == NO
        large.host(key=Key())
        assert daemon.reload() == "reloaded"
        assert daemon.ask(stale) == NO
        large.host(key=old)
        assert daemon.reload() == "reloaded"


@pytest.mark.parametrize("times", [1, 2], ids=["draining", "at once"])
def test_a_stop_while_a_configuration_is_read(large, start, times):
    daemon = start().expect("event=stopped-at-once")
    with LineClient(daemon.socket) as client:
        assert client.ask(isuser("alice@h7.example")) == YES
        daemon.signal(signal.SIGHUP)
        for _ in range(times):
            daemon.signal(signal.SIGTERM)
        assert client.rest() == []
    assert daemon.process.wait(DEADLINE) == 0


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer keeps what is freed")
def test_memory_stays_the_same_over_many_reloads(large, start):
    daemon = start()
    for _ in range(4):
        assert daemon.reload() == "reloaded"
    before = daemon.resident()
    for _ in range(8):
        assert daemon.reload() == "reloaded"
    assert daemon.resident() < before * 1.3

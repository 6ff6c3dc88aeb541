"""A token that was answered yes is spent, whatever moment the daemon is killed at; and what it had on record is enough to go on
at once, without refusing anything."""

import contextlib
import random
import subprocess

import pytest

from conftest import needs_root
from harness.clients import NO
from once_support import (
    QUIET, ROUNDS, end_load, kill_now, launcher, log_in, make_whole, never_again, present, start_load, state_of, with_journal)

pytestmark = needs_root


@pytest.fixture
def whole(configuration):
    """A journal that may vouch for all tokens; the log says only what is wrong."""
    with_journal(configuration).set("log", **QUIET)
    return make_whole(configuration)


def start_quietly(start, **options):
    daemon = start(ready=False, **options)
    daemon.await_socket()
    return daemon


def test_every_answered_token_is_spent_after_a_crash_under_load(whole, start):
    """The harness fails the test where a start finds the record incomplete: it would warn of it."""
    dice = random.Random(4)
    spent, accepted_before = [], 0
    for _ in range(ROUNDS or 20):
        daemon = start_quietly(start)
        clients = start_load(daemon, 6)
        clients[0].join(dice.uniform(0, 0.06))
        kill_now(daemon)
        end_load(clients)
        accepted = [pair for client in clients for pair in client.accepted]
        denied = [pair for client in clients for pair in client.denied]
        in_flight = [pair for client in clients for pair in client.in_flight]
        assert len(accepted) > 0 and denied == [], f"{len(denied)} valid tokens were denied under load"

        daemon = start_quietly(start)
        never_again(daemon, accepted)
        log_in(daemon, 20)
        # Nobody knows of those in flight; but they too are good once at the most.
        present(daemon, in_flight)
        assert present(daemon, in_flight) == [NO] * len(in_flight)
        spent = (spent + accepted + in_flight)[-20000:]
        never_again(daemon, spent)
        kill_now(daemon)
        accepted_before += len(accepted)
    daemon = start_quietly(start)
    never_again(daemon, spent)
    assert accepted_before > 20 * 6


def test_a_crash_while_it_starts_loses_nothing(whole, start):
    """Killed at any moment between its first instruction and its first answer."""
    dice = random.Random(5)
    daemon = start_quietly(start)
    spent = log_in(daemon, 100)
    kill_now(daemon)
    for _ in range(ROUNDS or 20):
        daemon = start(ready=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.process.wait(dice.uniform(0, 0.03))
        kill_now(daemon)
    daemon = start_quietly(start)
    assert never_again(daemon, spent)[NO] == 100
    log_in(daemon, 20)


def test_a_crash_right_after_the_answer(whole, start):
    """One login, and the kill is sent before anything else is done."""
    spent = []
    for number in range(ROUNDS or 10):
        daemon = start_quietly(start)
        spent += log_in(daemon, 1, first=number)
        kill_now(daemon)
    daemon = start_quietly(start)
    assert never_again(daemon, spent)[NO] == len(spent)


def test_a_crash_while_it_drains(whole, start):
    spent = []
    for _ in range(5):
        daemon = start_quietly(start)
        clients = start_load(daemon, 4)
        daemon.process.terminate()
        kill_now(daemon)
        daemon.expected_status = daemon.process.returncode
        end_load(clients)
        spent += [pair for client in clients for pair in client.accepted]
        assert [pair for client in clients for pair in client.denied] == []
    daemon = start_quietly(start)
    assert never_again(daemon, spent)[NO] == len(spent)


@pytest.mark.parametrize("boot_id", ["", "not a boot id\n"], ids=["empty", "short"])
def test_a_boot_that_has_no_name_counts_as_another(whole, start, directory, boot_id):
    nameless = launcher(directory, "nameless", boot_id=boot_id)
    daemon = start_quietly(start, program=nameless)
    spent = log_in(daemon, 10)
    daemon.finish()
    daemon = start_quietly(start, program=nameless)
    assert never_again(daemon, spent)[NO] == 10
    log_in(daemon, 10)
    kill_now(daemon)
    daemon = start_quietly(start, program=nameless).expect("event=record-incomplete")
    assert never_again(daemon, spent)[NO] == 0


def test_a_record_takes_at_most_64_bytes(whole, start):
    daemon = start_quietly(start)
    log_in(daemon, 1000)
    files = list(state_of(whole).glob("spent-*"))
    assert len(files) == 1
    assert sum(file.stat().st_size for file in files) <= 64 * 1000
    daemon.finish()
    assert sum(file.stat().st_size for file in files) <= 64 * 1000

"""Once means once for several daemons that share a Redis, whatever happens to it: no yes that was not recorded, an answer within
two seconds, logins that resume by themselves, and `starting` wherever the record may have lost something."""

import os
import pathlib
import signal
import socket
import threading
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth
from harness.configuration import HOST, Configuration
from harness.daemon import BINARY, SANITIZED
from harness.minter import Key
from redis_server import Redis

ALICE = f"alice@{HOST}"
# The issue is the order of things, not their number: a larger one is for longer runs.
RACE = int(os.environ.get("XMPP_AUTHD_RACE", "3000"))
ANSWER_WITHIN = 2.0


@pytest.fixture
def redis(directory):
    server = Redis(directory)
    yield server
    server.stop()


class Site:
    """A daemon that shares the Redis, and a client of it that understands could-not-decide."""

    def __init__(self, start, directory, redis, name="one", key=None, after_restart="accept", **options):
        place = directory / name
        place.mkdir(mode=0o711)
        self.configuration = Configuration(place, key or Key(interval=options.pop("interval", 30)))
        self.configuration.set("replay", store=options.pop("store", redis.store), after_restart=after_restart,
                               redis_password_file=options.pop("password_file", None))
        self.configuration.set("state", dir=place / "state")
        self.key = self.configuration.key
        self.daemon = start(self.configuration, **options)
        self.daemon.expect("event=store-failed", "event=record-incomplete")

    def ask(self, *questions):
        """The answers, within the promised time."""
        with LengthClient(self.daemon.socket) as client:
            begun = time.monotonic()
            answers = client.ask(b"features:tryagain", *questions)[1:]
            assert time.monotonic() - begun < ANSWER_WITHIN + 1.0, "an answer took too long"
        return answers

    def login(self, token=None):
        return self.ask(auth(ALICE, token or self.key.mint(ALICE)))[0]

    def await_login(self):
        """Logs in again and again, each time with a fresh token, as clients do."""
        deadline = time.monotonic() + DEADLINE
        while self.login() != YES:
            assert time.monotonic() < deadline, "logins do not resume"
            time.sleep(0.1)



def test_a_token_is_accepted_once_by_two_daemons_in_all(start, directory, redis):
    redis.start()
    one = Site(start, directory, redis)
    two = Site(start, directory, redis, "two", one.key)
    token = one.key.mint(ALICE)
    one.await_login()
    two.await_login()
    assert [one.login(token), two.login(token), one.login(token)] == [YES, NO, NO]


def test_two_daemons_race_for_the_same_tokens_and_each_is_accepted_exactly_once(start, directory, redis):
    redis.start()
    one = Site(start, directory, redis)
    two = Site(start, directory, redis, "two", one.key)
    one.await_login()
    two.await_login()
    questions = [auth(ALICE, one.key.mint(ALICE)) for _ in range(RACE)]
    answers = {}

    def present(site, name):
        with LengthClient(site.daemon.socket) as client:
            client.ask(b"features:tryagain")
            got = []
            for at in range(0, RACE, 200):
                got += client.ask(*questions[at : at + 200])
            answers[name] = got

    racers = [threading.Thread(target=present, args=pair) for pair in ((one, "one"), (two, "two"))]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(DEADLINE * 4)
    assert [sorted(pair) for pair in zip(answers["one"], answers["two"])] == [[NO, YES]] * RACE


def test_answers_keep_the_order_of_the_questions_while_redis_is_asked(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis)
    site.await_login()
    good = [site.key.mint(ALICE) for _ in range(3)]
    questions = [auth(ALICE, good[0]), b"nonsense", auth(ALICE, good[1]), auth(ALICE, good[0]), b"isuser:a:" + HOST.encode(),
                 auth(ALICE, good[2]), auth(ALICE, "forged")]
    assert site.ask(*questions) == [YES, NO, YES, NO, YES, YES, NO]


def test_redis_stopped_for_seconds_is_could_not_decide_and_then_logins_resume(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis)
    site.await_login()
    redis.signal(signal.SIGSTOP)
    token = site.key.mint(ALICE)
    assert site.login(token) == TRY_AGAIN
    site.daemon.await_event("verdict", reason="store-error")
    assert site.login() == TRY_AGAIN
    redis.signal(signal.SIGCONT)
    site.await_login()
    site.daemon.await_event("store-recovered")


def test_a_paused_redis_is_could_not_decide(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis)
    site.await_login()
    assert redis.command("CLIENT", "PAUSE", 2500) == b"+OK"
    assert site.login() == TRY_AGAIN
    site.await_login()


def test_a_killed_redis_without_persistence_lets_no_spent_token_in_again(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse", interval=2)
    site.await_login()
    spent = site.key.mint(ALICE)
    assert site.login(spent) == YES
    redis.kill()
    assert site.login() == TRY_AGAIN
    # Another daemon that never saw the token: Redis alone could tell, and it has forgotten.
    redis.start()
    other = Site(start, directory, redis, "two", site.key, after_restart="refuse")
    site.daemon.await_event("store-recovered")
    assert other.login(spent) != YES
    assert other.daemon.await_event("verdict", reason="starting")
    assert site.login(spent) != YES
    site.await_login()
    other.await_login()


@pytest.mark.parametrize("forget", ["FLUSHALL", "DEL xmpp-authd:record"], ids=["all keys gone", "the marker gone"])
def test_a_redis_that_lost_its_record_is_not_trusted(start, directory, redis, forget):
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse", interval=2)
    site.await_login()
    before = site.daemon.events("verdict", reason="starting")
    redis.command(*forget.split())
    deadline = time.monotonic() + DEADLINE
    while redis.command("EXISTS", "xmpp-authd:record") != b":1":
        assert time.monotonic() < deadline, "the loss is not noticed"
        time.sleep(0.1)
    # The floor is there since the marker is: what is minted now may have been spent, for all anybody knows.
    assert site.login() == TRY_AGAIN
    site.daemon.await_event("verdict", len(before) + 1, reason="starting")
    site.await_login()


def test_a_daemon_that_starts_beside_a_whole_record_refuses_nothing(start, directory, redis):
    redis.start()
    one = Site(start, directory, redis, after_restart="refuse", interval=2)
    one.await_login()
    two = Site(start, directory, redis, "two", one.key, after_restart="refuse")
    assert two.login() == YES


def test_a_replica_that_was_promoted_too_early_lets_nothing_in_again(start, directory, redis):
    redis.start()
    replica = Redis(directory, "replica", port=0)
    try:
        master_port = free_port()
        redis.stop()
        redis.start(port=master_port, bind="127.0.0.1")
        replica.start(replicaof=f"127.0.0.1 {master_port}", port=free_port(), bind="127.0.0.1")
        deadline = time.monotonic() + DEADLINE
        site = Site(start, directory, redis, after_restart="refuse", interval=2)
        site.await_login()
        while replica.command("EXISTS", "xmpp-authd:record") != b":1":
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(0.05)
        # It does not see what is spent from here on.
        replica.signal(signal.SIGSTOP)
        spent = site.key.mint(ALICE)
        assert site.login(spent) == YES
        redis.kill()
        replica.signal(signal.SIGCONT)
        assert replica.command("REPLICAOF", "NO", "ONE") == b"+OK"
        after = Site(start, directory, replica, "two", site.key, after_restart="refuse")
        assert after.login(spent) != YES
        assert after.daemon.await_event("verdict", reason="starting")
        after.await_login()
    finally:
        replica.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("name, settings, why", [
    ("out of memory", {"maxmemory": "200kb"}, "out of memory"),
    ("a policy that forgets", {"maxmemory-policy": "volatile-lru"}, "noeviction"),
    ("a read-only replica", {"replicaof": "127.0.0.1 1", "replica-serve-stale-data": "yes"}, "read-only"),
    ("a password that nobody gave", {"requirepass": "hunter2hunter2"}, "password"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_redis_that_cannot_record_is_could_not_decide(start, directory, redis, name, settings, why):
    redis.settings.update(settings)
    redis.start()
    site = Site(start, directory, redis)
    for _ in range(3):
        assert site.login() == TRY_AGAIN
    assert any(why in record["why"] for record in [site.daemon.await_event("store-failed")] + site.daemon.events("store-failed"))


def test_the_password_comes_from_its_file(start, directory, redis):
    redis.start(requirepass="a-good-long-word")
    file = directory / "password"
    file.write_text("a-good-long-word\n")
    file.chmod(0o600)
    Site(start, directory, redis, password_file=file).await_login()


def test_a_daemon_whose_clock_is_far_from_redis_decides_nothing(start, directory, redis):
    redis.start()

    site = Site(start, directory, redis)
    site.await_login()
    if SANITIZED:
        pytest.skip("libfaketime and AddressSanitizer do not share a process")
    # Not faketime(1), which stays between the signals and the daemon.
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    wrapper = directory / "late"
    wrapper.write_text(f"#!/bin/sh\nLD_PRELOAD={library} FAKETIME=+60s FAKETIME_DONT_FAKE_MONOTONIC=1 exec {BINARY} \"$@\"\n")
    wrapper.chmod(0o755)
    late = Site(start, directory, redis, "two", site.key, program=wrapper)
    token = late.key.mint(ALICE, time=time.time() + 60)
    assert late.login(token) == TRY_AGAIN
    assert "clock" in late.daemon.await_event("store-failed")["why"]

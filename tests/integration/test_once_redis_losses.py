"""A Redis that forgot what was spent: by a restart, by an operator, by a replica that was promoted too early, by its clock. Whatever
it was, nothing that may have been spent before is accepted, on no daemon, until it is too old; then logins resume by themselves."""

import os
import signal
import time

import pytest

from conftest import needs_root
from fake_redis import NIL, OK, FakeRedis, bulk
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth
from once_support import CLOCK_CAN_BE_SET, LONG, Clock, clock_environment, launcher
from redis_server import MARKER, Redis, free_port
from redis_site import ALICE, Site


def await_loss_found(site, asked):
    """After that many questions: one of them came upon the loss, or the look at Redis, every two seconds, a moment before them."""
    site.daemon.await_event("verdict", asked)
    reasons = {verdict["reason"] for verdict in site.daemon.events("verdict")[-asked:]}
    assert reasons <= {"store-error", "starting"}
    if "store-error" in reasons:
        site.daemon.await_event("store-recovered")


@pytest.fixture
def redis(directory):
    server = Redis(directory)
    yield server
    server.stop()


def test_a_fresh_redis_vouches_for_nothing_minted_before(start, directory, redis):
    redis.start()
    begun = time.time()
    one = Site(start, directory, redis, after_restart="refuse")
    one.refuses(one.key.mint(ALICE))
    two = Site(start, directory, redis, "two", one.key, after_restart="refuse")
    two.refuses(one.key.mint(ALICE))
    assert one.expect_floor(begun) == two.expect_floor(begun)


def test_a_daemon_that_starts_beside_a_whole_record_refuses_nothing(start, directory, redis):
    redis.start().vouch()
    one = Site(start, directory, redis, after_restart="refuse")
    spent = one.key.mint(ALICE)
    assert one.login(spent) == YES
    two = Site(start, directory, redis, "two", one.key, after_restart="refuse")
    assert [two.login(), two.login(spent)] == [YES, NO]


def test_a_killed_redis_without_persistence_lets_no_spent_token_in_again(start, directory, redis):
    redis.start().vouch()
    site = Site(start, directory, redis, after_restart="refuse")
    spent = site.key.mint(ALICE)
    assert site.login(spent) == YES
    redis.kill()
    assert site.login() == TRY_AGAIN
    # Another daemon that never saw the token: Redis alone could tell, and it has forgotten.
    killed = time.time()
    redis.start()
    other = Site(start, directory, redis, "two", site.key, after_restart="refuse")
    site.daemon.await_event("store-recovered")
    other.refuses(spent)
    assert site.login(spent) != YES
    site.expect_floor(killed)
    other.expect_floor(killed)


def test_a_killed_redis_that_kept_every_record_is_not_trusted_blindly_either(start, directory, redis):
    """With appendfsync always nothing is lost, but who could tell?"""
    redis.start(appendonly="yes", appendfsync="always").vouch()
    site = Site(start, directory, redis, after_restart="refuse")
    spent = site.key.mint(ALICE)
    assert site.login(spent) == YES
    redis.kill()
    redis.start()
    assert redis.command("EXISTS", MARKER) == b":1"
    other = Site(start, directory, redis, "two", site.key, after_restart="refuse")
    other.refuses(spent)


@pytest.mark.skipif(not LONG, reason="takes most of a minute")
def test_logins_resume_when_what_may_have_been_spent_is_too_old(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse", interval=2)
    opens = site.expect_floor(time.time())
    while time.time() < opens - 1:
        assert site.login() == TRY_AGAIN
        time.sleep(1)
    site.await_login()
    assert opens - 1 <= time.time() < opens + 5


@pytest.mark.parametrize("forget", ["FLUSHALL", f"DEL {MARKER}"], ids=["all keys gone", "the marker gone"])
def test_a_redis_that_lost_its_record_is_not_trusted(start, directory, redis, forget):
    redis.start().vouch()
    site = Site(start, directory, redis, after_restart="refuse")
    spent = site.key.mint(ALICE)
    assert site.login(spent) == YES
    other = Site(start, directory, redis, "two", site.key, after_restart="refuse")
    assert other.login() == YES
    lost = time.time()
    redis.command(*forget.split())
    site.expect_floor(lost)
    other.expect_floor(lost)
    other.refuses(spent)


def test_a_replica_that_was_promoted_too_early_lets_nothing_in_again(start, directory, redis):
    replica = Redis(directory, "replica", port=0)
    try:
        master_port = free_port()
        redis.start(port=master_port, bind="127.0.0.1")
        replica.start(replicaof=f"127.0.0.1 {master_port}", port=free_port(), bind="127.0.0.1")
        deadline = time.monotonic() + DEADLINE
        while b"master_link_status:up" not in replica.reply("INFO", "replication"):
            assert time.monotonic() < deadline, "the replica does not follow"
            time.sleep(0.05)
        # Its first replica gave the master another replication id.
        redis.vouch()
        site = Site(start, directory, redis, after_restart="refuse")
        assert site.login() == YES
        while replica.command("EXISTS", MARKER) != b":1":
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
        after.refuses(spent)
    finally:
        replica.stop()


def test_a_master_that_is_made_a_replica_is_left_and_found_again(start, directory, redis):
    """The connection stays, but whoever is the master now may be found at the same address: it is looked for anew."""
    redis.start().vouch()
    site = Site(start, directory, redis, after_restart="refuse")
    assert site.login() == YES
    assert redis.command("REPLICAOF", "127.0.0.1", "1") == b"+OK"
    assert site.login() == TRY_AGAIN
    assert site.daemon.await_event("store-failed")["why"] == "Redis is a read-only replica"
    assert site.login() == TRY_AGAIN
    demoted = time.time()
    assert redis.command("REPLICAOF", "NO", "ONE") == b"+OK"
    site.daemon.await_event("store-recovered")
    site.expect_floor(demoted)
    assert len(site.daemon.events("store-failed")) == 1


HOUR = 3600


@needs_root
@pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime")
@pytest.mark.parametrize("whose", ["redis", "everybody"])
def test_a_clock_that_runs_ahead_for_a_while_makes_redis_forget_too_early(start, directory, redis, whose):
    """Redis' own, or that of the machine that it shares with the daemons."""
    clock = Clock(directory)
    redis.environment = {**os.environ, **clock_environment(clock.file, own=True)}
    options = {"program": launcher(directory, "movable", clock=clock.file)} if whose == "everybody" else {}
    redis.start().vouch()
    one = Site(start, directory, redis, after_restart="refuse", **options)
    two = Site(start, directory, redis, "two", one.key, after_restart="refuse", **options)
    spent = one.key.mint(ALICE)
    assert [one.login(spent), two.login()] == [YES, YES]
    before, jumped = redis.reply("GET", MARKER), time.time()
    clock.set(HOUR)
    if whose == "redis":
        for site in (one, two):
            assert "clock" in site.daemon.await_event("store-failed")["why"]
    else:
        deadline = time.monotonic() + DEADLINE
        while redis.reply("GET", MARKER) == before:
            assert time.monotonic() < deadline, "nobody notices"
            time.sleep(0.05)
    assert redis.command("KEYS", "xmpp-authd:spent:*") == b"*0", "its clock has not made it forget"
    clock.set(0)
    for site in (one, two):
        site.daemon.await_status(lambda status: status["replay"]["state"] == "starting")
    two.refuses(spent)
    assert one.login(spent) != YES
    # Not an hour, by the clock that was wrong.
    for site in (one, two):
        site.expect_floor(jumped)
    three = Site(start, directory, redis, "three", one.key, after_restart="refuse", **options)
    three.refuses(spent)


def test_a_record_on_its_way_while_the_loss_is_found_out_is_held_against_it(start, directory):
    """The check was sent before the token, and says that all keys are gone: the token may have been among them."""
    redis = FakeRedis(directory / "fake.sock")
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse")
    assert site.login() == YES
    redis.marker, redis.held = NIL, True
    redis.await_waiting("GET")
    with LengthClient(site.daemon.socket) as client:
        client.ask(b"features:tryagain")
        client.write(auth(ALICE, site.key.mint(ALICE)))
        redis.await_waiting("SET")
        # Everything that waits is answered with the next command.
        redis.held = False
        client.write(auth(ALICE, site.key.mint(ALICE)))
        assert client.answers(2) == [TRY_AGAIN] * 2
    site.daemon.await_event("verdict", 2, reason="starting")


@pytest.mark.parametrize("reply", [b":1\r\n", b"+QUEUED\r\n", b"*0\r\n", b"$2\r\nOK\r\n", b"-ERR unknown command\r\n", b"\0\0\0"],
                         ids=["a number", "another status", "a list", "a string", "an error", "no protocol at all"])
def test_nonsense_is_no_yes(start, directory, reply):
    redis = FakeRedis(directory / "fake.sock")
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse")
    redis.set_reply = reply
    token = site.key.mint(ALICE)
    assert [site.login(token), site.login(token)] == [TRY_AGAIN] * 2
    redis.set_reply = OK
    site.await_login()


def test_a_replay_at_once_after_a_loss_is_no_yes(start, directory, redis):
    """Before anybody has looked: on a daemon that never saw the token."""
    redis.start().vouch()
    one = Site(start, directory, redis, after_restart="refuse")
    two = Site(start, directory, redis, "two", one.key, after_restart="refuse")
    spent = [one.key.mint(ALICE) for _ in range(5)]
    assert one.ask(*(auth(ALICE, token) for token in spent)) == [YES] * 5
    assert redis.command("FLUSHALL") == b"+OK"
    assert YES not in two.ask(*(auth(ALICE, token) for token in spent))
    await_loss_found(two, len(spent))
    assert YES not in two.ask(*(auth(ALICE, token) for token in spent))


def test_a_marker_that_another_daemon_wrote_anew_is_looked_at_before_anything_is_accepted(start, directory):
    """That daemon saw the loss first; what was spent before it is not known here."""
    redis = FakeRedis(directory / "fake.sock")
    redis.start()
    site = Site(start, directory, redis, after_restart="refuse")
    assert site.login() == YES
    redis.marker = bulk(f"1 aaaa bbbb 0 {int((time.time() + 30) * 1000)}")
    assert site.login() == TRY_AGAIN
    site.daemon.await_event("verdict", 2)
    await_loss_found(site, 1)
    site.refuses(site.key.mint(ALICE))

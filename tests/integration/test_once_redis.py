"""Once means once for several daemons that share a Redis: no yes that was not recorded, an answer within two seconds whatever happens
to Redis, and logins that resume by themselves."""

import os
import signal
import threading
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth
from harness.configuration import HOST
from harness.kinds import mint_jsxc, mint_v2, new_jsxc_secret
from harness.minter import Key
from once_support import CLOCK_CAN_BE_SET, Clock, launcher
from redis_server import Redis
from redis_site import ALICE, Site

# The order of things is what matters, not their number; `make check-long-once` takes more.
RACE = int(os.environ.get("XMPP_AUTHD_RACE", "3000"))


@pytest.fixture
def redis(directory):
    server = Redis(directory)
    yield server
    server.stop()


def test_a_token_is_accepted_once_by_two_daemons_in_all(start, directory, redis):
    redis.start()
    one = Site(start, directory, redis)
    two = Site(start, directory, redis, "two", one.key)
    token = one.key.mint(ALICE)
    one.await_login()
    two.await_login()
    assert [one.login(token), two.login(token), one.login(token)] == [YES, NO, NO]


@pytest.mark.parametrize("mint", [lambda one, _: mint_v2(one.key, ALICE), lambda _, secret: mint_jsxc(secret, ALICE, time.time() + 3600)],
                         ids=["v2", "jsxc"])
def test_a_token_of_another_kind_is_accepted_once_by_two_daemons_in_all(start, directory, redis, mint):
    redis.start()
    one = Site(start, directory, redis)
    two = Site(start, directory, redis, "two", one.key)
    secret = new_jsxc_secret()
    for site in (one, two):
        site.configuration.host(accept="v1, v2, jsxc", jsxc_secret=secret)
        assert site.daemon.reload() == "reloaded"
        site.await_login()
    token = mint(one, secret)
    assert [one.login(token), two.login(token), one.login(token)] == [YES, NO, NO]


@pytest.mark.parametrize("window", [0, 1, 10])
def test_a_token_stays_on_record_for_as_long_as_the_widest_window_that_a_reload_may_set(start, directory, redis, window):
    """Another daemon, or the next one, knows of no time that is closed: the record is all there is."""
    redis.start()
    site = Site(start, directory, redis)
    site.configuration.host(otp_window=window)
    assert site.daemon.reload() == "reloaded"
    site.await_login()
    keys = redis.strings("KEYS", "xmpp-authd:spent:*")
    assert all(int(redis.command("TTL", key)[1:]) > 15 * 60 for key in keys) and keys


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

    racers = [threading.Thread(target=present, args=pair, daemon=True) for pair in ((one, "one"), (two, "two"))]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(DEADLINE)
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


def test_a_wrong_password_is_could_not_decide(start, directory, redis):
    redis.start(requirepass="a-good-long-word")
    file = directory / "password"
    file.write_text("another-long-word\n")
    file.chmod(0o600)
    site = Site(start, directory, redis, password_file=file)
    assert site.login() == TRY_AGAIN
    assert "password" in site.daemon.await_event("store-failed")["why"]


@needs_root
@pytest.mark.skipif(not CLOCK_CAN_BE_SET, reason="needs libfaketime")
def test_a_daemon_whose_clock_is_far_from_redis_decides_nothing(start, directory, redis):
    redis.start()
    site = Site(start, directory, redis)
    site.await_login()
    clock = Clock(directory)
    clock.set(60)
    late = Site(start, directory, redis, "two", site.key, program=launcher(directory, "late", clock=clock.file))
    token = late.key.mint(ALICE, time=clock.now())
    assert late.login(token) == TRY_AGAIN
    assert "clock" in late.daemon.await_event("store-failed")["why"]
    clock.set(0)
    late.await_login()


def test_a_login_that_waits_while_its_host_is_removed_and_would_end_an_alert_names_nobody(start, directory, redis):
    """What is counted of a host outlives it for the sake of answers to come, and its name does not."""
    redis.start()
    site = Site(start, directory, redis)
    removed, key = "removed.example", Key()
    site.configuration.host(removed, key)
    assert site.daemon.expect("event=minter-clock ").reload() == "reloaded"
    site.await_login()
    jids = [f"{user}@{removed}" for user in ("alice", "bob", "carol")]
    stale = [auth(jid, key.mint(jid, time.time() - 3600)) for jid in jids]
    assert site.ask(*stale) == [NO] * 3
    site.daemon.await_event("minter-clock", host=removed)
    assert site.ask(*(auth(jid, key.mint(jid)) for jid in jids[:2])) == [YES] * 2
    with LengthClient(site.daemon.socket) as client:
        redis.signal(signal.SIGSTOP)
        client.write(auth(jids[2], key.mint(jids[2])))
        client.await_taken()
        del site.configuration.sections[f"host {removed}"]
        assert site.daemon.reload() == "reloaded"
        redis.signal(signal.SIGCONT)
        assert client.answers(1) == [YES]
    assert not site.daemon.events("minter-clock-recovered")
    assert site.ask(auth(jids[2], key.mint(jids[2]))) == [NO]

"""Denied users with a shared store: what an operator says on one daemon holds on all, whatever happens to the Redis between them."""

import signal
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, LengthClient, auth
from harness.configuration import HOST, Configuration
from harness.minter import Key
from redis_server import Redis
from test_users import Operator

ALICE, BOB = f"alice@{HOST}", f"bob@{HOST}"
EFFECTIVE_WITHIN = 1.0
SLACK = 2.0  # for a busy machine


@pytest.fixture
def redis(directory):
    server = Redis(directory)
    yield server.start()
    server.stop()


class Site:
    """A daemon that shares the Redis; they all have the same key."""

    key = None

    def __init__(self, start, directory, redis, name):
        self.start = start
        place = directory / name
        place.mkdir(mode=0o711)
        self.configuration = Configuration(place, self.key or Key())
        self.configuration.set("replay", store=redis.store, after_restart="accept").set("state", dir=place / "state")
        self.begin()

    def begin(self):
        self.daemon = self.start(self.configuration).expect("event=store-failed", "event=record-incomplete")
        self.operator = Operator(self.daemon)
        return self

    def login(self, jid=ALICE):
        return self.daemon.ask(auth(jid, self.configuration.key.mint(jid)))

    def await_login(self, jid=BOB):
        deadline = time.monotonic() + DEADLINE
        while self.login(jid) != YES:
            assert time.monotonic() < deadline, "logins do not resume"
            time.sleep(0.05)

    def await_denied(self, *users, within=DEADLINE):
        begun = time.monotonic()
        while set(self.operator.denied()) != set(users):
            assert time.monotonic() - begun < within, self.operator.denied()
            time.sleep(0.02)

    def await_shared(self):
        self.daemon.await_status(lambda status: "denials_unshared" not in status["daemon"])


@pytest.fixture
def sites(start, directory, redis, monkeypatch):
    """sites(count): so many daemons, each connected."""
    monkeypatch.setattr(Site, "key", Key())

    def make(count):
        made = [Site(start, directory, redis, f"site{number}") for number in range(count)]
        for site in made:
            site.await_login()
        return made

    return make


def test_a_denial_and_its_end_hold_on_every_daemon_within_a_second(sites):
    one, two, three = sites(3)
    one.operator.run("deny", ALICE)
    two.await_denied(ALICE, within=EFFECTIVE_WITHIN + SLACK)
    three.await_denied(ALICE, within=EFFECTIVE_WITHIN + SLACK)
    assert [site.login() for site in (one, two, three)] == [NO, NO, NO]
    assert two.daemon.verdict(ALICE)["reason"] == "revoked"
    three.operator.run("allow", ALICE)
    one.await_denied(within=EFFECTIVE_WITHIN + SLACK)
    assert [site.login() for site in (one, three)] == [YES, YES]


def test_the_latest_word_counts_wherever_it_was_said(sites):
    one, two = sites(2)
    for number in range(2):
        speaker, other = (one, two) if number % 2 else (two, one)
        speaker.operator.run("deny", ALICE, "--until", str(int(time.time()) + 1000 + number))
        other.await_denied(ALICE)
        other.operator.run("allow", ALICE)
        speaker.await_denied()
    one.operator.run("deny", ALICE)
    two.await_denied(ALICE)
    assert two.operator.denied() == {ALICE: "forever"}


def test_a_daemon_that_was_down_knows_before_it_lets_anybody_in(sites, redis):
    """A question that comes before Redis answers waits, and is not answered by what the daemon knew when it stopped."""
    one, two = sites(2)
    one.operator.run("deny", BOB)
    two.await_denied(BOB)
    two.daemon.stop()
    one.operator.run("deny", ALICE)
    one.operator.run("allow", BOB)
    one.await_shared()
    redis.signal(signal.SIGSTOP)
    two.begin()
    with LengthClient(two.daemon.socket) as early:
        early.write(auth(ALICE, two.configuration.key.mint(ALICE)))
        early.await_taken()
        redis.signal(signal.SIGCONT)
        assert early.answers(1) == [NO]
    two.await_denied(ALICE)
    assert two.login() == NO
    two.await_login(BOB)


@pytest.mark.parametrize("loss", ["flushed", "restarted empty"])
def test_a_redis_that_has_lost_it_lets_nobody_in_again(sites, redis, loss):
    one, two = sites(2)
    one.operator.run("deny", ALICE)
    two.await_denied(ALICE)
    if loss == "flushed":
        redis.command("FLUSHALL")
    else:
        redis.kill()
        redis.start()
    deadline = time.monotonic() + DEADLINE
    while redis.command("HEXISTS", "xmpp-authd:denied", ALICE) != b":1":
        assert one.login() == NO and time.monotonic() < deadline
        time.sleep(0.05)
    one.await_login()
    two.await_login()
    assert [site.login() for site in (one, two)] == [NO, NO]
    two.operator.run("allow", ALICE)
    one.await_denied()


def test_without_redis_a_denial_holds_here_and_is_told_once_it_is_back(sites, redis):
    one, two = sites(2)
    two.operator.run("deny", BOB)
    one.await_denied(BOB)
    redis.kill()
    assert one.operator.lines("deny", ALICE) == [{"denied": ALICE, "until": "forever"}]
    one.operator.run("allow", BOB)
    assert one.daemon.status()["daemon"]["denials_unshared"] == "2"
    one.daemon.kill()
    one.begin()
    assert list(one.operator.denied()) == [ALICE]
    redis.start()
    two.await_denied(ALICE)
    one.await_shared()
    assert list(one.operator.denied()) == [ALICE]


def test_a_denial_that_came_from_another_daemon_outlives_the_redis(sites, redis):
    one, two = sites(2)
    one.operator.run("deny", ALICE)
    two.await_denied(ALICE)
    two.daemon.stop()
    redis.kill()
    two.begin()
    assert list(two.operator.denied()) == [ALICE]


@pytest.mark.parametrize("name, words", [
    ("a value that is none", ["HSET", "xmpp-authd:denied", "carol@example.org", "nonsense"]),
    ("an older word", ["HSET", "xmpp-authd:denied", ALICE, "5 0"]),
    ("a negative time", ["HSET", "xmpp-authd:denied", ALICE, "-5 -5"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_nonsense_in_redis_lets_nobody_in(sites, redis, name, words):
    one, two = sites(2)
    one.operator.run("deny", ALICE)
    two.await_denied(ALICE)
    redis.command(*words)
    redis.command("INCR", "xmpp-authd:denied-revision")
    one.operator.run("deny", BOB)
    two.await_denied(ALICE, BOB)
    assert [site.login() for site in (one, two)] == [NO, NO]


def test_another_type_under_the_name_stops_logins_and_not_denials(sites, redis):
    """Who is denied elsewhere can't be known: nobody is let in until it can."""
    (one,) = sites(1)
    one.operator.run("deny", ALICE)
    one.await_shared()
    redis.command("DEL", "xmpp-authd:denied")
    redis.command("SET", "xmpp-authd:denied", "mine")
    redis.command("INCR", "xmpp-authd:denied-revision")
    one.daemon.await_event("store-failed", why="the denied users can't be read from Redis")
    assert one.login(BOB) == NO
    redis.command("DEL", "xmpp-authd:denied")
    one.await_login(BOB)
    assert one.login(ALICE) == NO


def test_many_denials_are_shared(sites, redis):
    one, two = sites(2)
    users = [f"user{number}@{HOST}" for number in range(600)]
    for user in users:
        one.daemon.control(b"deny " + user.encode() + b"\n")
    two.await_denied(*users)
    one.await_shared()


@pytest.mark.parametrize("others, of_bob", [(0, YES), (63, YES), (64, NO)])
def test_a_denial_catches_a_login_that_is_waiting_for_redis(sites, redis, others, of_bob):
    """Bob's is let in, unless there were more denials meanwhile than are kept in mind."""
    (one,) = sites(1)
    with LengthClient(one.daemon.socket) as client:
        redis.signal(signal.SIGSTOP)
        client.write(auth(ALICE, one.configuration.key.mint(ALICE)), auth(BOB, one.configuration.key.mint(BOB)))
        client.await_taken()
        for number in range(others):
            one.daemon.control(f"deny other{number}@{HOST}\n".encode())
        one.daemon.control(f"deny {ALICE}\n".encode())
        redis.signal(signal.SIGCONT)
        assert client.answers(2) == [NO, of_bob]
    assert one.daemon.verdict(ALICE)["reason"] == ("revoked" if of_bob == YES else "store-error")

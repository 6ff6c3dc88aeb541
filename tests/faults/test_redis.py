"""A daemon whose spent tokens are in a real Redis: each call that it makes for a login, for a denial, and to get its connection back fails
in turn. What is not on record is not answered yes, and logins resume by themselves."""

import time

import pytest

from faults import Faults
from harness.clients import YES, LengthClient, auth
from harness.configuration import HOST
from injection import Inquest, Scenario
from once_support import Clock, clock_environment
from redis_server import Redis
from served import ALICE, NO_ANSWER, Site

# What a daemon may wait before it tries to connect again, and for Redis, passes faster.
STEP = 0.25


class BothClocks(Faults):
    """Sets Redis' clock forward too: one that is wrong is a failure of its own."""

    def __init__(self, path, clock):
        super().__init__(path)
        self.clock = clock

    def wind(self, seconds):
        super().wind(seconds)
        self.clock.set(int(self.ahead()))


class RedisInquest(Inquest):
    def inject(self, scenario, *what, **more):
        resumes(self.site)
        super().inject(scenario, *what, **more)

    def _recovers(self, what):
        begun = time.monotonic()
        assert resumes(self.site) == YES, (*what, "logins do not resume", self.site.daemon.raw[-20:])
        self.recovered(begun, what)


def resumes(site, patience=10):
    """Logs in with one fresh token after the other, as clients do."""
    deadline = time.monotonic() + patience
    while (answer := site.login()) != YES and time.monotonic() < deadline and site.daemon.running():
        site.faults.wind(STEP)
        time.sleep(0.01)
    return answer


def twice(site):
    """The answers to one token on two connections, one after the other."""
    token = site.mint()
    return [site.ledger.note(token, site.ask(LengthClient, auth(ALICE, token))[0], site.now()) for _ in range(2)]


def connect_again(site):
    """Redis closes the connection."""
    site.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    return NO_ANSWER if (answer := resumes(site, site.patience)) != YES else answer


SCENARIOS = [
    Scenario("login", lambda site: site.login()),
    Scenario("twice", twice),
    Scenario("hostile", lambda site: site.hostile(LengthClient)),
    Scenario("connect again", connect_again),
    Scenario("tick", lambda site: (site.faults.wind(1.1), site.daemon.process.send_signal(18), site.login())[-1]),
    Scenario("deny", lambda site: site.control(f"deny mallory@{HOST}"), lambda site: site.control(f"allow mallory@{HOST}"), patient=True),
    Scenario("allow", lambda site: site.control(f"allow mallory@{HOST}"), lambda site: site.control(f"deny mallory@{HOST}"), patient=True),
]


@pytest.fixture
def redis(directory):
    server = Redis(directory)
    yield server
    server.stop()


@pytest.fixture
def site(configuration, start, directory, redis):
    clock = Clock(directory)
    redis.environment = {"PATH": "/usr/bin:/bin", **clock_environment(clock.file, own=True)}
    redis.start().vouch()
    configuration.set("replay", store=redis.store, after_restart=None)
    configuration.host(isuser="seen")
    configuration.set("state", dir=directory / "state")
    site = Site(configuration, BothClocks(directory / "faults", clock), start).start()
    site.redis = redis
    assert resumes(site) == YES
    return site


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_calls_that_fail_while_redis_keeps_the_record(site, stride, scenario):
    inquest = RedisInquest(site, "redis")
    inquest.everything(scenario, stride)
    assert inquest.close() > 0

"""A daemon that runs, with all doors open: each call that it makes for a question, a command or a reload fails in turn."""

import pytest

from harness.clients import LengthClient, LineClient
from harness.configuration import HOST
from injection import Inquest, Scenario
from once_support import make_whole, with_journal
from served import ALICE, Site

SECOND_HOST = "other.example"


def in_turn(site):
    """Another configuration than the one before: a host more, or less."""
    if f"host {SECOND_HOST}" in site.configuration.sections:
        del site.configuration.sections[f"host {SECOND_HOST}"]
    else:
        site.configuration.host(SECOND_HOST, key=site.key)
    site.daemon.write_configuration()


def next_segment(site):
    """The next login begins another file of the journal."""
    site.faults.wind(31)


SCENARIOS = [
    Scenario("line", lambda site: site.login(LineClient)),
    Scenario("length", lambda site: site.login(LengthClient)),
    Scenario("hostile", lambda site: site.hostile(LengthClient)),
    Scenario("saslauthd", lambda site: site.saslauthd()),
    Scenario("http", lambda site: site.http(), patient=True),
    Scenario("http isuser", lambda site: site.http("/user_exists", "alice"), lambda site: site.login(), patient=True),
    Scenario("new user", lambda site: site.login(LengthClient, f"user{len(site.ledger.accepted)}@{HOST}")),
    Scenario("reload", lambda site: site.reload(), in_turn),
    Scenario("segment", lambda site: site.login(LengthClient), next_segment),
    Scenario("tick", lambda site: (site.faults.wind(1.1), site.daemon.process.send_signal(18), site.login())[-1]),
    Scenario("status", lambda site: site.control("status"), patient=True),
    Scenario("keys", lambda site: site.control("keys"), patient=True),
    Scenario("why", lambda site: site.control(f"why {ALICE}"), patient=True),
    Scenario("deny", lambda site: site.control(f"deny mallory@{HOST}"), patient=True),
    Scenario("allow", lambda site: site.control(f"allow mallory@{HOST}"), lambda site: site.control(f"deny mallory@{HOST}"), patient=True),
    Scenario("denied", lambda site: site.control("denied"), patient=True),
    Scenario("users list", lambda site: site.control("users list"), lambda site: site.control(f"users import carol@{HOST}"), patient=True),
    Scenario("users import", lambda site: site.control(f"users import carol@{HOST} dave@{HOST}"),
             lambda site: (site.control(f"users forget carol@{HOST}"), site.control(f"users forget dave@{HOST}")), patient=True),
    Scenario("users forget", lambda site: site.control(f"users forget carol@{HOST}"),
             lambda site: site.control(f"users import carol@{HOST}"), patient=True),
    Scenario("metrics", lambda site: site.page("/metrics"), patient=True),
    Scenario("health", lambda site: site.page("/healthz"), patient=True),
    Scenario("readiness", lambda site: site.page("/readyz"), patient=True),
]


def all_doors(configuration):
    """A journal that vouches for all, users in SQLite, every protocol."""
    with_journal(configuration)
    configuration.host(isuser="seen")
    configuration.listener("cyrus", protocol="saslauthd", host=HOST)
    configuration.listener("web", protocol="http")
    configuration.set("http", listen=f"unix:{configuration.directory / 'm.sock'}")
    configuration.set("log", level="info")
    return make_whole(configuration)


@pytest.fixture
def site(configuration, faults, start):
    return Site(all_doors(configuration), faults, start).start()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_calls_that_fail_while_it_runs(site, stride, scenario):
    inquest = Inquest(site, "running")
    inquest.everything(scenario, stride)
    assert inquest.close() > 0

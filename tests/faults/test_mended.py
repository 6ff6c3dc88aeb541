"""What once crashed the daemon, or lost a client, where memory was refused: libevent's part of HTTP and of the control socket, a row of the
users' database, a connection to Redis. Every allocation of these fails, whatever the stride."""

import pytest

import test_redis
import test_running
from faults import FOREVER
from harness.configuration import HOST
from injection import Inquest
from test_redis import RedisInquest, redis  # noqa: F401

MEMORY = ["malloc", "calloc", "realloc", "bufferevent_socket_new", "evbuffer_new", "event_add"]


def scenario_of(scenarios, name):
    return next(scenario for scenario in scenarios if scenario.name == name)


def each(inquest, scenario, functions):
    """Each call alone, and all of them."""
    usual, counts = inquest.learn(scenario)
    for name in functions:
        for number in range(1, counts.get(name, 0) + 1):
            # The log's lines of one kind are a few in ten seconds.
            inquest.faults.wind(11)
            inquest.inject(scenario, usual, name, "ENOMEM", number)
        inquest.inject(scenario, usual, name, "ENOMEM", 1, FOREVER)
    assert inquest.close() > 0


@pytest.fixture
def running(configuration, faults, start):
    return test_running.Site(test_running.all_doors(configuration), faults, start).start()


redis_site = test_redis.site


@pytest.mark.parametrize("name", ["http", "health", "status"])
def test_a_client_without_memory(running, name):
    each(Inquest(running, "mended"), scenario_of(test_running.SCENARIOS, name), MEMORY)


def test_a_row_without_memory(running):
    inquest = Inquest(running, "mended")
    scenario = scenario_of(test_running.SCENARIOS, "users list")
    usual, counts = inquest.learn(scenario)
    assert counts["sqlite3_column_blob"] > 0
    for number in range(1, counts["sqlite3_column_blob"] + 1):
        inquest.inject(scenario, usual, "sqlite3_column_blob", "NOMEM", number)
    running.control(f"users forget carol@{HOST}")
    assert inquest.close() > 0


def test_a_connection_to_redis_without_memory(redis_site):  # noqa: F811
    scenario = scenario_of(test_redis.SCENARIOS, "connect again")
    each(RedisInquest(redis_site, "mended"), scenario, ["calloc", "redisAsyncConnectUnix", "redisAsyncCommand"])

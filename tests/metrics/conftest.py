"""A real Prometheus that scrapes a real daemon, both with traffic behind them, for all tests of a run."""

import pathlib
import shutil
import sys
import tempfile
import time

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))  # the daemon, clients, a minter

from harness import DEADLINE
from harness.clients import LengthClient, auth, isuser
from harness.configuration import Configuration
from harness.daemon import Daemon
from harness.minter import Key
from harness.web import free_port
from prometheus import Prometheus

ALICE = "alice@example.org"


@pytest.fixture(scope="session")
def directory():
    path = pathlib.Path(tempfile.mkdtemp(prefix="xa-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def daemon(directory):
    """With two hosts, a key that ends, a shared name space of users, and HTTP on a port."""
    configuration = Configuration(directory)
    configuration.set("http", listen=f"127.0.0.1:{free_port()}").set("state", dir=directory / "state")
    configuration.host(isuser="seen").host("chat.example", Key())
    configuration.set("key example.org 2027a", **Key().settings(), accept_until="2100-01-01T00:00:00Z")
    running = Daemon(configuration)
    running.start()
    yield running
    running.finish()


def login_round(daemon):
    """A login, the same again, a forged one, malformed ones, and whether users exist."""
    key = daemon.configuration.key
    token = key.mint(ALICE)
    with LengthClient(daemon.socket) as client:
        client.ask(auth(ALICE, token), auth(ALICE, token), auth(ALICE, Key().mint(ALICE)), auth("x@chat.example", "nonsense"),
                   isuser(ALICE), isuser("nobody@example.org"), isuser("x@chat.example"), auth("x@unknown.example", token))


@pytest.fixture(scope="session")
def prometheus(daemon, directory):
    """Stopped at the end; it has scraped the daemon several times while there was traffic."""
    port = int(daemon.configuration.sections["http"]["listen"].rsplit(":", 1)[1])
    running = Prometheus(directory, port)
    running.start()
    deadline = time.monotonic() + DEADLINE
    while running.single('count_over_time(xmpp_authd_verdicts_total{reason="forged",host="example.org"}[1m])') < 5:
        assert time.monotonic() < deadline, "it does not scrape"
        login_round(daemon)
        time.sleep(0.1)
    yield running
    running.stop()

"""Fixtures of the black-box tests of xmpp-authd: a directory for sockets, a configuration, daemons that are judged at the end."""

import os
import pathlib
import shutil
import tempfile

import pytest

from harness import confidential
from harness.clients import FRAMINGS
from harness.configuration import Configuration
from harness.daemon import Daemon


def pytest_configure(config):
    config.addinivalue_line("markers", "wrong_clocks: tokens of other times may be taken for a wrong clock")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes users and groups")


@pytest.fixture(scope="session", autouse=True)
def nothing_confidential_was_ever_written():
    """All that the daemons of all tests wrote, at debug level where a test does not ask for less, holds nothing of any of them."""
    yield
    found = confidential.traces_in_archive()
    assert not found, f"something confidential was written: {found[:3]}"


@pytest.fixture
def directory():
    """A directory with a short path, for a socket's address holds 107 bytes; others may look for sockets in it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="xa-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def configuration(directory):
    return Configuration(directory)


@pytest.fixture
def start(configuration, request):
    """start(...): a running daemon with the test's configuration; its end is part of the test."""
    daemons = []

    def start_daemon(own=None, **options):
        daemon = Daemon(own or configuration)
        if request.node.get_closest_marker("wrong_clocks"):
            daemon.expect("event=minter-clock ")
        daemons.append(daemon)
        return daemon.start(**options)

    yield start_daemon
    failures = []
    for daemon in daemons:
        try:
            daemon.finish()
        except (AssertionError, OSError) as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def daemon(start):
    """A daemon with the usual configuration."""
    return start()


@pytest.fixture(params=FRAMINGS, ids=lambda framing: framing.framing)
def framing(request):
    """A client's class, once for each framing."""
    return request.param

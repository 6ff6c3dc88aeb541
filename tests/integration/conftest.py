"""Fixtures of the black-box tests of xmpp-authd: a directory for sockets, a configuration, daemons that are judged at the end."""

import os
import pathlib
import shutil
import tempfile

import pytest

from harness.clients import FRAMINGS
from harness.configuration import Configuration
from harness.daemon import Daemon

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes users and groups")


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
def start(configuration):
    """start(...): a running daemon with the test's configuration; its end is part of the test."""
    daemons = []

    def start_daemon(own=None, **options):
        daemon = Daemon(own or configuration)
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

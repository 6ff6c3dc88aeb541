"""The other front doors, tried by the real things that use them. The daemon and its fixtures are those of tests/integration."""

import importlib.util
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "integration"), str(TESTS / "prosody"), str(TESTS / "e2e")]

_spec = importlib.util.spec_from_file_location("integration_conftest", TESTS / "integration" / "conftest.py")
_integration = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_integration)
directory, configuration, start = _integration.directory, _integration.configuration, _integration.start

from harness import confidential  # noqa: E402
from harness.configuration import HOST  # noqa: E402

PASSWORD = "5d9c1f0b7a3e42868c6f0d1e2b3a4958"


@pytest.fixture
def cyrus(configuration):
    """The path of a saslauthd listener."""
    return configuration.listener("cyrus", protocol="saslauthd", host=HOST)


@pytest.fixture
def web(configuration):
    """The path of an HTTP listener."""
    return configuration.listener("web", protocol="http")


@pytest.fixture
def network(configuration):
    """The port of an HTTP listener on loopback, for the user `chat` with PASSWORD."""
    from prosody_server import free_port

    port = free_port()
    confidential.keep(PASSWORD)
    configuration.set("listen network", address=f"127.0.0.1:{port}", protocol="http", http_user="chat", http_password=PASSWORD)
    return port

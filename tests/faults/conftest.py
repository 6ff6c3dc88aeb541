"""Fixtures of tests/integration, and what was made to fail."""

import importlib.util
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "integration"), str(TESTS / "doors"), str(TESTS / "faults")]

_spec = importlib.util.spec_from_file_location("integration_conftest", TESTS / "integration" / "conftest.py")
_integration = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_integration)
directory, configuration, start = _integration.directory, _integration.configuration, _integration.start

import tally  # noqa: E402
from faults import SHIM, Faults  # noqa: E402


def pytest_collection_modifyitems(items):
    if not SHIM.exists():
        for item in items:
            item.add_marker(pytest.mark.skip(reason="make faults builds the shim"))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = tally.take()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    tally.add(*node.workeroutput.get("faults", ([], [], {})))


def pytest_terminal_summary(terminalreporter):
    for line in tally.lines():
        terminalreporter.write_line(line)


@pytest.fixture
def faults(directory):
    return Faults(directory / "faults")


@pytest.fixture(scope="session")
def stride():
    """1: every call; else the first of each function in each scenario, and every so manieth; 0: the first alone."""
    return int(os.environ.get("XMPP_AUTHD_FAULT_STRIDE", "1"))

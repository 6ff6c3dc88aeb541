"""Fixtures of the doctor's tests: a site with the daemon's configuration, the programs, and a chat server's files."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from site_files import Site  # noqa: E402


@pytest.fixture
def site():
    """A directory under /run, where a chat server's systemd unit hides nothing."""
    made = Site()
    yield made
    made.remove()

"""A minter in each language that is at hand, and the real daemon."""

import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))  # the daemon

from harness.configuration import Configuration
from harness.daemon import Daemon

from languages import LANGUAGES, Program, missing_tools, required


@pytest.fixture(scope="session", params=LANGUAGES)
def program(request, tmp_path_factory):
    missing = missing_tools(request.param)
    if missing and request.param not in required():
        pytest.skip(f"there is no {missing[0]}")
    assert not missing
    return Program(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def daemon():
    """A daemon with the usual configuration; its end is part of the test."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="xa-", dir="/tmp"))
    daemon = Daemon(Configuration(directory))
    try:
        yield daemon.start()
        daemon.finish()
    finally:
        if daemon.running():
            daemon.kill()
        shutil.rmtree(directory)

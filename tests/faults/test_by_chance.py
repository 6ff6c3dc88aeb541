"""Tests of tests/integration as they are, while every twelfth call or so of the programs is interrupted, told to try again, or transfers
less than it could. All of it is allowed to happen at any moment, so whatever they hold must hold."""

import os
import re
import subprocess
import sys

import pytest

import tally
from conftest import TESTS
from faults import SHIM, Faults

FILES = ["protocol", "limits", "tokens", "token_kinds", "reload", "once_crash", "users", "control", "why", "http", "keys", "relay"]
# A client that does not read is cut off in the middle of an answer where one was sent in two; what stands behind a daemon's answer
# is no part of it where the relay reads the answer alone; and no kernel says that nothing is there to a look at what is.
NOT_HELD = "not (test_who_keeps_the_daemon_waiting_is_closed or test_silence_lateness_and_garbage_are_a_no or test_a_stale_yes)"
SEED = int(os.environ.get("XMPP_AUTHD_FAULT_SEED", "1"))


@pytest.mark.parametrize("file", FILES)
def test_interruptions_by_chance_change_nothing(directory, file):
    faults = Faults(directory / "page")
    faults.by_chance(SEED)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NOT_HELD,
                           TESTS / "integration" / f"test_{file}.py"],
                          env={**os.environ, "XMPP_AUTHD_PRELOAD": str(SHIM), "FAULT_PAGE": str(faults.path)}, capture_output=True, text=True,
                          check=False)
    chances = faults.chances()
    for name, hits in chances.items():
        tally.count("by chance", name, hits)
    assert done.returncode == 0, f"seed {SEED}: {done.stdout[-8000:]}{done.stderr[-1000:]}"
    assert sum(chances.values()) > 100 and re.search(r"\d+ passed", done.stdout), chances

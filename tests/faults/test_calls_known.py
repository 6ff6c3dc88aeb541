"""Which calls can fail is not guessed: each that the programs import is made to fail, or stands in others.txt with the reason why not."""

import fnmatch
import pathlib
import re
import subprocess

import pytest

from faults import HERE, NAMES
from harness.daemon import BUILD, SANITIZED

PATTERNS = [word for line in (HERE / "others.txt").read_text().splitlines() if not line.startswith("#")
            for word in line.split(": ", 1)[1].split()]


def plain(symbol):
    """The name without version, size or check."""
    name = re.sub(r"@.*|_\d\d$", "", symbol)
    name = re.sub(r"^__(.*)_chk$", r"\1", name)
    return name if name.startswith("sqlite3_") else re.sub("64$", "", name)


def imported(program):
    lines = subprocess.run(["nm", "-D", "--undefined-only", pathlib.Path(BUILD, program)], capture_output=True, text=True, check=True)
    return {plain(line.split()[-1]) for line in lines.stdout.splitlines()}


COUNTED = any(b"__llvm_profile" in path.read_bytes() for path in BUILD.glob("xmpp-*") if path.is_file())


@pytest.mark.skipif(SANITIZED or COUNTED, reason="the sanitizers and what counts for the coverage have imports of their own")
@pytest.mark.parametrize("program", ["xmpp-authd", "xmpp-authctl", "xmpp-extauth"])
def test_each_import_is_made_to_fail_or_has_a_reason_not_to(program):
    unknown = [name for name in imported(program) if name not in NAMES and not any(fnmatch.fnmatch(name, each) for each in PATTERNS)]
    assert not unknown, f"in neither fault_calls.def nor others.txt: {sorted(unknown)}"

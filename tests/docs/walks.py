"""Walking through a document: its commands, run in their order as on a machine of an operator's own (see sandbox)."""

import os
import re
import subprocess

import pytest

from documents import BUILD, ROOT

SANDBOX = ROOT / "tests" / "docs" / "sandbox"


def commands_of(block):
    """The commands of a fenced block: a line each, with the lines that a backslash at the end joins to it."""
    return re.findall(r"^.(?:.*\\\n)*.*$", block, flags=re.MULTILINE)


def walk(directory, steps, seconds=120, servers=False):
    """Runs the steps, each a piece of shell script, in one sandbox whose files are kept in directory: a list of
    (step, output, status). With servers ejabberd and Prosody are started for real, on a network of their own."""
    if os.geteuid() != 0:
        pytest.skip("mounting over /etc takes root")
    script = "".join(f"echo '@@ {i}'\n{step}\necho \"@@ status $?\"\n" for i, step in enumerate(steps))
    (directory / "script").write_text(script)
    (directory / "machine").mkdir()
    directory.chmod(0o755)
    result = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", *(["--net"] if servers else []),
         SANDBOX, directory / "machine", BUILD.resolve(), directory / "script"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
        cwd=ROOT, env={**os.environ, "SANDBOX_SERVERS": "yes" if servers else ""},
    )
    done = re.findall(r"^@@ (\d+)\n(.*?)^@@ status (\d+)\n", result.stdout, flags=re.DOTALL | re.MULTILINE)
    assert result.returncode == 0 and len(done) == len(steps), result.stdout
    print(result.stdout)
    return [(steps[int(number)], output, int(status)) for number, output, status in done]


def outputs(walked, word):
    """What the steps printed that have a word in them."""
    return [output for step, output, _ in walked if word in step]

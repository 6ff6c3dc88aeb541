"""The relay of `make static-relay` answers in an empty root directory, where there is nothing but it and the daemon's socket."""

import os
import shutil
import struct
import subprocess

import pytest
from conftest import needs_root
from harness import DEADLINE
from harness.clients import LengthClient, auth
from harness.configuration import HOST
from harness.daemon import TREE


def build(directory, compiler):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "SANITIZE"))}
    subprocess.run(["make", "-s", "-C", TREE, f"STATIC={directory}", f"STATIC_CC={compiler}", f"{directory}/xmpp-extauth"],
                   check=True, stdin=subprocess.DEVNULL, env=environment)
    return directory / "xmpp-extauth"


@pytest.mark.parametrize("compiler", ["gcc", "musl-gcc"])
@needs_root
def test_it_answers_in_an_empty_root(daemon, directory, compiler, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    program = build(tmp_path, compiler)
    headers = subprocess.run(["readelf", "--program-headers", "--dynamic", program], capture_output=True, text=True, check=True)
    assert "INTERP" not in headers.stdout and "NEEDED" not in headers.stdout
    root = directory / "root"
    root.mkdir()
    shutil.copy(program, root)
    os.link(daemon.socket, root / "auth.sock")
    token = daemon.configuration.key.mint(f"alice@{HOST}")
    questions = b"".join(LengthClient.encode(question) for question in [auth(f"alice@{HOST}", token)] * 2)
    result = subprocess.run(["chroot", root, "/xmpp-extauth", "/auth.sock"], input=questions, capture_output=True,
                            timeout=DEADLINE, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == struct.pack(">HHHH", 2, 1, 2, 0)
    assert daemon.await_event("verdict", 2)["reason"] == "replayed"

"""The images of packaging/Containerfile, built by buildah on a fresh Debian: what is in them, and that both do their work."""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TREE / "tests" / "packages"))
sys.path.append(str(TREE / "tests" / "integration"))

from debian import fresh
from harness.clients import LengthClient, auth
from harness.configuration import HOST, Configuration
from harness.daemon import Daemon

CONTAINERFILE = TREE / "packaging" / "Containerfile"
BASE = "localhost/base"
USER = 911  # as the Containerfile says
VERSION = re.search(r"^VERSION := (.*)$", (TREE / "Makefile").read_text(), re.MULTILINE)[1]


class Buildah:
    """Its storage is a directory of the test's own."""

    def __init__(self, directory):
        self.command = ["buildah", "--root", directory / "storage", "--runroot", directory / "run"]
        self.environment = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}

    def __call__(self, *arguments):
        result = subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False, cwd=TREE,
                                env=self.environment, timeout=900)
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
        return result.stdout.strip()

    def image(self, target):
        """Builds it: its root directory and its settings."""
        self("bud", "--layers", "--pull-never", "--network", "host", "--build-arg", f"BASE={BASE}", "--file", CONTAINERFILE,
             "--target", target, "--tag", target, ".")
        root = self("mount", self("from", "--pull-never", f"localhost/{target}"))
        return pathlib.Path(root), json.loads(self("inspect", "--type", "image", f"localhost/{target}"))["OCIv1"]["config"]


@pytest.fixture(name="buildah", scope="module")
def with_base():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="xa-images-", dir="/tmp"))
    buildah = Buildah(directory)
    try:
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, fresh("debian-bare", set()), "/")
        buildah("commit", "--quiet", container, BASE)
        yield buildah
    finally:
        subprocess.run([*buildah.command, "umount", "--all"], env=buildah.environment, capture_output=True, check=False)
        subprocess.run(["rm", "-rf", directory], check=True)


@pytest.fixture(name="relay", scope="module")
def build_relay(buildah):
    return buildah.image("relay")


@pytest.fixture(name="image", scope="module")
def build_daemon(buildah):
    return buildah.image("daemon")


class ContainedDaemon(Daemon):
    """The daemon of an image, in its root directory, with the files of the test's below it."""

    def __init__(self, root, directory):
        super().__init__(Configuration(directory))
        self.root = root

    def start(self):
        inside = {"server": {"listen": "/run/xmpp-authd/auth.sock", "group": "xmpp-authd-clients"}}
        self.configuration.sections.update(inside)
        self.write_configuration()
        os.chown(self.path, 0, USER)
        self.path.chmod(0o640)
        (self.root / "etc/xmpp-authd").mkdir()
        shutil.copy2(self.path, self.root / "etc/xmpp-authd")
        os.chown(self.root / "etc/xmpp-authd/xmpp-authd.conf", 0, USER)
        program = ["chroot", "--userspec", f"{USER}:{USER}", "--groups", "912", self.root, "/usr/sbin/xmpp-authd"]
        wrapper = self.directory / "start"
        wrapper.write_text("#!/bin/sh\nexec " + " ".join(map(str, program)) + "\n")
        wrapper.chmod(0o755)
        return super().start(program=wrapper)


def test_the_relays_image_is_one_file(relay):
    root, settings = relay
    assert [path.name for path in root.rglob("*")] == ["xmpp-extauth"]
    assert settings["Entrypoint"] == ["/xmpp-extauth"] and settings["User"] == f"{USER}:{USER}"


def test_the_daemons_image_has_no_configuration_no_compiler_and_runs_as_nobody_special(image):
    root, settings = image
    assert settings["User"] == "xmpp-authd" and settings["Entrypoint"] == ["/usr/sbin/xmpp-authd"]
    assert set(settings["Volumes"]) == {"/var/lib/xmpp-authd", "/run/xmpp-authd"}
    assert not (root / "etc/xmpp-authd").exists() and not (root / "usr/bin/gcc").exists()
    for program in ("/usr/sbin/xmpp-authd", "/usr/bin/xmpp-authctl"):
        version = subprocess.run(["chroot", "--userspec", f"{USER}:{USER}", root, program, "--version"], capture_output=True,
                                 text=True, check=True)
        assert version.stdout == f"{pathlib.Path(program).name} {VERSION}\n"


def test_the_relay_of_one_image_asks_the_daemon_of_the_other(relay, image, tmp_path):
    tmp_path.chmod(0o755)
    daemon = ContainedDaemon(image[0], tmp_path)
    try:
        daemon.start()
        # In place of a volume: the relay's image where the daemon's socket is.
        shutil.copy(relay[0] / "xmpp-extauth", image[0] / "run/xmpp-authd")
        token = daemon.configuration.key.mint(f"alice@{HOST}")
        questions = b"".join(LengthClient.encode(question) for question in [auth(f"alice@{HOST}", token)] * 2)
        command = ["chroot", "--userspec", f"{USER}:912", image[0] / "run/xmpp-authd", "/xmpp-extauth", "/auth.sock"]
        result = subprocess.run(command, input=questions, capture_output=True, timeout=60, check=True)
        assert result.stdout == struct.pack(">HHHH", 2, 1, 2, 0)
    finally:
        daemon.finish()

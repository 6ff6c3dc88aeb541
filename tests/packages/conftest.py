"""The packages, built twice with different versions, and a fresh Debian for each test."""

import os
import re
import shutil
import subprocess

import pytest

from debian import BASE, BUILD, TREE, Machine, copy_of, dependencies, fresh

OLDER = "0.0.1"


def built(directory):
    """The packages in a directory by their names, those of debugging symbols left out."""
    return {path.name.split("_")[0]: path for path in directory.glob("*.deb") if "-dbgsym" not in path.name}


def build(version, directory):
    """The unit tests have run elsewhere."""
    subprocess.run([TREE / "tools" / "deb", version, directory], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck"})
    return built(directory)


@pytest.fixture(name="version", scope="session")
def makefile_version():
    return re.search(r"^VERSION := (.*)$", (TREE / "Makefile").read_text(), re.MULTILINE)[1]


@pytest.fixture(name="packages", scope="session")
def build_packages(version):
    return build(version, BUILD / "deb")


@pytest.fixture(name="older_packages", scope="session")
def build_older_packages():
    return build(OLDER, BUILD / "deb-older")


@pytest.fixture(name="root", scope="session")
def make_root(packages):
    return fresh("debian", {*BASE, *dependencies(packages.values())})


@pytest.fixture(name="machine")
def make_machine(root, packages, request):
    """A Debian with the packages in its /packages, not installed yet; the older ones in /older where a test asks for them."""
    sets = {"packages": packages}
    if "older_packages" in request.fixturenames:
        sets["older"] = request.getfixturevalue("older_packages")
    with copy_of(root) as copy:
        for name, paths in sets.items():
            (copy / name).mkdir()
            for path in paths.values():
                shutil.copy(path, copy / name)
        yield Machine(copy)

"""One site with its servers and one headless Chromium for the session; alice and bob come and go with each test."""

import os
import pathlib
import re
import subprocess

import pytest

from chromium import Chromium, Person
from site_servers import Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD") or ROOT / "build").resolve()
PACKAGES = BUILD / "web"


@pytest.fixture(scope="session")
def build():
    return BUILD


@pytest.fixture(scope="session")
def packages():
    """Where the npm packages are; and the screenshots that tests keep."""
    subprocess.run([ROOT / "tools/install-web-packages", PACKAGES], check=True)
    return PACKAGES


@pytest.fixture(scope="session")
def running_site(packages):
    it = Site(BUILD)
    try:
        it.run()
        yield it
        written = "\n".join(line for name in it.servers for line in it.log_lines(name))
        secrets = re.findall(r"= (\S+)", (it.directory / "secrets.cfg").read_text())
        assert len(secrets) == 2
        assert not [secret for secret in [*secrets, *it.passwords.values()] if secret in written], "a secret in a log"
        assert not re.search(r"\d{40} ", written), "a token in a log"
    finally:
        it.stop()


@pytest.fixture
def site(running_site):
    """The site; a test fails if one of its servers complains."""
    before = len(running_site.complaints())
    yield running_site
    running_site.proxy.come_up()
    complaints = running_site.complaints()[before:]
    assert not complaints, "a server complains:\n" + "\n".join(complaints)


@pytest.fixture(scope="session")
def chromium(packages):
    it = Chromium(packages)
    yield it
    it.close()


@pytest.fixture
def alice(chromium, site):
    person = Person(chromium, site, "alice")
    yield person
    person.leaves()


@pytest.fixture
def bob(chromium, site):
    person = Person(chromium, site, "bob")
    yield person
    person.leaves()

"""One ejabberd for the whole session, a fresh xmpp-authd for each test. Every test is watched: it fails if one of the relays
that ejabberd runs is lost, if ejabberd or the daemon complains of something that the test did not announce, and if a
token or a secret stands in anything that they wrote."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import pytest

from authd import Authd
from ejabberd_server import Ejabberd
from ejabberd_site import Site
from processes import Account, command_lines
from secrecy import secrets_in

BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD") or pathlib.Path(__file__).resolve().parents[2] / "build")


@pytest.fixture(scope="session")
def ground():
    """A directory for programs, sockets and spools that every account can pass through."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="xmpp-authd-e2e-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def programs(ground):
    """The programs, where ejabberd's user can run them and nobody else does."""
    directory = ground / "bin"
    directory.mkdir()
    for name in ("xmpp-authd", "xmpp-extauth"):
        shutil.copy(BUILD / name, directory)
    return directory


@pytest.fixture(scope="session")
def accounts():
    """ejabberd's own user, and for the daemon one that can hand its socket to ejabberd's group."""
    ejabberd = Account.named("ejabberd")
    return {"ejabberd": ejabberd, "authd": Account.named("nobody", [ejabberd.group])}


@pytest.fixture
def new_authd(ground, programs, accounts):
    """new_authd(): a daemon in a directory of its own, not configured and not running."""
    made, stack = [], contextlib.ExitStack()

    def make(socket=None):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="authd-", dir=ground))
        it = Authd(programs / "xmpp-authd", directory, accounts["authd"], accounts["ejabberd"].group_name, socket)
        made.append(it)
        stack.callback(it.close)
        return it

    with stack:
        yield make
    written = "\n".join(line for it in made for line in it.log.lines()).encode()
    assert not secrets_in(written), "a token or a secret in the daemon's log"


@pytest.fixture(scope="session")
def session_site(ground, programs, accounts):
    directory = ground / "ejabberd"
    directory.mkdir()
    # The socket's directory stays while daemons come and go.
    (ground / "run").mkdir()
    accounts["authd"].give(ground / "run")
    socket = ground / "run" / "auth.sock"
    relay = programs / "xmpp-extauth"
    ejabberd = Ejabberd(directory, Site.HOSTS, f"{relay} {socket}", accounts["ejabberd"])
    site = Site(ejabberd, relay, socket)
    try:
        site.start()
        assert not site.complaints(0), "ejabberd complains at its start:\n" + "\n".join(site.complaints(0))
        yield site
    finally:
        ejabberd.stop()
        left = site.relays_left()
        for pid in left:
            os.kill(pid, 9)
    assert not left, "relays outlive ejabberd"
    console = ejabberd.console.read_text(errors="replace")
    assert "Sanitizer" not in console and "runtime error" not in console, console
    leaks = {path.name: found for path in ejabberd.files_written() if (found := secrets_in(path.read_bytes()))}
    assert not leaks, f"tokens or secrets in what ejabberd wrote: {leaks}"


@pytest.fixture
def site(session_site):
    """The session's ejabberd, watched while a test uses it."""
    session_site.expected = []
    mark, relays = session_site.ejabberd.mark(), session_site.relays()
    yield session_site
    assert session_site.relays() == relays, "ejabberd lost a relay"
    complaints = session_site.complaints(mark)
    assert not complaints, "ejabberd complains:\n" + "\n".join(complaints)
    leaks = secrets_in(b"\n".join(arguments for _, arguments in command_lines()))
    assert not leaks, f"tokens or secrets on a command line: {leaks}"


@pytest.fixture
def authd(site, new_authd):
    """A daemon that serves both hosts of the site, running."""
    it = new_authd(socket=site.socket)
    it.configure({host: it.secrets_of(minter) for host, minter in site.minters.items()})
    it.start()
    return it

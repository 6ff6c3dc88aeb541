"""A Prosody for each of its network back ends, each with virtual hosts that are set up differently, and behind each host
a fake daemon, or the real one. Every test is watched: a warning or an error in Prosody's log that the test did not announce fails it,
and so does a token in anything that Prosody ever wrote."""

import asyncio
import base64
import pathlib
import re
import secrets
import sys
import tempfile

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))  # the minter, processes

from fake_daemon import FakeDaemon
from leaks import leaks_below
from prosody_server import Prosody, make_certificate
from real_daemon import RealDaemon

BACKENDS = ("epoll", "select", "event")

# host: settings. `SOCKET` becomes the path of the host's own fake daemon.
HOSTS = {
    # As an operator would have it, but for the encryption.
    "login.test": "xmpp_authd_allow_unencrypted = true",
    # Everything by default.
    "sealed.test": "",
    # A deadline that a test can wait for.
    "quick.test": "xmpp_authd_timeout = 1",
    # Answers about users that a test can see expire.
    "users.test": "xmpp_authd_timeout = 1; xmpp_authd_user_yes_ttl = 1; xmpp_authd_user_no_ttl = 1",
    # Room for three questions.
    "narrow.test": "xmpp_authd_timeout = 1; xmpp_authd_queue = 3",
    # One connection for everything.
    "single.test": "xmpp_authd_connections = 1; xmpp_authd_timeout = 20",
}

# The host whose daemon is the real one.
REAL_HOST = "real.test"
REAL_USERS = ("alice", "bob")


def new_token():
    """A token of the shape and length of a real one."""
    digits = "".join(secrets.choice("0123456789") for _ in range(40))
    return digits + " " + base64.b64encode(secrets.token_bytes(32)).decode()


class Site:
    """A virtual host as tests use it: its Prosody, its daemon, and what its log is expected to say."""

    def __init__(self, prosody, host, daemon):
        self.prosody, self.host, self.daemon = prosody, host, daemon
        self.port = prosody.port
        self.certificate = prosody.directory / f"{host}.crt"

    def token(self, verdict="yes"):
        """A new token that the daemon will answer so."""
        token = new_token()
        self.daemon.tokens[token] = verdict
        return token

    def token_for(self, user):
        """A new token that lets this user in."""
        return self.token()


class RealSite(Site):
    def token_for(self, user):
        return self.daemon.token(user)


class Server:
    def __init__(self, backend):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="prosody-"))
        self.daemons = {}
        settings = {}
        for number, (host, text) in enumerate(HOSTS.items()):
            path = self.directory / f"{number}.sock"
            self.daemons[host] = FakeDaemon(path)
            settings[host] = f'xmpp_authd_socket = "{path}"; {text}'
        self.real_daemon = RealDaemon(self.directory / "real", REAL_HOST, REAL_USERS)
        settings[REAL_HOST] = f'xmpp_authd_socket = "{self.real_daemon.path}"; xmpp_authd_allow_unencrypted = true'
        for host in ("login.test", "sealed.test", REAL_HOST):
            make_certificate(self.directory, host)
        self.prosody = Prosody(self.directory, settings, backend)
        self.expected = []
        self.prosody.start()

    def close(self):
        try:
            self.prosody.stop()
            leaks = leaks_below(self.directory)
            assert not leaks, f"tokens in what the servers wrote: {leaks[:5]}"
        finally:
            for daemon in self.daemons.values():
                daemon.close()
            self.real_daemon.stop()
            self.prosody.remove()


@pytest.fixture(scope="session", params=BACKENDS)
def server(request):
    it = Server(request.param)
    yield it
    it.close()


@pytest.fixture
def watched(server):
    """The server; fails the test if Prosody complains about what the test did not announce by expect()."""
    server.expected = []
    mark = server.prosody.mark()
    yield server
    unexpected = [
        line for line in server.prosody.complaints(mark)
        if not any(re.search(pattern, line) for pattern in server.expected)
    ]
    assert not unexpected, "Prosody complains:\n" + "\n".join(unexpected)


@pytest.fixture
def site(watched):
    """site(host): the host, its fake daemon running and at its best."""

    def prepare(host):
        watched.daemons[host].reset()
        watched.daemons[host].start()
        return Site(watched.prosody, host, watched.daemons[host])

    return prepare


@pytest.fixture
def real_site(watched):
    """The host with the real daemon, running."""
    watched.real_daemon.start_once()
    return RealSite(watched.prosody, REAL_HOST, watched.real_daemon)


@pytest.fixture
def expect(server):
    """expect(pattern): warnings and errors that match belong to the test."""
    return lambda *patterns: server.expected.extend(patterns)


@pytest.fixture
def run():
    """Runs a coroutine to its end; a test that hangs fails."""

    async def bounded(coroutine):
        async with asyncio.timeout(60):
            return await coroutine

    return lambda coroutine: asyncio.run(bounded(coroutine))

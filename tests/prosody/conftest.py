"""A Prosody for each of its network back ends, each with virtual hosts that are set up differently, and a fake daemon
behind each host. Every test is watched: a warning or an error in Prosody's log that the test did not announce fails it,
and so does a token in anything that Prosody ever wrote."""

import asyncio
import base64
import pathlib
import re
import secrets
import tempfile

import pytest

from fake_daemon import FakeDaemon
from prosody_server import Prosody, make_certificate

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
}

TOKENS = []  # every token that any test made


def new_token():
    """A token of the shape and length of a real one."""
    digits = "".join(secrets.choice("0123456789") for _ in range(40))
    token = digits + " " + base64.b64encode(secrets.token_bytes(32)).decode()
    TOKENS.append(token)
    return token


def traces_of(token):
    """The bytes by which a token would be known in a file: as it is, its halves, and inside a SASL message's base64 at each
    of the three alignments."""
    raw = token.encode()
    traces = [raw, raw[:40], raw[41:]]
    for offset in range(3):
        traces.append(base64.b64encode(b"\0" * offset + raw)[4:-8])
    return traces


class Site:
    """A virtual host as tests use it: its Prosody, its daemon, and what its log is expected to say."""

    def __init__(self, prosody, host, daemon):
        self.prosody, self.host, self.daemon = prosody, host, daemon
        self.port = prosody.port
        self.certificate = prosody.directory / f"{host}.crt"

    def token(self, verdict="yes"):
        token = new_token()
        self.daemon.tokens[token] = verdict
        return token


class Server:
    def __init__(self, backend):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="prosody-"))
        self.daemons = {}
        settings = {}
        for number, (host, text) in enumerate(HOSTS.items()):
            path = self.directory / f"{number}.sock"
            self.daemons[host] = FakeDaemon(path)
            settings[host] = f'xmpp_authd_socket = "{path}"; {text}'
        for host in ("login.test", "sealed.test"):
            make_certificate(self.directory, host)
        self.prosody = Prosody(self.directory, settings, backend)
        self.expected = []
        self.prosody.start()

    def close(self):
        try:
            self.prosody.stop()
            leaks = self.prosody.find_everywhere([trace for token in TOKENS for trace in traces_of(token)])
            assert not leaks, f"tokens in what Prosody wrote: {leaks[:5]}"
        finally:
            for daemon in self.daemons.values():
                daemon.close()
            self.prosody.remove()


@pytest.fixture(scope="session", params=BACKENDS)
def server(request):
    it = Server(request.param)
    yield it
    it.close()


@pytest.fixture
def site(server):
    """site(host): the host, its daemon running and at its best."""
    server.expected = []
    mark = server.prosody.mark()

    def prepare(host):
        server.daemons[host].reset()
        server.daemons[host].start()
        return Site(server.prosody, host, server.daemons[host])

    yield prepare
    unexpected = [
        line for line in server.prosody.complaints(mark)
        if not any(re.search(pattern, line) for pattern in server.expected)
    ]
    assert not unexpected, "Prosody complains:\n" + "\n".join(unexpected)


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

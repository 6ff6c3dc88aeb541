"""Reloading and unloading the module, and stopping Prosody, with logins on their way."""

import asyncio
import tempfile

import pytest

from conftest import BACKENDS, Site
from fake_daemon import FakeDaemon
from prosody_server import Prosody
from test_prosody_outage import OUTCOMES, UNDECIDED, attempt, started, until
from xmpp_client import Client

MODULE = '("auth_xmpp_authd", "login.test")'


async def in_flight(here, verdicts):
    """Logins that the daemon has heard of and not yet answered."""
    before = len(here.daemon.questions)
    tasks = started(here, verdicts)
    await until(lambda: len(here.daemon.questions) == before + len(verdicts))
    return tasks


async def outcomes_of(tasks, verdicts):
    assert await asyncio.gather(*tasks) == [OUTCOMES[verdict] for verdict in verdicts]


async def in_thread(call, *arguments):
    return await asyncio.get_running_loop().run_in_executor(None, call, *arguments)


def test_a_reload_loses_no_login(site, run):
    here = site("login.test")
    verdicts = ["yes", "no"] * 5

    async def story():
        here.daemon.delay = 0.5
        old = await in_flight(here, verdicts)
        await in_thread(here.prosody.console, "module:reload" + MODULE)
        here.daemon.delay = 0
        assert await attempt(here, here.token()) is None
        await outcomes_of(old, verdicts)
        await until(lambda: here.daemon.connections <= 4)  # the old ones are gone

    run(story())


def test_reloads_leave_nothing_behind(site, run):
    here = site("login.test")

    async def story():
        for _ in range(20):
            await in_thread(here.prosody.console, "module:reload" + MODULE)
            assert await attempt(here, here.token()) is None
        await until(lambda: here.daemon.connections == 4)

    run(story())


def test_a_reload_of_the_configuration_takes_new_settings(site, run):
    here = site("login.test")
    usual = here.prosody.configuration.read_text()

    async def offered():
        client = await Client.connect(here.port, here.host)
        await client.close()
        return client.mechanisms

    async def story(text, mechanisms):
        here.prosody.configuration.write_text(text)
        await in_thread(here.prosody.console, "config:reload()")
        await in_thread(here.prosody.console, "module:reload" + MODULE)
        assert await offered() == mechanisms

    own = "xmpp_authd_allow_unencrypted = true"
    fewer = usual.replace(own, own + '; xmpp_authd_mechanisms = { "X-TOKEN" }')
    assert fewer != usual
    try:
        run(story(fewer, {"X-TOKEN"}))
    finally:
        run(story(usual, {"PLAIN", "SASL-HMAC", "X-TOKEN"}))


def test_an_unload_lets_logins_on_their_way_finish(site, run, expect):
    here = site("login.test")
    expect("No available SASL mechanisms")
    verdicts = ["yes", "no"] * 5

    async def story():
        here.daemon.delay = 0.5
        old = await in_flight(here, verdicts)
        await in_thread(here.prosody.console, "module:unload" + MODULE)
        assert await attempt(here, here.token()) == "invalid-mechanism"  # nobody can say who may come in
        await outcomes_of(old, verdicts)
        await until(lambda: here.daemon.connections == 0)
        await in_thread(here.prosody.console, "module:load" + MODULE)
        here.daemon.delay = 0
        assert await attempt(here, here.token()) is None

    run(story())


def test_an_unload_while_the_daemon_is_away_leaves_no_login_without_an_end(site, run, expect):
    here = site("quick.test")
    expect(UNDECIDED, r"xmpp-authd is away \(")
    here.daemon.stop()

    async def story():
        mark = here.prosody.mark()
        old = started(here, ["yes"] * 5)
        await in_thread(here.prosody.wait_for_log, "logins wait for it", mark)
        await in_thread(here.prosody.console, 'module:reload("auth_xmpp_authd", "quick.test")')
        assert await asyncio.gather(*old) == ["temporary-auth-failure"] * 5

    run(story())


WRONG_SETTINGS = (
    ("xmpp_authd_timeout = 0", "xmpp_authd_timeout must be a number from 0.1 to 60"),
    ('xmpp_authd_timeout = "soon"', "xmpp_authd_timeout"),
    ("xmpp_authd_connections = 0", "xmpp_authd_connections must be a number from 1 to 64"),
    ("xmpp_authd_queue = -1", "xmpp_authd_queue must be a number from 1 to 100000"),
    ("xmpp_authd_user_yes_ttl = 0", "xmpp_authd_user_yes_ttl must be"),
    ("xmpp_authd_user_no_ttl = 1e9", "xmpp_authd_user_no_ttl must be"),
    ('xmpp_authd_mechanisms = { "PLAIN", "SCRAM-SHA-1" }', "SCRAM-SHA-1 is none of PLAIN, SASL-HMAC, X-TOKEN"),
)


def test_wrong_settings_are_reported_and_the_default_used(run):
    """One virtual host for each; every one of them still lets users in."""
    directory = tempfile.mkdtemp(prefix="prosody-")
    daemon = FakeDaemon(directory + "/auth.sock")
    daemon.start()
    settings = {
        f"wrong{number}.test": f'xmpp_authd_socket = "{daemon.path}"; {text}'
        for number, (text, _) in enumerate(WRONG_SETTINGS)
    }
    prosody = Prosody(directory, settings).start()
    try:
        for number, (_, complaint) in enumerate(WRONG_SETTINGS):
            here = Site(prosody, f"wrong{number}.test", daemon)
            assert any(complaint in line and here.host in line for line in prosody.complaints(0)), complaint
            assert run(attempt(here, here.token())) is None
    finally:
        prosody.stop()
        daemon.close()
        prosody.remove()


@pytest.mark.parametrize("backend", BACKENDS)
def test_prosody_stops_with_logins_on_their_way(run, backend):
    """At once (it waits for nothing of ours), and without an error in its log."""
    directory = tempfile.mkdtemp(prefix="prosody-")
    daemon = FakeDaemon(directory + "/auth.sock")
    daemon.start()
    prosody = Prosody(directory, {"login.test": f'xmpp_authd_socket = "{daemon.path}"'}, backend).start()
    here = Site(prosody, "login.test", daemon)

    async def story():
        session = await Client.login(here.port, here.host, "alice", here.token())
        mark = prosody.mark()
        daemon.silent = True
        tasks = await in_flight(here, ["yes"] * 5)
        await in_thread(prosody.stop)
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
        return mark

    try:
        mark = run(story())
        allowed = ("login undecided from", "without an answer", "Received SIGTERM")
        assert not [line for line in prosody.complaints(mark) if not any(text in line for text in allowed)]
    finally:
        daemon.close()
        prosody.remove()

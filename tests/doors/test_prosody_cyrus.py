"""A real Prosody with Debian's mod_auth_cyrus, at the saslauthd door; the clients are slixmpp and one by hand."""

import asyncio
import os
import pathlib

import pytest

from harness.configuration import HOST
from prosody_server import Prosody
from slixmpp_login import slixmpp_login
from xmpp_client import Client, Denied, plain_message

HAS_MODULE = pathlib.Path("/usr/lib/prosody/modules/mod_auth_cyrus").exists()
pytestmark = pytest.mark.skipif(not HAS_MODULE, reason="prosody-modules is not installed")


@pytest.fixture
def prosody(directory, cyrus):
    """A Prosody whose host checks passwords through Cyrus SASL, set up as docs/doors.md has it."""
    (directory / "prosody.conf").write_text(f"pwcheck_method: saslauthd\nsaslauthd_path: {cyrus}\nmech_list: PLAIN\n")
    before = os.environ.get("SASL_CONF_PATH")
    os.environ["SASL_CONF_PATH"] = str(directory)
    it = Prosody(directory, {HOST: 'authentication = "cyrus"'}, plugins=("/usr/lib/prosody/modules",))
    try:
        yield it.start()
    finally:
        it.stop()
        os.environ.pop("SASL_CONF_PATH")
        if before is not None:
            os.environ["SASL_CONF_PATH"] = before


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(bounded())


def test_a_token_logs_in_once(start, prosody, configuration):
    daemon = start()
    token = configuration.key.mint("alice@example.org")
    assert run(slixmpp_login(prosody.port, "alice@example.org", token, "PLAIN")) == "alice@example.org"
    assert run(slixmpp_login(prosody.port, "alice@example.org", token, "PLAIN")) != "alice@example.org"
    assert daemon.verdict("alice@example.org", 2)["reason"] == "replayed"


async def attempt(port, message):
    """The bare JID of the session, or the SASL condition of the refusal."""
    client = await Client.connect(port, HOST)
    try:
        refusal = await client.authenticate(message)
        return refusal or (await client.bind("r")).split("/")[0]
    except Denied as denied:
        return denied.args[0]
    finally:
        await client.close()


@pytest.mark.parametrize("typed, prepared", [("ALICE", "alice"), ("Straße", "strasse"), ("élan", "élan")])
def test_the_session_is_of_the_name_that_the_token_is_for(start, prosody, configuration, typed, prepared):
    daemon = start()
    jid = f"{prepared}@example.org"
    assert run(attempt(prosody.port, plain_message(typed, configuration.key.mint(jid)))) == jid
    daemon.await_event("verdict", reason="allowed")


def test_nobody_is_let_in_as_another(start, prosody, configuration):
    start()

    def token():
        return configuration.key.mint("alice@example.org")

    rows = {
        "another's token": plain_message("bob", token()),
        "to act as another": f"bob\0alice\0{token()}".encode(),
        "to act as another, with the host": f"bob@example.org\0alice\0{token()}".encode(),
        "no password": plain_message("alice", ""),
        "a wrong one": plain_message("alice", token()[:-2] + "x="),
    }
    for name, message in rows.items():
        outcome = run(attempt(prosody.port, message))
        assert "@" not in outcome, f"{name}: {outcome}"
    assert run(attempt(prosody.port, plain_message("alice", token()))) == "alice@example.org"

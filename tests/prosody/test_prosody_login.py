"""Logins as they should go: who is let in, by which mechanism, as whom, and what is offered to whom."""

import asyncio

import pytest
import slixmpp
from slixmpp.util.sasl import client as slixmpp_sasl
from slixmpp.util.sasl.client import Mech, sasl_mech

from xmpp_client import Client, Denied, plain_message

MECHANISMS = ("PLAIN", "SASL-HMAC", "X-TOKEN")


class _OwnMechanism(Mech):
    """What the original set-up's clients do: PLAIN's message under another name."""

    required_credentials = {"username", "password"}

    def process(self, challenge=b""):
        return b"\0" + self.credentials["username"] + b"\0" + self.credentials["password"]


@sasl_mech(40)
class SaslHmac(_OwnMechanism):
    name = "SASL-HMAC"


@sasl_mech(41)
class XToken(_OwnMechanism):
    name = "X-TOKEN"


async def slixmpp_login(port, jid, token, mechanism, certificate=None):
    """A login by a stock library: the bare JID of its session, or the SASL condition of its first failure. With a
    certificate to trust, over STARTTLS."""
    client = slixmpp.ClientXMPP(jid, token)
    client.plugin["feature_mechanisms"].unencrypted_plain = True
    client.plugin["feature_mechanisms"].use_mech = mechanism
    outcome = asyncio.get_running_loop().create_future()

    def settle(value):
        if not outcome.done():
            outcome.set_result(value)

    client.add_event_handler("session_start", lambda _: settle(client.boundjid.bare))
    client.add_event_handler("failed_auth", lambda stanza: settle(stanza["condition"]))
    client.ca_certs = certificate
    client.connect(("127.0.0.1", port), disable_starttls=not certificate, force_starttls=bool(certificate))
    try:
        return await asyncio.wait_for(outcome, 20)
    finally:
        await client.disconnect(wait=1)


def test_slixmpp_knows_the_mechanisms():
    assert set(MECHANISMS) <= set(slixmpp_sasl.MECHANISMS)


@pytest.mark.parametrize("tls", (False, True), ids=("unencrypted", "starttls"))
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_stock_client_logs_in(site, run, mechanism, tls):
    here = site("login.test")
    token = here.token()
    certificate = here.certificate if tls else None
    assert run(slixmpp_login(here.port, "alice@login.test", token, mechanism, certificate)) == "alice@login.test"
    assert here.daemon.questions == [f"auth:alice:login.test:{token}".encode()]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_token_is_not_authorized(site, run, mechanism):
    here = site("login.test")
    token = here.token("no")
    assert run(slixmpp_login(here.port, "alice@login.test", token, mechanism)) == "not-authorized"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_could_not_decide_is_temporary(site, run, expect, mechanism):
    here = site("login.test")
    expect(r"login undecided from 127\.0\.0\.1: ")
    token = here.token("try-again")
    assert run(slixmpp_login(here.port, "alice@login.test", token, mechanism)) == "temporary-auth-failure"


def test_a_client_may_try_again_on_the_same_stream(site, run, expect):
    here = site("login.test")
    expect(r"login undecided from 127\.0\.0\.1: ")

    async def story():
        client = await Client.connect(here.port, here.host)
        assert await client.authenticate(plain_message("alice", here.token("no"))) == "not-authorized"
        undecided = plain_message("alice", here.token("try-again"))
        assert await client.authenticate(undecided, "X-TOKEN") == "temporary-auth-failure"
        assert await client.authenticate(plain_message("alice", here.token()), "SASL-HMAC") is None
        assert await client.bind("r") == "alice@login.test/r"
        await client.close()

    run(story())


def test_200_logins_at_once_all_get_their_own_answers(site, run, expect):
    """As many as arrive at once, of three kinds in any order; each is answered as its own token deserves."""
    here = site("login.test")
    expect(r"login undecided from 127\.0\.0\.1: ")
    outcomes = {"yes": None, "no": "not-authorized", "try-again": "temporary-auth-failure"}
    here.daemon.delay = 0.05

    async def attempt(number):
        verdict = ("yes", "no", "yes", "try-again")[number % 4]
        user = f"user{number}"
        try:
            client = await Client.login(
                here.port, here.host, user, here.token(verdict), MECHANISMS[number % 3], resource="r"
            )
        except Denied as denied:
            return denied.args[0] == outcomes[verdict]
        good = verdict == "yes" and client.jid == f"{user}@login.test/r"
        await client.close()
        return good

    async def story():
        return await asyncio.gather(*(attempt(number) for number in range(200)))

    assert all(run(story()))
    assert len(here.daemon.asked("auth")) == 200


# What a client sends as the name, and the name that is asked about and that its session has.
NAMES = (
    ("alice", "alice"),
    ("Alice", "alice"),
    ("ALICE", "alice"),
    ("Straße", "strasse"),
    ("ＡＬＩＣＥ", "alice"),  # full-width letters
    ("a\u00adb", "ab"),  # a soft hyphen, mapped to nothing
    ("élan", "élan"),
    ("e\u0301lan", "élan"),  # an e and a combining accent
    ("a.b-c_d+1", "a.b-c_d+1"),
    ("n" * 1023, "n" * 1023),
)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_name_asked_about_is_the_name_of_the_session(site, run, mechanism):
    here = site("login.test")

    async def story():
        for sent, prepared in NAMES:
            client = await Client.login(here.port, here.host, sent, here.token(), mechanism, resource="r")
            assert client.jid == f"{prepared}@login.test/r"
            assert here.daemon.asked("auth")[-1][1] == prepared.encode()
            assert here.daemon.asked("auth")[-1][2] == b"login.test"
            await client.close()

    run(story())


# host, TLS, and what is offered there
OFFERS = (
    ("login.test", False, {"PLAIN", "SASL-HMAC", "X-TOKEN"}),
    ("login.test", True, {"PLAIN", "SASL-HMAC", "X-TOKEN"}),
    ("sealed.test", False, {"PLAIN"}),
    ("sealed.test", True, {"PLAIN", "SASL-HMAC", "X-TOKEN"}),
)


@pytest.mark.parametrize("host, tls, offered", OFFERS)
def test_the_own_mechanisms_are_offered_on_encrypted_streams_alone_by_default(site, run, host, tls, offered):
    here = site(host)

    async def story():
        client = await Client.connect(here.port, host, tls=tls)
        assert client.mechanisms == offered
        await client.close()

    run(story())


@pytest.mark.parametrize("mechanism", ("SASL-HMAC", "X-TOKEN", "SCRAM-SHA-1", "xmpp_authd", "plain"))
def test_a_mechanism_that_is_not_offered_can_not_be_used(site, run, mechanism):
    here = site("sealed.test")

    async def story():
        client = await Client.connect(here.port, here.host)
        assert await client.authenticate(plain_message("alice", here.token()), mechanism) == "invalid-mechanism"
        await client.close()

    run(story())
    assert here.daemon.questions == []

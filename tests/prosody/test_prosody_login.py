"""Logins as they should go: who is let in, by which mechanism, as whom, and what is offered to whom."""

import asyncio

import pytest

from slixmpp_login import MECHANISMS, slixmpp_login
from xmpp_client import Client, Denied, plain_message

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

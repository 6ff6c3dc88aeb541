"""Prosody with the real xmpp-authd: real tokens, real verdicts, real restarts."""

import asyncio
import itertools
import os
import signal
import time

import pytest

from slixmpp_login import MECHANISMS, slixmpp_login
from test_prosody_outage import assert_nobody_was_held_up, attempt, ping_during, until
from test_prosody_users import MESSAGE, login, send
from xmpp_client import CLIENT, Client, Denied, plain_message

# `make check-long-once` sets it.
ROUNDS = int(os.environ.get("XMPP_AUTHD_ROUNDS", "0"))

UNDECIDED = r"login undecided from 127\.0\.0\.1: "
UNANSWERED = r"xmpp-authd left \d+ questions without an answer: "


@pytest.mark.parametrize("tls", (False, True), ids=("unencrypted", "starttls"))
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_token_logs_in_once(real_site, run, mechanism, tls):
    token = real_site.token_for("alice")
    arguments = (real_site.port, "alice@real.test", token, mechanism, real_site.certificate if tls else None)
    assert run(slixmpp_login(*arguments)) == "alice@real.test"
    assert run(slixmpp_login(*arguments)) == "not-authorized"


@pytest.mark.parametrize("first, second", itertools.product(MECHANISMS, MECHANISMS))
def test_a_spent_token_is_refused_whichever_mechanism_carries_it(real_site, run, first, second):
    token = real_site.token_for("alice")

    async def story():
        client = await Client.login(real_site.port, "real.test", "alice", token, first)
        with pytest.raises(Denied, match="not-authorized"):
            await Client.login(real_site.port, "real.test", "alice", token, second)
        await client.close()

    run(story())


def test_tokens_that_must_not_pass(real_site, run):
    good = real_site.token_for("alice")
    swapped = real_site.token_for("alice")
    rows = {
        "another user's": ("mallory", real_site.token_for("alice")),
        "a digit moved from the name to the nonce": ("admin", real_site.token_for("1admin")[:40] + "1" + real_site.token_for("x")[40:]),
        "a flipped digit": ("alice", str((int(good[0]) + 1) % 10) + good[1:]),
        "another's signature": ("alice", good[:41] + swapped[41:]),
        "no signature": ("alice", good[:41]),
        "ten minutes old": ("alice", real_site.daemon.minter.mint("alice@real.test", -600)),
        "ten minutes early": ("alice", real_site.daemon.minter.mint("alice@real.test", 600)),
        "for another host": ("alice", real_site.daemon.minter.mint("alice@login.test")),
        "a password": ("alice", "secret"),
    }

    async def story():
        for name, (user, token) in rows.items():
            assert await attempt(real_site, token, user) == "not-authorized", name

    run(story())


@pytest.mark.parametrize("sent, prepared", (("ALICE", "alice"), ("Straße", "strasse"), ("élan", "élan")))
def test_a_token_is_for_the_name_of_the_session(real_site, run, sent, prepared):
    async def story():
        client = await Client.login(real_site.port, "real.test", sent, real_site.token_for(prepared), resource="r")
        assert client.jid == f"{prepared}@real.test/r"
        await client.close()

    run(story())


def test_200_logins_at_once(real_site, run):
    """Each token is presented twice at the same time, by two mechanisms: exactly one of the two gets in."""

    async def story():
        tokens = [(f"user{number}", real_site.token_for(f"user{number}")) for number in range(100)]

        async def present(number, mechanism):
            client = await Client.connect(real_site.port, "real.test")
            try:
                return await client.authenticate(plain_message(*tokens[number]), mechanism)
            finally:
                await client.close()

        attempts = [present(number, mechanism) for mechanism in ("PLAIN", "X-TOKEN") for number in range(100)]
        outcomes = await asyncio.gather(*attempts)
        for number in range(100):
            assert {outcomes[number], outcomes[number + 100]} == {None, "not-authorized"}

    run(story())


def test_mail_for_a_user_of_the_file_is_stored_and_for_others_bounced(real_site, run):
    async def story():
        alice = await login(real_site, "alice")
        assert await send(alice, "bob") is None
        assert await send(alice, "nobody") == "service-unavailable"
        bob = await login(real_site, "bob")
        assert (await bob.receive(MESSAGE)).findtext(f"{{{CLIENT}}}body") == "for bob 0"
        await alice.close()
        await bob.close()

    run(story())


def test_a_daemon_that_has_just_started_and_can_not_vouch_for_old_tokens(real_site, run, expect):
    """What it calls `starting` is could-not-decide: temporary-auth-failure."""
    expect(UNDECIDED)
    real_site.daemon.stop()
    real_site.daemon.start(after_restart="refuse")
    try:
        assert run(attempt(real_site, real_site.token_for("alice"))) == "temporary-auth-failure"
        assert run(attempt(real_site, "wrong")) == "not-authorized"
    finally:
        real_site.daemon.stop()
        real_site.daemon.start()


def test_three_seconds_of_silence(real_site, run):
    """The daemon is stopped for 3 s in the middle of logins: they wait and get their answers, other sessions feel nothing."""

    async def logins():
        users = [f"user{number}" for number in range(20)]
        return await asyncio.gather(*(attempt(real_site, real_site.token_for(user), user) for user in users))

    async def several_quick_logins():
        for _ in range(5):
            assert await logins() == [None] * 20

    async def slow_logins():
        real_site.daemon.send_signal(signal.SIGSTOP)
        tasks = asyncio.ensure_future(logins())
        try:
            await asyncio.sleep(3)
        finally:
            real_site.daemon.send_signal(signal.SIGCONT)
        assert await tasks == [None] * 20

    async def story():
        observer = await Client.login(real_site.port, "real.test", "observer", real_site.token_for("observer"))
        usual = await ping_during(observer, several_quick_logins())
        assert_nobody_was_held_up(await ping_during(observer, slow_logins()), usual)
        await observer.close()

    run(story())


async def restart_by(daemon, number):
    """Ends it by the signal and starts it again; the event loop goes on meanwhile."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, daemon.stop, number)
    daemon.spawn()
    await loop.run_in_executor(None, daemon.wait_until_ready)


def test_a_restart_loses_no_login(real_site, run):
    """SIGTERM and start, under a stream of logins."""
    outcomes = []

    async def restart():
        for _ in range(ROUNDS or 5):
            await until(lambda seen=len(outcomes): len(outcomes) >= seen + 5)
            await restart_by(real_site.daemon, signal.SIGTERM)

    async def story():
        async def one_after_another(number):
            while not restarting.done():
                outcomes.append(await attempt(real_site, real_site.token_for(f"user{number}"), f"user{number}"))

        restarting = asyncio.ensure_future(restart())
        await asyncio.gather(*(one_after_another(number) for number in range(8)))
        await restarting
        assert set(outcomes) == {None}

    run(story())


def test_a_killed_daemon_gives_no_wrong_answer(real_site, run, expect):
    """SIGKILL and start, under a stream of good and bad logins; the first one afterwards works within a second."""
    expect(UNDECIDED, UNANSWERED)
    good, bad = [], []

    async def kill():
        for _ in range(5):
            await until(lambda seen=len(bad): len(bad) >= seen + 5)
            await restart_by(real_site.daemon, signal.SIGKILL)
            began = time.monotonic()
            assert await attempt(real_site, real_site.token_for("alice")) is None
            assert time.monotonic() - began < 1

    async def story():
        async def one_after_another(number):
            user = f"user{number}"
            while not killing.done():
                good.append(await attempt(real_site, real_site.token_for(user), user))
                bad.append(await attempt(real_site, real_site.token_for("somebody"), user))

        killing = asyncio.ensure_future(kill())
        await asyncio.gather(*(one_after_another(number) for number in range(4)))
        await killing
        assert set(good) <= {None, "temporary-auth-failure"} and None in good
        assert set(bad) <= {"not-authorized", "temporary-auth-failure"} and "not-authorized" in bad

    run(story())

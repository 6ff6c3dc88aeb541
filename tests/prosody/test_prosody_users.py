"""user_exists: what Prosody believes about users, for how long, and that asking never breaks a session."""

import asyncio

import pytest

from test_prosody_outage import started, until
from xmpp_client import CLIENT, Client

UNDECIDED = r"login undecided from 127\.0\.0\.1: "
UNANSWERED = r"xmpp-authd left \d+ questions without an answer: "
AWAY = r"xmpp-authd is away \("

MESSAGE = f"{{{CLIENT}}}message"

LIFETIME = 1.1  # seconds, after which users.test asks again


async def login(here, user):
    client = await Client.login(here.port, here.host, user, here.token_for(user))
    client.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
    await client.receive(f"{{{CLIENT}}}iq", id="roster")
    return client


async def send(client, user, number=0):
    """Sends a message; returns the condition of the error that comes back, or None. (The ping comes after it.)"""
    client.send(f"<message to='{user}@{client.host}' type='chat' id='m{number}'><body>for {user} {number}</body></message>")
    client.send("<iq type='get' id='after'><ping xmlns='urn:xmpp:ping'/></iq>")
    while True:
        element = await client.next_element()
        if element.tag == MESSAGE and element.get("type") == "error":
            await client.receive(f"{{{CLIENT}}}iq", id="after")
            return element.find(f"{{{CLIENT}}}error")[0].tag.split("}")[1]
        if element.get("id") == "after":
            return None


def test_mail_for_somebody_offline_is_stored_and_for_nobody_bounced(site, run):
    here = site("users.test")
    here.daemon.users = {"bob": "yes", "nobody": "no"}

    async def story():
        alice = await login(here, "alice")
        assert await send(alice, "bob") is None
        assert await send(alice, "nobody") == "service-unavailable"
        bob = await login(here, "bob")
        message = await bob.receive(MESSAGE)
        assert message.findtext(f"{{{CLIENT}}}body") == "for bob 0"
        await alice.close()
        await bob.close()

    run(story())
    assert [b"isuser", b"bob", b"users.test"] in here.daemon.asked("isuser")


def test_an_answer_is_kept_for_its_time_and_then_asked_for_again(site, run):
    here = site("users.test")
    here.daemon.users = {"erin": "yes", "nobody1": "no"}

    def asked(user):
        return [question[1] for question in here.daemon.asked("isuser")].count(user.encode())

    async def story():
        alice = await login(here, "alice")
        for user in ("erin", "nobody1"):
            for number in range(10):
                await send(alice, user, number)
            assert asked(user) <= 2  # the tenth may come after its time
        before = asked("nobody1")
        here.daemon.users["nobody1"] = "yes"
        await asyncio.sleep(LIFETIME)
        assert await send(alice, "nobody1") is None
        assert asked("nobody1") == before + 1
        await alice.close()

    run(story())


def test_what_was_known_holds_through_an_outage(site, run, expect):
    """And somebody never heard of gets their mail kept, for a bounce can't be undone."""
    here = site("users.test")
    expect(UNDECIDED, UNANSWERED, AWAY)
    here.daemon.users = {"bob2": "yes", "nobody2": "no"}

    async def story():
        alice = await login(here, "alice")
        assert await send(alice, "bob2") is None
        assert await send(alice, "nobody2") == "service-unavailable"
        here.daemon.stop()
        await asyncio.sleep(LIFETIME)
        assert await send(alice, "bob2", 1) is None
        assert await send(alice, "nobody2", 1) == "service-unavailable"
        assert await send(alice, "unheard-of", 1) is None
        await alice.close()

    run(story())


def test_questions_about_users_leave_room_for_logins(site, run, expect):
    """Half of the queue is for logins alone: beyond that, what is known about a user counts, unasked."""
    here = site("narrow.test")
    expect(UNDECIDED, UNANSWERED)

    async def story():
        alice = await login(here, "alice")
        await alice.ping()
        here.daemon.questions.clear()
        here.daemon.silent = True
        caught = started(here, ["yes"] * 2)
        await until(lambda: len(here.daemon.asked("auth")) == 2)
        assert await send(alice, "somebody") is None
        assert here.daemon.asked("isuser") == []
        assert not any(task.done() for task in caught)
        assert await asyncio.gather(*caught) == ["temporary-auth-failure"] * 2
        await alice.close()

    run(story())


async def befriend(client, other, user, other_user):
    """Both see each other's presence from now on."""
    pairs = ((client, other_user), (other, user))
    for one, another in pairs:
        one.send(f"<presence to='{another}@users.test' type='subscribe'/>")
    for one, another in pairs:
        await one.receive(f"{{{CLIENT}}}presence", type="subscribe")
        one.send(f"<presence to='{another}@users.test' type='subscribed'/>")
    for one, _ in pairs:
        await one.receive(f"{{{CLIENT}}}presence", type="subscribed")


@pytest.mark.parametrize("daemon", ("quick", "silent", "away"))
def test_a_connection_that_vanishes_leaves_no_ghost(site, run, expect, daemon):
    """Prosody then asks about users outside an async context: to tell the contacts, and whom those blocked. The module is
    reloaded before, so that nothing is known about anybody."""
    here = site("users.test")
    expect(UNANSWERED, AWAY)

    async def story():
        sessions = [await login(here, "alice"), await login(here, f"friend-{daemon}")]
        await befriend(*sessions, "alice", f"friend-{daemon}")
        await sessions[1].close()
        for number in range(30):
            sessions[0].send(f"<presence to='stranger{number}-{daemon}@users.test'/>")
        sessions[0].send("<iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
        await sessions[0].receive(f"{{{CLIENT}}}iq", id="b")
        here.prosody.console('module:reload("blocklist", "users.test")')
        here.prosody.console('module:reload("auth_xmpp_authd", "users.test")')
        here.daemon.questions.clear()
        if daemon == "silent":
            here.daemon.silent = True
        elif daemon == "away":
            here.daemon.stop()
        sessions[0].vanish()

    run(story())
    here.prosody.wait_until(lambda: here.prosody.sessions() == 0, seconds=5)
    if daemon != "away":
        here.prosody.wait_until(lambda: here.daemon.asked("isuser"))


def test_the_console_can_ask_about_users(site):
    here = site("users.test")
    here.daemon.users = {"nobody3": "no"}
    assert "0 users" in here.prosody.console('user:list("users.test")')
    assert here.prosody.console('>require"core.usermanager".user_exists("nobody3", "users.test")').endswith("false")
    assert here.prosody.console('>require"core.usermanager".user_exists("frank", "users.test")').endswith("true")


@pytest.mark.parametrize("command", (
    'user:create("nobody4@users.test", "x")',
    'user:password("frank@users.test", "x")',
    'user:delete("frank@users.test")',
))
def test_prosody_can_not_change_users(site, command):
    here = site("users.test")
    here.daemon.users = {"nobody4": "no"}
    with pytest.raises(AssertionError, match="the web application's"):
        here.prosody.console(command)


def test_other_modules_can_check_a_password(site):
    here = site("users.test")
    check = '>tostring(require"core.usermanager".test_password("frank", "users.test", "%s"))'
    assert here.prosody.console(check % here.token()).endswith("true")
    assert here.prosody.console(check % here.token("no")).endswith("nil")
    assert here.prosody.console(check % here.token("try-again")).endswith("nil")
    assert here.prosody.console(check % r"a\nauth:alice:users.test:b").endswith("nil")
    assert len(here.daemon.asked("auth")) == 3


def test_a_name_that_no_session_can_have_is_not_asked_about(site):
    """Another module that forgets to prepare a name gets no, not a yes for somebody else."""
    here = site("users.test")
    for name in ("FRANK", "Straße", "frank@users.test", "a b"):
        command = f'>tostring(require"core.usermanager".test_password("{name}", "users.test", "{here.token()}"))'
        assert here.prosody.console(command).endswith("nil")
    assert here.daemon.questions == []

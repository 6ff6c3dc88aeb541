"""Who exists: ejabberd asks when a message comes for a local user who is not logged in."""

import asyncio

import pytest

from ejabberd_site import HOST
from xmpp_login import session

ALICE, BOB, NOBODY = (f"{user}@{HOST}" for user in ("alice", "bob", "nobody"))


@pytest.fixture
def list_users(site, authd):
    """list_users(text): from now on the daemon knows the users of such a file."""

    def configure(text):
        users = authd.write("users", text)
        authd.stop()
        authd.configure({HOST: authd.secrets_of(site.minters[HOST]) | {"isuser": f"file:{users}"}})
        authd.start()

    return configure


def test_a_message_to_a_known_user_who_is_offline_is_kept_and_one_to_an_unknown_user_comes_back(site, authd, list_users):
    list_users("# who works here\nalice\nbob@" + HOST + "\n")
    mark = authd.log.mark()

    async def scenario():
        async with session(site.ejabberd, ALICE, site.mint(ALICE)) as alice:
            alice.send_message(BOB, "for later")
            alice.send_message(NOBODY, "is there anybody?")
            returned = await alice.receive()
        assert returned["type"] == "error" and returned["from"].bare == NOBODY
        assert returned["error"]["condition"] == "service-unavailable"
        async with session(site.ejabberd, BOB, site.mint(BOB)) as bob:
            bob.send_presence()
            kept = await bob.receive()
        assert kept["from"].bare == ALICE and kept["body"] == "for later"

    asyncio.run(scenario())
    verdicts = authd.log.events(mark, event="verdict", question="isuser")
    assert {line["user"]: line["reason"] for line in verdicts} == {"bob": "allowed", "nobody": "unknown-user"}


def test_while_there_is_no_daemon_a_message_to_a_user_who_is_offline_comes_back(site, authd):
    async def scenario():
        async with session(site.ejabberd, ALICE, site.mint(ALICE)) as alice:
            authd.kill()
            alice.send_message(BOB, "is there anybody?")
            returned = await alice.receive()
        assert returned["type"] == "error" and returned["error"]["condition"] == "service-unavailable"

    asyncio.run(scenario())


def test_who_exists_says_nothing_about_who_may_log_in(site, authd, list_users):
    list_users("alice\n")
    assert site.log_in(BOB, site.mint(BOB)) == "allowed"
    assert site.log_in(ALICE, "x") == "not-authorized"

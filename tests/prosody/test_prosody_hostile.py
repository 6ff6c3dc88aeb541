"""What a client can send: no question but its own, as nobody but itself, and nothing that only looks like a login."""

import pytest

from slixmpp_login import MECHANISMS
from xmpp_client import Client, plain_message

def row(name, message, condition="malformed-request"):
    return pytest.param(message, condition, id=name)


# Messages after which nothing may have been asked, and what the client is told. `<token>` stands for a good token.
UNASKED = (
    row("no message", None),
    row("an empty message", b""),
    row("one part", b"alice"),
    row("two parts", b"alice\0<token>"),
    row("an empty name", b"\0\0<token>"),
    row("an empty password", b"\0alice\0"),
    row("a fourth part", b"\0mallory\0<token>\0auth:alice:login.test:x"),
    row("NUL after the password", b"\0mallory\0<token>\0"),
    row("LF in the name", b"\0mallory\nauth:alice\0<token>"),
    row("CR in the name", b"\0mallory\r\0<token>"),
    row("a colon in the name", b"\0mallory:login.test\0<token>"),
    row("a whole question in the name", b"\0alice:login.test:x\nauth:mallory\0<token>"),
    row("an at sign in the name", b"\0mallory@login.test\0<token>"),
    row("a slash in the name", b"\0mallory/alice\0<token>"),
    row("a space in the name", b"\0mallory alice\0<token>"),
    row("a space beyond ASCII in the name", "\0mallory\u2003alice\0<token>".encode()),
    row("a full-width colon in the name", "\0mallory\uff1aalice\0<token>".encode()),
    row("a full-width at sign in the name", "\0mallory\uff20alice\0<token>".encode()),
    row("a name of nothing but what is mapped away", "\0\u00ad\u00ad\0<token>".encode()),
    row("a name that is no UTF-8", b"\0mallory\xff\0<token>"),
    row("a name of 1024 bytes", b"\0" + b"n" * 1024 + b"\0<token>"),
    row("a name that grows past 1023 bytes", "\0".encode() + "ß".encode() * 512 + b"\0<token>"),
    row("a name of 4000 bytes", b"\0" + b"n" * 4000 + b"\0<token>"),
    row("LF in the password", b"\0mallory\0<token>\nauth:alice:login.test:x"),
    row("a control byte in the password", b"\0mallory\0<token>\x01"),
    row("a password that is no UTF-8", b"\0mallory\0\xff\xfe"),
    row("a password of 1024 bytes", b"\0mallory\0" + b"p" * 1024),
    row("the authzid of another user", b"alice@login.test\0mallory\0<token>", "invalid-authzid"),
    row("the authzid of another user's name", b"alice\0mallory\0<token>", "invalid-authzid"),
    row("the authzid of the same name elsewhere", b"mallory@other.test\0mallory\0<token>", "invalid-authzid"),
    row("an authzid that is no address", b"@\0mallory\0<token>", "invalid-authzid"),
    row("an authzid with LF", b"mallory\n\0mallory\0<token>", "invalid-authzid"),
)


@pytest.mark.parametrize("message, condition", UNASKED)
def test_nothing_is_asked(site, run, message, condition):
    """By no mechanism; and the stream is as good as before."""
    here = site("login.test")

    async def story():
        sent = message and message.replace(b"<token>", here.token().encode())
        client = await Client.connect(here.port, here.host)
        for mechanism in MECHANISMS:
            assert await client.authenticate(sent, mechanism) == condition, mechanism
        assert here.daemon.questions == []
        assert await client.authenticate(plain_message("mallory", here.token())) is None
        await client.close()

    run(story())
    assert [question[1] for question in here.daemon.asked("auth")] == [b"mallory"]


# What of the password reaches the daemon: its own, and framed as one question.
PASSWORDS = (
    ("colons", "a:b:c", b"a:b:c"),
    ("a whole question", "auth:alice:login.test:x", b"auth:alice:login.test:x"),
    ("the greeting", "features:tryagain", b"features:tryagain"),
    ("spaces", "a b", b"a b"),
    ("a space beyond ASCII", "a\u00a0b", b"a b"),
    ("letters beyond ASCII", "pä\u00df", "pä\u00df".encode()),
    ("1023 bytes", "p" * 1023, b"p" * 1023),
)


@pytest.mark.parametrize("name, password, arrives", PASSWORDS, ids=[row[0] for row in PASSWORDS])
def test_a_password_is_data(site, run, name, password, arrives):
    here = site("login.test")

    async def story():
        client = await Client.connect(here.port, here.host)
        assert await client.authenticate(plain_message("mallory", password)) == "not-authorized"
        await client.close()

    run(story())
    assert here.daemon.questions == [b"auth:mallory:login.test:" + arrives]


@pytest.mark.parametrize("authzid", ("", "mallory", "mallory@login.test", "Mallory@LOGIN.test"))
def test_ones_own_authzid_is_accepted(site, run, authzid):
    here = site("login.test")

    async def story():
        client = await Client.connect(here.port, here.host)
        assert await client.authenticate(plain_message("Mallory", here.token(), authzid)) is None
        assert await client.bind("r") == "mallory@login.test/r"
        await client.close()

    run(story())


def test_a_second_login_in_the_same_packet_waits_for_its_own_answer(site, run):
    here = site("login.test")
    here.daemon.delay = 0.2
    denied, allowed = here.token("no"), here.token("yes")

    async def story():
        client = await Client.connect(here.port, here.host)
        client.send_auth(plain_message("victim", denied))
        client.send_auth(plain_message("mallory", allowed), "X-TOKEN")
        assert await client.verdict() == "not-authorized"
        assert await client.verdict() is None
        assert await client.bind("r") == "mallory@login.test/r"
        await client.close()

    run(story())
    assert [question[1] for question in here.daemon.asked("auth")] == [b"victim", b"mallory"]


def test_a_client_that_leaves_before_the_answer_leaves_nothing_behind(site, run):
    here = site("login.test")
    here.daemon.delay = 0.3

    async def story():
        for _ in range(20):
            client = await Client.connect(here.port, here.host)
            client.send_auth(plain_message("alice", here.token()))
            client.vanish()
        here.daemon.delay = 0
        await (await Client.login(here.port, here.host, "bob", here.token())).close()

    run(story())
    here.prosody.wait_until(lambda: here.prosody.sessions() == 0)

"""Logins with slixmpp, by SASL PLAIN over TLS."""

import asyncio
import contextlib
import os
import unittest.mock

import slixmpp
from slixmpp.features.feature_mechanisms import stanza
from slixmpp.util.sasl.mechanisms import PLAIN

PATIENCE = 40  # seconds; more than ejabberd itself gives a question

ALLOWED = "allowed"
REFUSED = "not-authorized"


class Gate:
    """Where clients wait with all done but the password, to send it at the same moment."""

    def __init__(self):
        self._open = asyncio.Event()
        self._news = asyncio.Condition()
        self._waiting = 0

    async def pass_through(self):
        async with self._news:
            self._waiting += 1
            self._news.notify_all()
        await self._open.wait()

    async def crowd(self, count):
        """Waits until this many clients wait."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: self._waiting >= count)

    def open(self):
        self._open.set()


class Client(slixmpp.ClientXMPP):
    """A client that tells how its login ended."""

    def __init__(self, server, jid, password):
        # Without this each client reads all of the system's certificates first.
        with unittest.mock.patch.dict(os.environ, SSL_CERT_FILE=str(server.certificate), SSL_CERT_DIR=""):
            super().__init__(jid, password, sasl_mech="PLAIN")
        self.ca_certs = server.certificate
        self._address = ("127.0.0.1", server.port)
        self._ended = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        self.messages = asyncio.Queue()
        for event, outcome in (
            ("session_bind", lambda _: ALLOWED),
            ("failed_auth", lambda failure: failure["condition"]),
            ("stream_error", lambda error: error["condition"]),
            ("connection_failed", lambda why: f"no connection: {why}"),
            ("disconnected", lambda why: f"disconnected: {why}"),
        ):
            self.add_event_handler(event, lambda data, outcome=outcome: self._end(outcome(data)))
        self.add_event_handler("disconnected", lambda _: self._gone.set())
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("message_error", self.messages.put_nowait)

    def _end(self, outcome):
        if not self._ended.done():
            self._ended.set_result(outcome)

    async def get_dns_records(self, domain, port=None):
        """None: the address is known, and slixmpp would ask for the addresses of nothing."""
        return []

    def log_in_as(self, user):
        """Sends this user name in place of the JID's, which slixmpp has prepared already."""
        self.credentials["username"] = user

    def present(self, password, gate):
        """Sends these very bytes as the password, which slixmpp would not, once through the gate."""
        mechanisms = self["feature_mechanisms"]

        async def authenticate(_features):
            if gate:
                await gate.pass_through()
            mechanisms.mech_list = {"PLAIN"}
            mechanisms.mech = PLAIN(
                "PLAIN", {"authzid": b"", "username": self.requested_jid.user.encode(), "password": password},
                {"encrypted": True, "encrypted_plain": True},
            )
            auth = stanza.Auth(self)
            auth["mechanism"] = "PLAIN"
            auth["value"] = mechanisms.mech.process()
            auth.send()
            return True

        self.unregister_feature("mechanisms", mechanisms.order)
        self.register_feature("mechanisms", authenticate, restart=True, order=mechanisms.order)

    async def log_in(self):
        """ALLOWED, REFUSED, or what else came of it."""
        self.connect(self._address)
        return await asyncio.wait_for(self._ended, PATIENCE)

    async def leave(self):
        """Ends the stream and hangs up, without the tenth of a second that ejabberd takes to say goodbye."""
        self.cancel_connection_attempt()
        if self.transport:
            self.send_raw(self.stream_footer)
            self.transport.abort()
            await self._gone.wait()

    async def receive(self):
        """The next message, or the error that one of ours came back with."""
        return await asyncio.wait_for(self.messages.get(), PATIENCE)


@contextlib.asynccontextmanager
async def session(server, jid, token):
    """Logged in, and gone at the end."""
    client = Client(server, jid, token)
    try:
        outcome = await client.log_in()
        assert outcome == ALLOWED, outcome
        yield client
    finally:
        await client.leave()


async def log_in(server, jid, password, user=None, gate=None):
    """One login and how it ended. A password in bytes is sent as it is; so is one that waits at a gate."""
    client = Client(server, jid, password if isinstance(password, str) else "")
    if gate or isinstance(password, bytes):
        client.present(password if isinstance(password, bytes) else password.encode(), gate)
    if user is not None:
        client.log_in_as(user)
    try:
        return await client.log_in()
    finally:
        await client.leave()

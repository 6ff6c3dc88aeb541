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


class Client(slixmpp.ClientXMPP):
    """A client that tells how its login ended."""

    def __init__(self, server, jid, password):
        # Without this each client reads all of the system's certificates first.
        with unittest.mock.patch.dict(os.environ, SSL_CERT_FILE=str(server.certificate), SSL_CERT_DIR=""):
            super().__init__(jid, password, sasl_mech="PLAIN")
        self.ca_certs = server.certificate
        self._address = ("127.0.0.1", server.port)
        self._ended = asyncio.get_running_loop().create_future()
        self.messages = asyncio.Queue()
        for event, outcome in (
            ("session_bind", lambda _: ALLOWED),
            ("failed_auth", lambda failure: failure["condition"]),
            ("stream_error", lambda error: error["condition"]),
            ("connection_failed", lambda why: f"no connection: {why}"),
            ("disconnected", lambda why: f"disconnected: {why}"),
        ):
            self.add_event_handler(event, lambda data, outcome=outcome: self._end(outcome(data)))
        self.add_event_handler("message", self.messages.put_nowait)
        self.add_event_handler("message_error", self.messages.put_nowait)

    def _end(self, outcome):
        if not self._ended.done():
            self._ended.set_result(outcome)

    def log_in_as(self, user):
        """Sends this user name in place of the JID's, which slixmpp has prepared already."""
        self.credentials["username"] = user

    def send_raw_password(self, password):
        """Sends these bytes as the password, which slixmpp would not."""
        mechanisms = self["feature_mechanisms"]

        def authenticate(_features):
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
        """Ends the stream, without the tenth of a second that ejabberd takes to say goodbye."""
        self.disconnect(wait=0, ignore_send_queue=True)
        await self.disconnected

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


async def log_in(server, jid, password, user=None):
    """One login and its outcome. A password in bytes is sent as it is."""
    client = Client(server, jid, "" if isinstance(password, bytes) else password)
    if isinstance(password, bytes):
        client.send_raw_password(password)
    if user is not None:
        client.log_in_as(user)
    try:
        return await client.log_in()
    finally:
        await client.leave()

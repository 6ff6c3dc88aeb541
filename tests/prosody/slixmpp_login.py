"""A login by a stock library, slixmpp, by any of the three mechanisms."""

import asyncio

import slixmpp
from slixmpp.util.sasl.client import Mech, sasl_mech

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

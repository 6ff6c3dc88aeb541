"""first_login.py JID: logs in at this machine's port 5222 with a stock client, over STARTTLS by PLAIN, with the password on
standard input. Prints how it ended."""

import asyncio
import ssl
import sys

import slixmpp


class Client(slixmpp.ClientXMPP):
    async def get_dns_records(self, domain, port=None):
        """None: the address is known."""
        return []

    def get_ssl_context(self):
        """Takes the certificate for trying things out that nobody has signed, as a person would."""
        context = super().get_ssl_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


async def log_in(jid, password):
    client = Client(jid, password, sasl_mech="PLAIN")
    ended = asyncio.get_running_loop().create_future()

    def end(outcome):
        if not ended.done():
            ended.set_result(outcome)

    client.add_event_handler("session_start", lambda _: end(f"logged in as {client.boundjid.bare}"))
    client.add_event_handler("failed_auth", lambda stanza: end(stanza["condition"]))
    client.connect(("127.0.0.1", 5222), force_starttls=True)
    try:
        return await asyncio.wait_for(ended, 30)
    finally:
        await client.disconnect(wait=1)


print(asyncio.run(log_in(sys.argv[1], sys.stdin.readline().strip())))

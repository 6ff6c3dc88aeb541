"""The ejabberd under test as the tests use it: its hosts, their minters, its relays and its log."""

import asyncio
import re
import time

import xmpp_login
from plone_minter import Minter
from processes import naps, running

HOST, OTHER_HOST = "chat.example", "other.example"

# What a refused login looks like in ejabberd's log; every other warning, and whatever is worse, is a complaint.
REFUSAL = r"Failed c2s PLAIN authentication"


class Site:
    HOSTS = (HOST, OTHER_HOST)
    POOL_SIZE = 4  # extauth_pool_size

    def __init__(self, ejabberd, relay, socket):
        self.ejabberd, self.relay, self.socket = ejabberd, relay, socket
        self.minters = {HOST: Minter.with_fresh_secrets(), OTHER_HOST: Minter.with_fresh_secrets()}
        self.expected = [r"self-signed certificate"]

    def start(self):
        self.ejabberd.start()
        wanted = self.POOL_SIZE * len(self.HOSTS)
        assert len(self._await_relays(lambda relays: len(relays) == wanted)) == wanted, "ejabberd lacks relays"

    def relays_left(self):
        """The relays that do not end with ejabberd."""
        return self._await_relays(lambda relays: not relays)

    def _await_relays(self, as_wanted, seconds=20):
        deadline = time.monotonic() + seconds
        while not as_wanted(self.relays()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.relays()

    def mint(self, jid, **options):
        return self.minters[jid.partition("@")[2]].mint(jid, **options)

    def log_in(self, jid, password, user=None):
        """One login from beginning to end: how it ended."""
        return asyncio.run(xmpp_login.log_in(self.ejabberd, jid, password, user))

    def log_in_many(self, logins):
        """Logins all at once, given as (jid, password): how each ended."""

        async def all_at_once():
            return await asyncio.gather(*(xmpp_login.log_in(self.ejabberd, *login) for login in logins))

        return asyncio.run(all_at_once())

    def mechanisms(self, jid, token):
        """The SASL mechanisms that ejabberd offers."""

        async def ask():
            async with xmpp_login.session(self.ejabberd, jid, token) as client:
                return client["feature_mechanisms"].mech_list

        return asyncio.run(ask())

    def log_in_everywhere(self, host):
        """Good logins that go once round the host's pool: the set of how they ended."""
        users = [f"user{number}@{host}" for number in range(self.POOL_SIZE)]
        return set(self.log_in_many([(jid, self.mint(jid)) for jid in users]))

    def relays(self):
        """The pids of the relays that ejabberd runs."""
        return running(self.relay)

    def relay_naps(self):
        """For each relay, how often it went to sleep: once more when it has asked a question and waits for the answer."""
        return {pid: naps(pid) for pid in self.relays()}

    def complaints(self, mark):
        """The lines of ejabberd's log since the mark that report a warning or worse."""
        log = self.ejabberd.log_since(mark)
        return [
            line for line in log.splitlines()
            if re.search(r"\[(warning|error|critical|alert|emergency)\]", line)
            and not any(re.search(pattern, line) for pattern in [REFUSAL, *self.expected])
        ]

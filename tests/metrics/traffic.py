"""A day of logins in two minutes: three hosts, a rate that rises and falls, and everything that gets a login denied."""

import math
import random
import time

from harness.clients import LengthClient, auth, isuser
from harness.minter import Key

SECOND = 1 / 9  # of the wave that the rate is, in radians


class Traffic:
    def __init__(self, daemon, hosts, seed=1):
        """hosts: [(domain, key, weight)]."""
        self.hosts = hosts
        self.random = random.Random(seed)
        self.clients = [LengthClient(daemon.socket) for _ in range(6)]
        self.count = 0
        self.began = time.monotonic()

    def close(self):
        for client in self.clients:
            client.close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            passed = time.monotonic() - self.began
            self.login(flood=30 < passed % 60 < 36)
            time.sleep(1 / (14 + 9 * math.sin(passed * SECOND) + 5 * self.random.random()))

    def login(self, flood):
        """A new user's login, and now and then one that is denied."""
        domain, key, _ = self.random.choices(self.hosts, [weight for _, _, weight in self.hosts])[0]
        self.count += 1
        jid = f"user{self.count}@{domain}"
        client = self.clients[self.count % len(self.clients)]
        token = key.mint(jid)
        client.ask(auth(jid, token), isuser(jid))
        chance = self.random.random()
        if flood and chance < 0.6:
            client.ask(auth(jid, Key().mint(jid)))
        elif chance < 0.05:
            client.ask(auth(jid, token))
        elif chance < 0.09:
            client.ask(auth(jid, Key().mint(jid)))
        elif chance < 0.12:
            client.ask(auth(jid, key.mint(jid, time.time() - 7200)))
        elif chance < 0.13:
            client.ask(auth(jid, "no such token"))

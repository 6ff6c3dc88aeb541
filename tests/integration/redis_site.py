"""A daemon that shares a Redis with others, and a client of it that understands could-not-decide."""

import calendar
import time

from harness import DEADLINE
from harness.clients import TRY_AGAIN, YES, LengthClient, auth
from harness.configuration import HOST, Configuration
from harness.minter import Key

ALICE = f"alice@{HOST}"
ANSWER_WITHIN = 2.0


class Site:
    def __init__(self, start, directory, redis, name="one", key=None, after_restart="accept", **options):
        place = directory / name
        place.mkdir(mode=0o711)
        self.configuration = Configuration(place, key or Key(interval=options.pop("interval", 30)))
        self.configuration.set("replay", store=options.pop("store", redis.store), after_restart=after_restart,
                               redis_password_file=options.pop("password_file", None))
        self.configuration.set("state", dir=place / "state")
        self.key = self.configuration.key
        self.interval, self.window = self.key.interval, 1
        self.daemon = start(self.configuration, **options)
        self.daemon.expect("event=store-failed", "event=record-incomplete")

    def ask(self, *questions):
        """The answers, within the promised time."""
        with LengthClient(self.daemon.socket) as client:
            begun = time.monotonic()
            answers = client.ask(b"features:tryagain", *questions)[1:]
            assert time.monotonic() - begun < ANSWER_WITHIN + 1.0, "an answer took too long"
        return answers

    def login(self, token=None):
        return self.ask(auth(ALICE, token or self.key.mint(ALICE)))[0]

    def await_login(self):
        """Logs in again and again, each time with a fresh token, as clients do."""
        deadline = time.monotonic() + DEADLINE
        while self.login() != YES:
            assert time.monotonic() < deadline, "logins do not resume"
            time.sleep(0.1)

    def refuses(self, token):
        """The token is refused as one that may have been spent before the record's beginning."""
        before = len(self.daemon.events("verdict", reason="starting"))
        assert self.login(token) == TRY_AGAIN
        self.daemon.await_event("verdict", before + 1, reason="starting")

    def expect_floor(self, since):
        """Tokens are refused that any daemon may have accepted before the loss: by clocks half a minute ahead of Redis', and so many
        steps; not for longer. since: a moment before the loss."""
        status = self.daemon.await_status(lambda status: status["replay"]["state"] == "starting")
        opens = calendar.timegm(time.strptime(status["replay"]["opens"], "%Y-%m-%dT%H:%M:%SZ"))
        beyond = 30 + (self.window + 1) * self.interval
        assert since + beyond - self.interval <= opens <= time.time() + beyond + 1
        return opens

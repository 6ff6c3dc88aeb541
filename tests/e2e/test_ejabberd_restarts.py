"""The daemon comes and goes under a running ejabberd. What must not happen is what a simple pump between the two does: it ends
with the daemon, and after a few dozen ends ejabberd gives up on its programs for good, until it is restarted itself.

The site's own watch sees to it in every test here that no relay is lost and ejabberd's log has no complaint."""

import asyncio
import collections
import contextlib
import datetime
import time

from ejabberd_site import HOST, OTHER_HOST
from plone_minter import Minter
from xmpp_login import ALLOWED, REFUSED, Gate, log_in

ALICE, MALLORY = f"alice@{HOST}", f"mallory@{HOST}"

# What a refused login may take. The relay gives the daemon some seconds, ejabberd gives the relay 30; past those it
# would stop the relay.
SOON = 20


class Traffic:
    """Users that log in over and over again, each with a fresh token, until told to stop."""

    def __init__(self, site, users):
        self._site = site
        self._users = [f"user{number}@{(HOST, OTHER_HOST)[number % 2]}" for number in range(users)]
        self._news = asyncio.Condition()
        self._stopping = False
        self.outcomes = collections.Counter()
        self.spent = collections.deque(maxlen=30)  # the latest

    async def _keep_logging_in(self, jid):
        while not self._stopping:
            token = self._site.mint(jid)
            outcome = await log_in(self._site.ejabberd, jid, token)
            async with self._news:
                self.outcomes[outcome] += 1
                if outcome == ALLOWED:
                    self.spent.append((jid, token))
                self._news.notify_all()

    async def more_successes(self, count):
        """Waits for this many logins more that succeed."""
        async with asyncio.timeout(SOON), self._news:
            wanted = self.outcomes[ALLOWED] + count
            await self._news.wait_for(lambda: self.outcomes[ALLOWED] >= wanted)

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, site, users=6):
        self = cls(site, users)
        tasks = [asyncio.create_task(self._keep_logging_in(jid)) for jid in self._users]
        try:
            await self.more_successes(users)
            yield self
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)


def both_hosts_answer(site):
    return site.log_in_everywhere(HOST) | site.log_in_everywhere(OTHER_HOST) == {ALLOWED}


def test_the_daemon_is_killed_between_logins(site, authd):
    for _ in range(3):
        assert site.log_in(ALICE, site.mint(ALICE)) == ALLOWED
        authd.kill()
        authd.start()
    assert both_hosts_answer(site)


def test_the_daemon_is_stopped_between_logins(site, authd):
    for _ in range(3):
        assert site.log_in(ALICE, site.mint(ALICE)) == ALLOWED
        authd.stop()
        authd.start()
    assert both_hosts_answer(site)


def interrupted_logins(site, authd, interrupt, count=12):
    """Logins whose questions wait for a daemon that is interrupted before it answers, and started anew: how each ended."""

    async def scenario():
        gate = Gate()
        users = [f"user{number}@{HOST}" for number in range(count)]
        logins = [asyncio.create_task(log_in(site.ejabberd, jid, site.mint(jid), gate=gate)) for jid in users]
        await gate.crowd(count)
        before = site.relay_naps()
        authd.pause()
        gate.open()
        async with asyncio.timeout(SOON):
            while sum(naps > before[pid] for pid, naps in site.relay_naps().items()) < site.POOL_SIZE:
                await asyncio.sleep(0.005)
        await asyncio.to_thread(interrupt)
        authd.start()
        async with asyncio.timeout(SOON):
            return collections.Counter(await asyncio.gather(*logins))

    return asyncio.run(scenario())


def test_the_daemon_is_killed_during_logins(site, authd):
    """The questions that it took with it, one a relay, are refused, for it may have spent their tokens. The others wait."""
    outcomes = interrupted_logins(site, authd, authd.kill)
    assert set(outcomes) == {ALLOWED, REFUSED}
    assert outcomes[REFUSED] <= site.POOL_SIZE
    assert both_hosts_answer(site)


def test_the_daemon_is_stopped_during_logins_and_not_one_fails(site, authd):
    """Told to stop, it answers what was asked; what was not yet asked waits for its successor."""

    def stop():
        authd.ask_to_stop()
        authd.resume()
        authd.await_stop()

    assert interrupted_logins(site, authd, stop) == {ALLOWED: 12}
    assert both_hosts_answer(site)


def test_restarts_under_a_stream_of_logins_cost_not_one_login(site, authd):
    async def scenario():
        async with Traffic.on(site) as traffic:
            for _ in range(10):
                await asyncio.to_thread(authd.stop)
                authd.start()
                await traffic.more_successes(3)
        return traffic

    traffic = asyncio.run(scenario())
    assert set(traffic.outcomes) == {ALLOWED}
    assert set(site.log_in_many(traffic.spent)) == {REFUSED}


def test_fifty_crashes_in_a_row_under_a_stream_of_logins_do_not_kill_the_pool(site, authd):
    async def scenario():
        async with Traffic.on(site) as traffic:
            for number in range(50):
                await asyncio.to_thread(authd.kill)
                authd.start()
                if number % 10 == 0:
                    await traffic.more_successes(3)
            await traffic.more_successes(6)
        return traffic

    traffic = asyncio.run(scenario())
    assert set(traffic.outcomes) <= {ALLOWED, REFUSED}
    assert set(site.log_in_many(traffic.spent)) == {REFUSED}
    assert both_hosts_answer(site)


def test_while_there_is_no_daemon_logins_are_refused_soon_and_its_return_ends_that(site, authd):
    authd.kill()
    began = time.monotonic()
    many = [(f"user{number}@{HOST}", "x") for number in range(20)]
    assert site.log_in_many(many) == [REFUSED] * len(many)
    assert time.monotonic() - began < SOON
    authd.start()
    assert site.log_in(ALICE, site.mint(ALICE)) == ALLOWED
    assert both_hosts_answer(site)


def test_a_silent_daemons_late_yes_lets_nobody_in(site, authd):
    authd.pause()
    good = [(jid, site.mint(jid)) for jid in (f"user{number}@{HOST}" for number in range(site.POOL_SIZE))]
    began = time.monotonic()
    assert site.log_in_many(good) == [REFUSED] * site.POOL_SIZE
    assert time.monotonic() - began < SOON
    authd.resume()
    assert site.log_in_many([(ALICE, "wrong")] * 2 * site.POOL_SIZE) == [REFUSED] * 2 * site.POOL_SIZE
    assert both_hosts_answer(site)


def test_a_token_spent_before_a_crash_stays_spent(site, authd):
    token = site.mint(ALICE)
    assert site.log_in(ALICE, token) == ALLOWED
    authd.kill()
    authd.start()
    mark = authd.log.mark()
    assert site.log_in(ALICE, token) == REFUSED
    assert authd.log.events(mark, event="verdict")[0]["reason"] == "replayed"


def test_without_a_record_of_spent_tokens_one_from_before_the_start_is_refused(site, authd):
    token = site.mint(ALICE)
    assert site.log_in(ALICE, token) == ALLOWED
    authd.kill()
    authd.configure(authd.hosts, store="memory", after_restart="refuse")
    authd.start()
    mark = authd.log.mark()
    assert site.log_in(ALICE, token) == REFUSED
    [verdict] = authd.log.events(mark, event="verdict")
    assert (verdict["verdict"], verdict["reason"]) == ("try-again", "starting")


def test_after_a_first_start_logins_open_when_the_log_says_so_and_stay_open(site, new_authd):
    minter, authd = Minter.with_fresh_secrets(interval=1), new_authd(socket=site.socket)
    authd.configure({HOST: authd.secrets_of(minter) | {"otp_window": 4}}, after_restart="refuse")
    authd.expected = ["event=record-incomplete"]
    opens = datetime.datetime.fromisoformat(authd.start()["refuses_tokens_minted_before"])
    assert site.log_in(ALICE, minter.mint(ALICE)) == REFUSED
    assert authd.log.events(event="verdict")[0]["reason"] == "starting"
    time.sleep(max(0, opens.timestamp() - time.time()))
    assert site.log_in(ALICE, minter.mint(ALICE)) == ALLOWED

    # From now on the record is complete: a crash closes nothing.
    authd.kill()
    assert "refuses_tokens_minted_before" not in authd.start()
    assert site.log_in(ALICE, minter.mint(ALICE)) == ALLOWED

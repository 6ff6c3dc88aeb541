"""A daemon that is slow, silent, killed, restarted, drained or wrong: other sessions notice nothing, a login gets its own
answer or temporary-auth-failure, and the next login works without anybody's help."""

import asyncio
import re
import time

import pytest

from fake_daemon import ANSWERS
from xmpp_client import Client, Denied, plain_message

UNDECIDED = r"login undecided from 127\.0\.0\.1: "
UNANSWERED = r"xmpp-authd left \d+ questions without an answer: "
AWAY = r"xmpp-authd is away \("

OUTCOMES = {"yes": None, "no": "not-authorized", "try-again": "temporary-auth-failure"}


async def attempt(here, token, user="alice"):
    """One login without a session: None when let in, or the condition."""
    client = await Client.connect(here.port, here.host)
    try:
        return await client.authenticate(plain_message(user, token))
    finally:
        await client.close()


async def until(is_so):
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.005)


async def ping_during(client, work):
    """Seconds of each ping of a session that pings while the work goes on."""
    pings = []
    task = asyncio.ensure_future(work)
    while not task.done():
        pings.append(await client.ping())
        await asyncio.sleep(0.01)
    await task
    return sorted(pings)


def assert_nobody_was_held_up(pings, usual):
    """19 of 20 pings under 100 ms, and none anywhere near the daemon's silence; on top of what the same session saw just
    before with a quick daemon, for the machine has other work."""
    almost_all, worst = pings[len(pings) * 19 // 20], pings[-1]
    assert almost_all < 0.1 + usual[-1], f"{almost_all:.3f} s, usually {usual[-1]:.3f} s at worst"
    assert worst < 1 + usual[-1], f"{worst:.3f} s, usually {usual[-1]:.3f} s at worst"


def started(here, verdicts):
    """Starts a login for each verdict; returns the tasks."""
    return [
        asyncio.ensure_future(attempt(here, here.token(verdict), f"user{number}"))
        for number, verdict in enumerate(verdicts)
    ]


def assert_nothing_was_asked_twice(here):
    assert len(set(here.daemon.questions)) == len(here.daemon.questions)


def test_a_daemon_that_takes_3_seconds_delays_nobody_else(site, run):
    here = site("login.test")

    async def logins(delay):
        here.daemon.delay = delay
        verdicts = ["yes", "no"] * 10
        outcomes = await asyncio.gather(*started(here, verdicts))
        assert outcomes == [OUTCOMES[verdict] for verdict in verdicts]

    async def several_quick_logins():
        for _ in range(5):
            await logins(0)

    async def story():
        observer = await Client.login(here.port, here.host, "observer", here.token())
        usual = await ping_during(observer, several_quick_logins())
        assert_nobody_was_held_up(await ping_during(observer, logins(3)), usual)
        await observer.close()

    run(story())


def test_an_answer_past_the_deadline_is_nobodys(site, run, expect):
    """The daemon says yes to a login that has given up; the next one, with a wrong token, must not get it."""
    here = site("quick.test")
    expect(UNDECIDED, UNANSWERED)

    async def story():
        here.daemon.delay = 1.2
        began = time.monotonic()
        assert await attempt(here, here.token()) == "temporary-auth-failure"
        assert 0.9 < time.monotonic() - began
        here.daemon.delay = 0.4  # the late yes is sent while this one waits
        assert await asyncio.gather(*started(here, ["no"] * 8)) == ["not-authorized"] * 8
        here.daemon.delay = 0
        assert await attempt(here, here.token()) is None

    run(story())
    assert_nothing_was_asked_twice(here)


def test_an_answer_within_the_deadline_counts(site, run):
    here = site("quick.test")
    here.daemon.delay = 0.6

    async def story():
        verdicts = ["yes", "no"] * 6
        outcomes = await asyncio.gather(*started(here, verdicts))
        assert outcomes == [OUTCOMES[verdict] for verdict in verdicts]

    run(story())


def test_killed_in_the_middle(site, run, expect):
    """What was asked gets temporary-auth-failure at once and is never asked again; the next login waits for the restart."""
    here = site("login.test")
    expect(UNDECIDED, UNANSWERED)

    async def story():
        observer = await Client.login(here.port, here.host, "observer", here.token())
        here.daemon.silent = True
        caught = started(here, ["yes"] * 12)
        await until(lambda: len(here.daemon.questions) == 13)
        here.daemon.stop()
        began = time.monotonic()
        assert await asyncio.gather(*caught) == ["temporary-auth-failure"] * 12
        assert time.monotonic() - began < 2
        here.daemon.silent = False
        waiting = asyncio.ensure_future(attempt(here, here.token()))
        pings = await ping_during(observer, asyncio.sleep(0.5))
        here.daemon.start()
        began = time.monotonic()
        assert await waiting is None
        assert time.monotonic() - began < 1
        assert len(pings) > 1  # nobody else had to wait for it
        await observer.close()

    run(story())
    assert_nothing_was_asked_twice(here)


def test_restarts_under_a_stream_of_logins(site, run, expect):
    """Every login gets its own answer or temporary-auth-failure, and none that came after the restart fails."""
    here = site("login.test")
    expect(UNDECIDED, UNANSWERED)
    here.daemon.delay = 0.02

    async def story():
        for _ in range(5):
            verdicts = ["yes", "no"] * 10
            tasks = started(here, verdicts)
            await asyncio.sleep(0.03)
            here.daemon.stop()
            await asyncio.sleep(0.05)
            here.daemon.start()
            for verdict, outcome in zip(verdicts, await asyncio.gather(*tasks)):
                assert outcome in (OUTCOMES[verdict], "temporary-auth-failure")
            assert await attempt(here, here.token()) is None

    run(story())
    assert_nothing_was_asked_twice(here)


def test_a_drained_daemon_loses_no_login(site, run):
    """It takes no more questions but answers those it has: no login fails, and none is asked twice."""
    here = site("login.test")

    async def story():
        assert await attempt(here, here.token()) is None
        for _ in range(5):
            here.daemon.delay = 0.2
            due = started(here, ["yes", "no"] * 4)
            asked = len(here.daemon.questions) + 8
            await until(lambda: len(here.daemon.questions) == asked)
            here.daemon.drain()
            here.daemon.delay = 0
            moved = started(here, ["yes", "no"] * 4)
            await asyncio.sleep(0.05)
            here.daemon.start()
            assert await asyncio.gather(*due, *moved) == [None, "not-authorized"] * 8

    run(story())
    assert_nothing_was_asked_twice(here)


def test_a_long_outage(site, run, expect):
    here = site("quick.test")
    expect(UNDECIDED, AWAY)
    here.daemon.stop()

    async def story():
        mark = here.prosody.mark()
        assert await asyncio.gather(*started(here, ["yes"] * 5)) == ["temporary-auth-failure"] * 5
        assert await attempt(here, here.token()) == "temporary-auth-failure"
        here.daemon.start()
        began = time.monotonic()
        assert await attempt(here, here.token()) is None
        assert time.monotonic() - began < 1
        said = [line for line in here.prosody.log_since(mark) if "auth_xmpp_authd" in line and "xmpp-authd " in line]
        wanted = (r"\tinfo\t.*logins wait", r"\twarn\t.*temporary-auth-failure", r"\tinfo\t.*answers again")
        assert len(said) == 3 and all(map(re.search, wanted, said)), said

    run(story())


def test_a_socket_that_nobody_listens_on(site, run, expect):
    """The file is there, as after a crash."""
    here = site("quick.test")
    expect(UNDECIDED, AWAY)
    here.daemon.crash()

    async def story():
        assert await attempt(here, here.token()) == "temporary-auth-failure"
        here.daemon.start()
        assert await attempt(here, here.token()) is None

    run(story())


# What the daemon sends in place of an answer.
WRONG_ANSWERS = {
    "a fourth answer": b"\0\2\0\3",
    "a yes in the wrong byte": b"\0\2\1\0",
    "another length": b"\0\3\0\0\1",
    "the line protocol's yes": b"1\n",
    "the line protocol's yes twice": b"1\n1\n",
    "half an answer": b"\0\2",
    "a lot of nothing": b"\0" * 100000,
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_garbage_is_no_answer(site, run, expect, wrong):
    here = site("quick.test")
    expect(UNDECIDED, UNANSWERED)
    here.daemon.reply = lambda question: wrong

    async def story():
        assert await asyncio.gather(*started(here, ["yes"] * 4)) == ["temporary-auth-failure"] * 4
        here.daemon.reply = None
        assert await asyncio.gather(*started(here, ["yes", "no"] * 4)) == [None, "not-authorized"] * 4

    run(story())


@pytest.mark.parametrize("extra", (ANSWERS["yes"], b"\0", b"1\n"), ids=("a yes", "a NUL", "a line"))
def test_what_nobody_asked_for_is_nobodys(site, run, extra):
    """Sent after an answer, or while nothing is asked: the next login, with a wrong token, must not get it."""
    here = site("quick.test")

    async def story():
        here.daemon.reply = lambda question: ANSWERS["yes"] + extra
        assert await asyncio.gather(*started(here, ["yes"] * 4)) == [None] * 4
        here.daemon.reply = None
        assert await asyncio.gather(*started(here, ["no"] * 8)) == ["not-authorized"] * 8
        here.daemon.say(extra)
        assert await asyncio.gather(*started(here, ["no"] * 8)) == ["not-authorized"] * 8

    run(story())


@pytest.mark.parametrize("hello", (ANSWERS["no"], None), ids=("no", "silence"))
def test_a_daemon_that_can_not_say_try_again_is_not_trusted(site, run, expect, hello):
    """Its no could be a could-not-decide. (A restart first, so that there is no older connection.)"""
    here = site("quick.test")
    expect(UNDECIDED, AWAY)
    here.daemon.stop()
    here.daemon.hello = hello
    here.daemon.start()

    async def story():
        assert await attempt(here, here.token("no")) == "temporary-auth-failure"
        assert here.daemon.questions == []
        here.daemon.stop()
        here.daemon.hello = ANSWERS["yes"]
        here.daemon.start()
        assert await attempt(here, here.token("no")) == "not-authorized"

    run(story())


def test_the_queue_is_bounded(site, run, expect):
    here = site("narrow.test")
    expect(UNDECIDED, UNANSWERED)
    here.daemon.silent = True

    async def story():
        waiting = started(here, ["yes"] * 3)
        await until(lambda: len(here.daemon.questions) == 3)
        here.daemon.delay = 0
        overflow = started(here, ["yes"] * 5)
        done, _ = await asyncio.wait(overflow + waiting, return_when=asyncio.FIRST_COMPLETED)
        assert done <= set(overflow)
        assert await asyncio.gather(*overflow, *waiting) == ["temporary-auth-failure"] * 8
        here.daemon.silent = False
        assert await attempt(here, here.token()) is None

    run(story())
    assert len(here.daemon.questions) == 4


def test_a_daemon_that_does_not_read(site, run):
    """More questions than the system takes: the rest goes out when the daemon reads again, and every login gets its own
    answer."""
    here = site("single.test")
    verdicts = ["yes", "no"] * 120
    passwords = {f"user{number}": f"{number} " + "p" * 1000 for number in range(len(verdicts))}

    async def story():
        assert await attempt(here, here.token()) is None
        here.daemon.tokens.update((passwords[f"user{number}"], verdict) for number, verdict in enumerate(verdicts))
        here.daemon.listen(False)
        mark = here.prosody.mark()
        tasks = [asyncio.ensure_future(attempt(here, password, user)) for user, password in passwords.items()]
        await until(lambda: sum("Received[c2s_unauthed]: <auth" in line for line in here.prosody.log_since(mark)) == 240)
        assert not any(task.done() for task in tasks)
        here.daemon.listen(True)
        assert await asyncio.gather(*tasks) == [OUTCOMES[verdict] for verdict in verdicts]

    run(story())
    assert_nothing_was_asked_twice(here)


def test_slow_logins_are_spread_over_the_connections(site, run):
    """One slow answer holds up those behind it on its connection; with four, the next three logins have one each."""
    here = site("login.test")

    async def story():
        assert await attempt(here, here.token()) is None
        here.daemon.delay = 1
        slow = started(here, ["yes"])
        await until(lambda: len(here.daemon.questions) == 2)
        here.daemon.delay = 0
        done, _ = await asyncio.wait(slow + started(here, ["yes"] * 3), return_when=asyncio.FIRST_COMPLETED)
        assert slow[0] not in done
        assert await slow[0] is None

    run(story())


def test_a_login_over_tls_waits_for_a_restart(site, run):
    here = site("login.test")
    here.daemon.stop()

    async def story():
        login = asyncio.ensure_future(Client.login(here.port, here.host, "alice", here.token(), "X-TOKEN", tls=True))
        await asyncio.sleep(0.2)
        here.daemon.start()
        client = await login
        await client.ping()
        await client.close()

    run(story())


def test_a_wrong_token_is_denied_after_a_restart(site, run):
    here = site("login.test")
    token = here.token("no")

    async def story():
        here.daemon.stop()
        login = asyncio.ensure_future(Client.login(here.port, here.host, "alice", token))
        await asyncio.sleep(0.1)
        here.daemon.start()
        with pytest.raises(Denied, match="not-authorized"):
            await login

    run(story())

"""The relay, between a chat server and a daemon: each of its calls fails in turn. It says yes to nothing but what the daemon said yes to,
asks no question twice, and it answers or exits, in time."""

import concurrent.futures
import subprocess

import pytest

import tally
from faults import FOREVER, HARMLESS, Faults, errors, functions
from injection import numbers
from relay_peers import FRAMINGS, RELAY, Daemon, Relay

ANSWERS_WITHIN = 12  # seconds: the five that it promises, and what a busy machine needs
AT_ONCE = 6
# The relay waits for memory to be back where it can't even wait for anything else.
WHILE = {("poll", "ENOMEM"): 40, ("write", "ENOMEM"): 40}


def talk(directory, framing, faults, arm=lambda: None):
    """Asks four questions, the first and the last to be answered yes; (answers, status, what reached the daemon, standard error)."""
    texts = [b"auth:user%d:example.org:%s" % (number, word) for number, word in enumerate((b"right", b"wrong", b"wrong", b"right"))]
    answers = []
    with Daemon(directory / "s", framing) as daemon:
        arm()
        with (directory / "err").open("w+b") as log, Relay(daemon.path, framing, env=faults.environment, stderr=log) as relay:
            try:
                for text in texts:
                    relay.send(framing.frame(text))
                    answers.append(relay.answer(ANSWERS_WITHIN))
                    if answers[-1] in (b"", None):
                        break
                relay.close_input()
            except BrokenPipeError:
                answers.append(b"")
            try:
                status = relay.exit_status(ANSWERS_WITHIN)
            except subprocess.TimeoutExpired:
                status = 99
            log.seek(0)
            return answers, status, list(daemon.questions), log.read()


def judge(framing, what, came):
    """What is wrong with it."""
    answers, status, asked, log = came
    wrong = []
    if None in answers:
        wrong.append("no answer, and no end")
    if framing.yes in answers[1:3] or any(answer not in (framing.yes, framing.no, b"", None) for answer in answers):
        wrong.append(f"answers {answers}")
    if len(set(asked)) != len(asked):
        wrong.append(f"asked twice: {asked}")
    if status < 0 or status > 2:
        wrong.append(f"exit status {status}")
    if what[1] in HARMLESS and what[2] != FOREVER and (answers != [framing.yes, framing.no, framing.no, framing.yes] or status != 0):
        wrong.append(f"{answers}, status {status} after a failure that is none")
    return [(*what, text, log[-200:]) for text in wrong]


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_calls_of_the_relay_that_fail(directory, framing, stride):
    faults = Faults(directory / "page")
    usual = talk(directory, framing, faults)
    assert usual[0] == [framing.yes, framing.no, framing.no, framing.yes] and usual[1] == 0
    counts = {name: count for name, count in faults.calls().items() if count}
    assert {"read", "write", "poll", "recv", "connect", "socket"} <= set(counts)
    plan = [(name, error, number, times) for name, count in counts.items() for error in errors(name, stride)
            for number, times in [(number, 1) for number in numbers(count, stride)] + ([(1, WHILE.get((name, error), FOREVER))] if stride else [])
            if times == 1 or error not in HARMLESS]  # nothing is interrupted for ever

    def play(order, step):
        place = directory / str(order)
        place.mkdir()
        own = Faults(place / "page")
        name, error, number, times = step
        came = talk(place, framing, own, lambda: own.arm(name, error, number, times))
        tally.count("relay", name, own.disarm() if times == 1 else 1, own.place())
        return judge(framing, (name, error, times if times != 1 else number, functions(RELAY, own.place())), came)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [line for lines in pool.map(play, range(len(plan)), plan) for line in lines]
    assert not wrong, "\n".join(map(str, wrong[:40]))


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_a_look_for_a_stale_yes_that_is_interrupted_is_made_again(directory, framing):
    faults = Faults(directory / "page")
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing, env=faults.environment) as relay:
        relay.send(framing.frame(b"auth:user0:example.org:right"))
        assert relay.answer(ANSWERS_WITHIN) == framing.yes
        relay.stop()
        daemon.connections[0].send(framing.yes)
        relay.send(framing.frame(b"auth:user1:example.org:wrong"))
        faults.arm("recv", "EINTR", 1, 1)
        relay.resume()
        assert relay.answer(ANSWERS_WITHIN) == framing.no
        assert faults.disarm() == 1

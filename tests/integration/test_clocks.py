"""Clocks that disagree: what genuine stale tokens may cost, and what is said of the minter's clock."""

import time

from harness.clients import NO, YES, LengthClient, auth
from harness.configuration import HOST
from harness.minter import Key

HOUR = 3600


def cost(daemon, questions, answer):
    """The daemon's processor time for these questions, in nanoseconds each; all have the same answer."""
    with LengthClient(daemon.socket) as client:
        before = daemon.processor_nanoseconds()
        for at in range(0, len(questions), 200):
            assert set(client.ask(*questions[at : at + 200])) == {answer}
        return (daemon.processor_nanoseconds() - before) / len(questions)


def flood(key, count, age=0, host=HOST):
    """Questions about fresh or old tokens, each of them another one."""
    now = time.time()
    return [auth(f"user{i}@{host}", key.mint(f"user{i}@{host}", now - age)) for i in range(count)]


def test_a_flood_of_stale_tokens_costs_no_more_than_a_flood_of_good_ones(start, configuration):
    daemon = start()
    rounds = []
    for number in range(7):
        stale = cost(daemon, flood(configuration.key, 3000, HOUR + 300 * number), NO)
        good = cost(daemon, flood(configuration.key, 3000), YES)
        rounds.append((good, stale))
    # What others do on the machine adds to a round, and never takes away. A third is for what is left of that.
    good, stale = (min(values) for values in zip(*rounds))
    assert stale <= 1.33 * good, f"a stale token costs {stale:.0f} ns, a good one {good:.0f} ns: {rounds}"


def test_stale_tokens_of_many_hosts_in_turn_can_t_force_a_table_each(start, configuration):
    """Somebody with an account on each of them. A table costs thousands of HMACs and 96 KiB."""
    hosts = 400
    keys = {f"h{number}.example": Key() for number in range(hosts)}
    for host, key in keys.items():
        configuration.host(host, key)
    daemon = start()
    old = time.time() - HOUR
    stale = [auth(f"mallory@{host}", key.mint(f"mallory@{host}", old)) for host, key in keys.items()]
    cost(daemon, flood(configuration.key, 2000), YES)
    good = cost(daemon, flood(configuration.key, 2000), YES)
    resident, began = daemon.resident(), time.monotonic()
    total = sum(cost(daemon, stale, NO) * hosts for _ in range(5))
    seconds = time.monotonic() - began
    # A table of 6,243 OTPs takes as long as thousands of logins: one a second, and one at the beginning, where hosts in turn
    # without a bound would take five times 400.
    tables = (total - 5 * hosts * good) / (3000 * good)
    assert tables <= 2 * (seconds + 2), f"{total / good:.0f} logins' time in {seconds:.1f} s"
    assert daemon.resident() - resident < 6 * 1024

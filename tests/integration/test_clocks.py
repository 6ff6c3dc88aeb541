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
    daemon = start().expect("event=minter-clock ")
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


def present(daemon, key, users, age):
    """A stale token of each of these users; nobody gets in."""
    jids = [f"{user}@{HOST}" for user in users]
    assert daemon.ask(*[auth(jid, key.mint(jid, time.time() - age)) for jid in jids], auth("x@else.where", "x")) == [NO] * (
        len(jids) + 1)


def clock(daemon):
    """What the status says of the hosts' clocks."""
    return daemon.status().get("clock")


def test_one_user_alone_never_makes_a_clock_alert(daemon, configuration):
    """A client that sends a dead token again and again passes every offset; and somebody may have any number of tokens."""
    dead = auth(f"mallory@{HOST}", configuration.key.mint(f"mallory@{HOST}", time.time() - 2 * HOUR))
    assert daemon.ask(*[dead] * 50) == [NO] * 50
    present(daemon, configuration.key, ["mallory"] * 50, HOUR)
    present(daemon, configuration.key, ["alice"], HOUR)  # one that happens to be as old
    present(daemon, configuration.key, ["mallory"] * 50, HOUR)
    assert not daemon.events("minter-clock") and clock(daemon) is None


def test_two_users_tokens_make_an_alert_and_good_logins_end_it(start, configuration):
    daemon = start().expect("event=minter-clock ")
    present(daemon, configuration.key, ["alice", "bob", "alice", "bob"], HOUR)
    alert = daemon.await_event("minter-clock")
    assert alert["host"] == HOST and alert["level"] == "warning"
    assert abs(int(alert["clock_offset_s"]) + HOUR) <= 30 and alert["time_zone_bug_s"] == str(-HOUR)
    assert (alert["users"], alert["tokens"]) == ("2", "4") and "zone" in alert["advice"]
    assert clock(daemon)["host"] == HOST and clock(daemon)["offset_s"] == alert["clock_offset_s"]
    present(daemon, configuration.key, [f"user{i}" for i in range(30)], HOUR)  # more of the same is no news
    for user in ("alice", "bob", "carol"):
        jid = f"{user}@{HOST}"
        assert clock(daemon) and daemon.ask(auth(jid, configuration.key.mint(jid))) == YES
    daemon.await_event("minter-clock-recovered", host=HOST)
    assert clock(daemon) is None and len(daemon.events("minter-clock")) == 1


def test_a_host_that_others_log_in_to_is_not_alerted_of(daemon, configuration):
    for _ in range(20):
        present(daemon, configuration.key, ["mallory"], HOUR)
        present(daemon, configuration.key, ["accomplice"], HOUR)
        for user in ("alice", "bob"):
            assert daemon.ask(auth(f"{user}@{HOST}", configuration.key.mint(f"{user}@{HOST}"))) == YES
    assert not daemon.events("minter-clock")


def test_an_alert_survives_a_reload_and_belongs_to_its_host(start, configuration):
    configuration.host("other.example", Key())
    daemon = start().expect("event=minter-clock ")
    present(daemon, configuration.key, ["alice", "bob"], 1000)
    assert daemon.reload() == "reloaded"
    present(daemon, configuration.key, ["carol"], 1000)
    alert = daemon.await_event("minter-clock")
    assert alert["host"] == HOST and "time_zone_bug_s" not in alert and "NTP" in alert["advice"]
    assert daemon.reload() == "reloaded" and clock(daemon)["host"] == HOST

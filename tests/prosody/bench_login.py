#!/usr/bin/python3
"""What a login through xmpp-authd costs Prosody.

    bench_login.py [--pairs N] [--logins N]

Measured with the real daemon:

    time    from a client's SASL message reaching the provider to the provider's verdict
    CPU     that Prosody spends on a full login (stream, STARTTLS, SASL PLAIN, bind, close), with our module and with one
            that just says yes; and the same without STARTTLS, which no operator would do, but where the module's share is
            largest. Two Prosodys run side by side and take turns, a few logins each; the ratio is the median over the pairs
            of turns. (A turn costs more than the one before: Prosody remembers a connection for c2s_timeout, and its garbage
            collector walks over all of them. That is the same for both.)

Needs what the tests need, and the programs in build/ (or where XMPP_AUTHD_BUILD says).
"""

import argparse
import asyncio
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "e2e"))

from prosody_server import Prosody, make_certificate
from real_daemon import RealDaemon
from xmpp_client import Client

HOST = "bench.test"
AT_ONCE = 8  # logins that are under way at any moment
WARM_UP = 100
TARGET = 1.05


def cpu_seconds(pid):
    """What the process spent on a CPU so far, to the nanosecond."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


async def log_in(port, tokens, tls):
    """All tokens, AT_ONCE of them at a time."""
    async def one_after_another():
        while tokens:
            user, token = tokens.pop()
            await (await Client.login(port, HOST, user, token, tls=tls)).close()

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def turn(prosody, daemon, logins, tls):
    """CPU seconds a login."""
    users = [f"user{number}" for number in range(logins)]
    tokens = [(user, daemon.token(user)) for user in users]
    before = cpu_seconds(prosody.pid)
    asyncio.run(log_in(prosody.port, tokens, tls))
    time.sleep(0.02)  # the last close is paid for, too
    return (cpu_seconds(prosody.pid) - before) / logins


def make_prosody(directory, settings):
    directory.mkdir()
    make_certificate(directory, HOST)
    return Prosody(directory, {HOST: settings}, level="info", plugins=(HERE / "plugins",))


def measure_cpu(yes, own, daemon, options, tls):
    """(CPU a login with our module, with the one that says yes) for each pair of turns."""
    for prosody in (yes, own):
        turn(prosody, daemon, WARM_UP, tls)
    rows = []
    for number in range(options.pairs):
        order = (yes, own) if number % 2 else (own, yes)  # neither is always the first
        spent = {prosody: turn(prosody, daemon, options.logins, tls) for prosody in order}
        rows.append((spent[own], spent[yes]))
    return rows


def measure_time(directory, daemon, ours, logins):
    """Seconds from message to verdict, sorted: one login at a time."""
    prosody = make_prosody(directory / "time", ours + '; modules_enabled = { "answer_clock" }')
    prosody.start()

    async def one_by_one():
        for number in range(logins):
            user = f"user{number}"
            await (await Client.login(prosody.port, HOST, user, daemon.token(user))).close()

    try:
        asyncio.run(one_by_one())
    finally:
        prosody.stop()
    lines = (prosody.directory / "data" / "answer-times").read_text().split()
    return sorted(map(float, lines[WARM_UP:]))


def measure_cpu_both_ways(directory, daemon, ours, options):
    yes = make_prosody(directory / "yes", 'authentication = "yes"')
    own = make_prosody(directory / "own", ours)
    for prosody in (yes, own):
        prosody.start()
    try:
        for tls in (False, True):
            report_cpu(measure_cpu(yes, own, daemon, options, tls), options.logins, tls)
    finally:
        for prosody in (yes, own):
            prosody.stop()


def report_time(times):
    at = lambda share: times[int(share * (len(times) - 1))] * 1e6
    print(f"message to verdict, {len(times)} logins one by one: median {at(0.5):.0f} us, 99% {at(0.99):.0f} us")


def report_cpu(rows, logins, tls):
    own, yes = (statistics.median(column) * 1e3 for column in zip(*rows))
    ratios = sorted(own / yes for own, yes in rows)
    quarter = len(ratios) // 4
    print(f"CPU a login {'with STARTTLS' if tls else 'unencrypted'}, {len(rows)} pairs of {logins}:")
    print(f"    median {own:.3f} ms, {yes:.3f} ms for the module that just says yes")
    print(f"    ratio: median {statistics.median(ratios):.3f} (target at most {TARGET}), half of the pairs from "
          f"{ratios[quarter]:.3f} to {ratios[-1 - quarter]:.3f}")


def main():
    parser = argparse.ArgumentParser(description="What a login through xmpp-authd costs Prosody.")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--logins", type=int, default=50, help="in each turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prosody-bench-") as name:
        directory = pathlib.Path(name)
        daemon = RealDaemon(directory / "daemon", HOST)
        daemon.start()
        ours = f'xmpp_authd_socket = "{daemon.path}"'
        try:
            report_time(measure_time(directory, daemon, ours, WARM_UP + 1000))
            measure_cpu_both_ways(directory, daemon, ours, options)
        finally:
            daemon.stop()


if __name__ == "__main__":
    main()

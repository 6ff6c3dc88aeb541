"""Latency at half load: questions that come as logins do, at moments which no answer moves, at half of what all servers sustain."""

import contextlib
import math
import statistics

import svg
from report import Chapter, Mark, table
from servers import STORES
from throughput import FRAMINGS, Load, put, run_of

SERVERS = (*STORES, "floor")
# The floor twice: how far its second is from its first is how far chance takes a ratio in this run.
CONTROL = "floor again"
TURNS = (*SERVERS, CONTROL)
CLIENTS = 50
DEPTH_MAX = 256  # of a client's questions; with more unanswered it fails
QUESTIONS = 3_000  # a run: short, so that most runs have none of the pauses that the machine makes
REPEATS = 30  # of each server in a round, on the same daemons
MARK = 1.0
# A server that is exactly as good is worse in half of the runs: so much of the noise of this run, and no more, is let pass.
NOISE_MAX = 0.05
VALUES = ("p50_us", "p99_us", "p999_us", "busy")


def half_of_slowest(throughput_figures, framing):
    """Half of what the slowest of the servers answers to as many clients in ping-pong: questions a second."""
    (load,) = [of for of in throughput_figures if (of["clients"], of["depth"], of["framing"]) == (CLIENTS, 1, framing)]
    return min(load["servers"][server]["rate"] for server in SERVERS) / 2


def _run_round(bench, load, rate, turn, repeats):
    """A round: each server so many times, in turns."""
    order = TURNS[turn:] + TURNS[:turn]
    with contextlib.ExitStack() as stack:
        for server in SERVERS:
            stack.enter_context(bench.running(server))
        lines = put(bench, load, [server.removesuffix(" again") for server in order] * repeats, "--rate", int(rate))
    runs = [(run_of(line, load), float(line["late_p99_us"])) for line in lines]
    return [dict(zip(order, runs[i : i + len(order)], strict=True)) for i in range(0, len(runs), len(order))]


def _noise(low, high, count):
    """Two standard errors of the median of so many ratios with these quartiles."""
    return 2 * 1.2533 * (high - low) / 1.349 / math.sqrt(count)


def _figures(framing, rate, results):
    servers = {}
    for server in TURNS:
        ratios = [result[server][0].p99_us / result["floor"][0].p99_us for result in results]
        low, median, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        medians = {name: statistics.median(getattr(result[server][0], name) for result in results) for name in VALUES}
        late = statistics.median(result[server][1] for result in results)
        servers[server] = {
            **medians, "late_p99_us": late,
            "p99_of_floor": median, "noise": _noise(low, high, len(ratios)), "quarter": low, "three_quarters": high,
        }
    return {"framing": framing, "clients": CLIENTS, "rate": rate, "runs": len(results), "servers": servers}


def _rows(figures):
    return [
        [figures["framing"], f"{figures['rate']:,.0f}", server, f"{of['busy']:.2f}"]
        + [f"{of[name]:.0f}" for name in ("p50_us", "p99_us", "p999_us", "late_p99_us")]
        + [f"{of['p99_of_floor']:.2f}", f"{of['noise']:.2f}"]
        for server, of in figures["servers"].items()
    ]


def measure(bench, options, throughput_figures):
    """p99 of the daemon beside the floor's at the same rate; the marks."""
    chapter = Chapter("Latency at half load", "half_load", figures=[])
    rows = []
    for framing in FRAMINGS[:1] if options.quick else FRAMINGS:
        load = Load(CLIENTS, DEPTH_MAX, 1_000 if options.quick else QUESTIONS, framing)
        rate = 10_000 if options.quick else half_of_slowest(throughput_figures, framing)
        results = []
        for turn in range(1 if options.quick else max(options.rounds * 2 // 3, 1)):
            results += _run_round(bench, load, rate, turn % len(TURNS), 1 if options.quick else REPEATS)
        figures = _figures(framing, rate, results)
        rows += _rows(figures)
        for store in STORES:
            name = f"half load, {framing}: p99 of {store} of the floor's"
            of = figures["servers"][store]
            chapter.marks.append(Mark(name, of["p99_of_floor"], round(MARK + min(of["noise"], NOISE_MAX), 2), False))
        chapter.figures.append(figures)
    header = ["framing", "asked/s", "server", "busy", "p50 us", "p99 us", "p99.9 us", "late p99 us"]
    header += ["p99 of floor", "noise"]
    chapter.tables.append(table(header, rows))
    chapter.notes.append(
        f"{CLIENTS} clients. \"busy\" is the share of its core that the server used; \"late\" how long after its moment a question "
        "was sent, which is in every server's latency alike; \"p99 of floor\" is the median of the runs' ratios, and \"noise\" two "
        f"of its standard errors, of which the mark lets {NOISE_MAX} pass. \"{CONTROL}\" is the same floor once more: as far as it is from 1, "
        "so far chance takes the others too."
    )
    chapter.plots = plots(chapter.figures)
    return chapter


def plots(figures):
    """The percentiles of each server, a panel a framing."""
    percentiles = (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))
    groups = [
        (f"{of['framing']} framing, {of['rate']:,.0f} questions a second: {percentile}",
         [svg.Bar(server, values[name], server in STORES) for server, values in of["servers"].items() if server != CONTROL])
        for of in figures
        for percentile, name in percentiles
    ]
    what = "Time to an answer at half load"
    return {"latency-half-load.svg": (what, svg.bars(what, "microseconds from the moment a question was due", groups))}

"""What things cost: the shared store, the record on disk, a verdict, a spent token, a connection."""

import dataclasses
import statistics

import measures
import svg
from report import Chapter, Mark, table
from throughput import Load, median_run

SHARED_MIN = 0.5  # of what redis-benchmark does with the same clients
RECORD_BYTES_MAX = 64
FLAT_MAX = 2.0  # a spend among a million records, of one among a thousand: caches are not what grows
VERDICT_HMACS_MAX = 2.2
VERDICT_FLAT_MAX = 1.1  # with the most tokens spent, of what it costs with the fewest
SPENT_TOKEN_BYTES_MAX = 48
CONNECTION_BYTES_MAX = 1024
IDLE_MEBIBYTES_MAX = 12

LIVE_TOKENS = (1_000, 100_000, 1_000_000)


def _live_tokens(options):
    return LIVE_TOKENS[:1] if options.quick else LIVE_TOKENS


def shared_store(bench, options):
    """The daemon over a Redis beside Redis' own benchmark; the mark."""
    load = Load(50, 1, 2_000 if options.quick else 60_000, "generic")
    pairs = measures.shared_store(bench, load, 1 if options.quick else max(options.rounds // 2, 1))
    run = median_run([{"redis": run} for run, _ in pairs], "redis")
    own = statistics.median(rate for _, rate in pairs)
    share = statistics.median(run.rate / rate for run, rate in pairs)
    row = [load.name, f"{run.rate:,.0f}", f"{own:,.0f}", f"{share:.2f}", f"{run.p50_us:.0f}", f"{run.p99_us:.0f}"]
    return Chapter(
        "Over a shared store",
        "shared_store",
        figures={"load": dataclasses.asdict(load), "daemon": dataclasses.asdict(run), "redis_benchmark": own, "share": share},
        tables=[table(["store = redis", "answers/s", "redis-benchmark/s", "of it", "p50 us", "p99 us"], [row])],
        marks=[Mark(f"{load.name}: redis of redis-benchmark -t set -c 50 -P 1", share, SHARED_MIN, True)],
    )


def journal(bench, options):
    """A spend with its record among few and many, the record's size, and what is left of it; the marks."""
    chapter = Chapter("The record on disk", "journal", figures=[])
    rows = []
    for tokens in _live_tokens(options):
        cost = measures.journal_cost(bench, tokens, 100 if options.quick else 4_000)
        rows.append([f"{tokens:,}", f"{cost['spend_ns']:.0f}", f"{cost['record_bytes']:.1f}", f"{cost['left_over']:.0f}"])
        chapter.marks += [
            Mark(f"the record of {tokens:,} tokens, on disk", cost["record_bytes"], RECORD_BYTES_MAX, False, " B"),
            Mark(f"files left of {tokens:,} tokens after the window", cost["left_over"], 0, False),
        ]
        chapter.figures.append(cost)
    flat = chapter.figures[-1]["spend_ns"] / chapter.figures[0]["spend_ns"]
    chapter.marks.append(Mark("a spend with its record, the most on record: of the fewest", flat, FLAT_MAX, False))
    chapter.tables.append(table(["tokens on record", "spend and record ns", "on disk B each", "files left"], rows))
    return chapter


def verdicts(bench, options):
    """The cost of a verdict with few and many tokens spent; the marks."""
    chapter = Chapter("A verdict", "verdicts", figures=[])
    rows = []
    cases = [("generic", live) for live in _live_tokens(options)] + [("ejabberd", LIVE_TOKENS[1])]
    chapter.figures = measures.verdict_costs(bench, cases[:1] if options.quick else cases, *((500, 1) if options.quick else (10_000, 21)))
    for cost in chapter.figures:
        framing, spent = cost["framing"], f"{cost['live']:,.0f}"
        parts = [f"{cost[name]:.0f}" for name in ("verdict_ns", "hmac_ns", "parse_ns", "verify_ns", "spend_ns")]
        rows.append([framing, spent, f"{cost['ratio']:.2f}", f"{cost['flat']:.2f}", *parts])
        chapter.marks.append(Mark(f"a verdict, {framing}, {spent} spent: in HMACs", cost["ratio"], VERDICT_HMACS_MAX, False))
    chapter.plots = plots(chapter.figures)
    if not options.quick:
        name = f"a verdict with {LIVE_TOKENS[-1]:,} spent: of one with {LIVE_TOKENS[0]:,}"
        chapter.marks.append(Mark(name, chapter.figures[len(LIVE_TOKENS) - 1]["flat"], VERDICT_FLAT_MAX, False))
    header = ["framing", "spent", "in HMACs", "of the first", "verdict ns", "HMAC ns", "parse ns", "verify ns", "spend ns"]
    chapter.tables.append(table(header, rows))
    return chapter


def plots(figures):
    """What a verdict costs, by the number of tokens that are spent."""
    what = "A verdict's cost, by the number of live spent tokens"
    points = [(cost["live"], cost["flat"]) for cost in figures if cost["framing"] == "generic"]
    panels = [svg.Panel("", [svg.Series("generic framing", points)])]
    return {"growth-tokens.svg": (what, svg.lines(what, "live spent tokens", "of the cost with the fewest", panels, size=(560, 220)))}


def spent_tokens(bench, options):
    """What spent tokens cost; the marks."""
    chapter = Chapter("Memory of spent tokens", "spent_tokens", figures=[])
    rows = []
    for tokens in _live_tokens(options):
        cost = measures.spent_memory(bench, tokens)
        rows.append([f"{tokens:,}"] + [f"{cost[name]:.1f}" for name in ("index_bytes", "resident_bytes")])
        name = f"a spent token of {tokens:,}, resident"
        chapter.marks.append(Mark(name, cost["resident_bytes"], SPENT_TOKEN_BYTES_MAX, False, " B"))
        chapter.figures.append(cost)
    worst = chapter.figures[-1]["worst_index_bytes"]
    chapter.marks.append(Mark("a spent token at the worst moment, counted", worst, SPENT_TOKEN_BYTES_MAX, False, " B"))
    chapter.tables.append(table(["spent tokens", "counted B each", "resident B each"], rows))
    return chapter


def daemon(bench, options):
    """The idle daemon and its idle clients; the marks."""
    memory = measures.daemon_memory(bench, 10, 0) if options.quick else measures.daemon_memory(bench)
    silent, asked = memory["silent_connection_bytes"], memory["asked_connection_bytes"]
    rows = [
        ["resident, idle", f"{memory['idle_bytes'] / 1024:,.0f} KiB"],
        ["for each of 1,000 silent clients", f"{silent:,.0f} B"],
        ["for each of 1,000 clients idle after a question", f"{asked:,.0f} B"],
    ]
    return Chapter(
        "Memory of the daemon",
        "daemon",
        figures=memory,
        tables=[table(["the daemon's memory", "measured"], rows)],
        marks=[
            Mark("the idle daemon", memory["idle_bytes"] / 1024**2, IDLE_MEBIBYTES_MAX, False, " MiB"),
            Mark("an idle connection", max(silent, asked), CONNECTION_BYTES_MAX, False, " B"),
        ],
    )

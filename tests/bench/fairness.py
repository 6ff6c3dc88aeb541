"""Clients beside others that take more than their share, or ask what is to be refused."""

import statistics

from report import Chapter, Mark, table

GREEDY_MAX = 3.0  # the p99 of ten clients in ping-pong beside one that pipelines, of theirs alone
COST_MAX = 1.0  # a question that is refused, of one that is not
BESIDE_MAX = 1.1  # what a flood costs its neighbours, of what a flood of good questions costs them: as near as it can be measured
RATE = 200_000  # a second
FLOODS = ("forged", "stale", "replayed", "malformed-token", "malformed", "unknown-host")


def floods(bench, options):
    """The CPU time of questions that are refused, of that of good ones; the marks."""
    batch, rounds = (200, 1) if options.quick else (5_000, 21)
    lines = bench.run("flood-cost", "--config", bench.configuration_path("memory"), "--key", bench.key_path, "--batch", batch, "--rounds", rounds)
    cost = {line["kind"]: (float(line["verdict_ns"]), float(line["ratio"])) for line in lines}
    return Chapter(
        "Questions that are refused",
        "refused",
        figures={kind: {"verdict_ns": ns, "of_good": ratio} for kind, (ns, ratio) in cost.items()},
        tables=[table(["question", "verdict ns", "of a good one's"], [[kind, f"{ns:.0f}", f"{ratio:.2f}"] for kind, (ns, ratio) in cost.items()])],
        marks=[Mark(f"a verdict on a question of kind {kind}: of one on a good one", cost[kind][1], COST_MAX, False) for kind in FLOODS],
    )


def _ratio(rounds, phase, against, field):
    """The median of the rounds' ratios."""
    return statistics.median(one[phase][field] / one[against][field] for one in rounds)


def neighbours(bench, options):
    """Ten clients in ping-pong, alone, beside one that pipelines, and beside floods of each kind; the marks."""
    count, milliseconds, rate = (1, 20, 2_000) if options.quick else (9, 300, RATE)
    phases = ["alone", "pipeline", f"good@{rate}", *(f"{kind}@{rate}" for kind in FLOODS)]
    with bench.running("memory"):
        lines = bench.run(
            "fairness-load", "--key", bench.key_path, "--socket", bench.socket_path("memory"), "--rounds", count, "--ms", milliseconds, *phases
        )
    rounds = [{} for _ in range(count)]
    for line in lines:
        answers = int(line["answers"]) / float(line["seconds"])
        rounds[int(line["round"])][line["phase"]] = {"answers": answers, "p50": float(line["p50_us"]), "p99": float(line["p99_us"])}
    names = {"alone": "nobody", "pipeline": "one that pipelines", "good": "good questions", **{kind: kind for kind in FLOODS}}
    rows, figures = [], {}
    for phase, name in names.items():
        medians = {field: statistics.median(one[phase][field] for one in rounds) for field in ("answers", "p50", "p99")}
        figures[phase] = medians
        beside = _ratio(rounds, phase, "good", "p99")
        rows.append([name, f"{medians['answers']:,.0f}", f"{medians['p50']:.0f}", f"{medians['p99']:.0f}", f"{beside:.2f}"])
    marks = [Mark("10 clients beside one that pipelines: their p99 of it alone", _ratio(rounds, "pipeline", "alone", "p99"), GREEDY_MAX, False)]
    for kind in FLOODS:
        marks += [
            Mark(f"10 clients beside a flood of kind {kind}: their p99 of it beside good ones", _ratio(rounds, kind, "good", "p99"), BESIDE_MAX, False),
            Mark(f"10 clients beside a flood of kind {kind}: their answers of them beside good ones", _ratio(rounds, kind, "good", "answers"), 1 / BESIDE_MAX, True),
        ]
    header = ["beside", "answers/s of 10 clients", "p50 us", "p99 us", "p99 of it beside good ones"]
    notes = [f"A flood is {rate:,} questions a second of one more client."]
    return Chapter("Neighbours", "neighbours", figures=figures, tables=[table(header, rows)], notes=notes, marks=marks)

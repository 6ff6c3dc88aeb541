"""Throughput and latency of the daemon beside its floors: from 1 client to 10,000, from 1 question on its way to 256."""

import contextlib
import dataclasses
import statistics

import machine
import svg
from report import Chapter, Mark, table
from servers import FLOORS, STORES

SERVERS = (*STORES, *FLOORS)
COMPARED = ("memory", "floor", "floor+hmac")
FRAMINGS = ("generic", "ejabberd")
# A saturated server that uses less than this share of its core had to leave some of it to others.
UNDISTURBED = 0.9
ATTEMPTS = 3

# The loads that have marks: which server is held against which, and the share that it must reach.
MARKED = {
    (50, 1): [("memory", "floor", 1.2), ("journal", "memory", 0.9)],
    (4, 64): [("memory", "floor+hmac", 0.75), ("journal", "memory", 0.9)],
}
# Every load: clients, questions that each has on its way, and questions in a run.
PING_PONG = {1: 10_000, 10: 40_000, 50: 60_000, 1_000: 40_000, 10_000: 60_000}
DEEP_CLIENTS = 4
DEEP = {1: 40_000, 4: 60_000, 16: 100_000, 64: 200_000, 256: 200_000}
UNMARKED_ROUNDS = 3  # a round of a load with a mark for each of these without one


class WrongAnswers(Exception):
    """Not exactly as many yes as fresh tokens."""


@dataclasses.dataclass
class Load:
    """A kind of load. Each of its runs asks the same number of questions."""

    clients: int
    depth: int
    questions: int
    framing: str

    @property
    def name(self):
        """In words."""
        clients = "1 client" if self.clients == 1 else f"{self.clients:,} clients"
        return f"{clients}, ping-pong" if self.depth == 1 else f"{clients}, {self.depth} deep"

    @property
    def is_marked(self):
        """Whether a mark hangs on it. These saturate every server: questions wait all the time."""
        return (self.clients, self.depth) in MARKED


@dataclasses.dataclass
class Run:
    """What a server did in one run."""

    rate: float
    busy: float
    cpu_us: float
    p50_us: float
    p99_us: float
    p999_us: float


def run_of(line, load):
    """The run that a line of the load client's tells of, if every answer was yes."""
    if int(line["yes"]) != load.questions or int(line["other"]) != 0:
        raise WrongAnswers(f"{line['server']}, {load.name}: {line['yes']} yes to {load.questions} fresh tokens")
    return Run(
        rate=load.questions / float(line["seconds"]),
        busy=float(line["server_cpu"]) / float(line["seconds"]),
        cpu_us=float(line["server_cpu"]) / load.questions * 1e6,
        p50_us=float(line["p50_us"]),
        p99_us=float(line["p99_us"]),
        p999_us=float(line["p999_us"]),
    )


def put(bench, load, order, *options):
    """Puts a load on servers that run, in an order: a list of their lines."""
    return bench.run(
        "load-client", "--key", bench.key_path, "--framing", load.framing, "--clients", load.clients,
        "--depth", load.depth, "--questions", load.questions, *options,
        *(f"{name}={bench.socket_path(name)}" for name in order),
    )


def _run_round(bench, load, order):
    """One run against each server. The daemons are new ones, so that every round finds no token spent."""
    with contextlib.ExitStack() as stack:
        for store in STORES:
            stack.enter_context(bench.running(store))
        lines = put(bench, load, order)
    return {line["server"]: run_of(line, load) for line in lines}


def _is_disturbed(load, result):
    return load.is_marked and min(run.busy for run in result.values()) < UNDISTURBED


def rounds_of(bench, load, rounds):
    """Rounds of one run against each server, interleaved, the order changing: a list of runs by server.

    A round in which the machine had other things to do is taken again, ATTEMPTS times as many at the most; where that
    does not help, the disturbed rounds fill up the list. Gives the list, and how many rounds were disturbed.
    """
    good, disturbed = [], []
    with contextlib.ExitStack() as stack:
        for floor in FLOORS:
            stack.enter_context(bench.running(floor))
        while len(good) < rounds and len(good) + len(disturbed) < ATTEMPTS * rounds:
            turn = (len(good) + len(disturbed)) % len(SERVERS)
            result = _run_round(bench, load, SERVERS[turn:] + SERVERS[:turn])
            (disturbed if _is_disturbed(load, result) else good).append(result)
    return good + disturbed[: rounds - len(good)], len(disturbed)


def median_run(results, server):
    """A server's medians over the rounds."""
    fields = [field.name for field in dataclasses.fields(Run)]
    return Run(**{name: statistics.median(getattr(r[server], name) for r in results) for name in fields})


def ratio(results, server, against):
    """A server's throughput in shares of another's: the median of the rounds' ratios."""
    return statistics.median(result[server].rate / result[against].rate for result in results)


def loads(options):
    """The loads to be put on the servers, those with marks first."""
    if options.quick:
        return [Load(50, 1, 2_000, "generic"), Load(4, 64, 5_000, "ejabberd"), Load(1, 1, 100, "ejabberd")]
    every = [Load(clients, 1, questions, framing) for framing in FRAMINGS for clients, questions in PING_PONG.items()]
    every += [Load(DEEP_CLIENTS, depth, questions, framing) for framing in FRAMINGS for depth, questions in DEEP.items()]
    return sorted(every, key=lambda load: not load.is_marked)


def _figures(load, results):
    """A load's figures by server: medians, and shares of the others."""
    servers = {}
    for server in SERVERS:
        shares = {f"of_{other}": ratio(results, server, other) for other in COMPARED}
        servers[server] = {**dataclasses.asdict(median_run(results, server)), **shares}
    return {**dataclasses.asdict(load), "rounds": len(results), "servers": servers}


def _rows(load, servers):
    """A row for each server under a load."""
    return [
        [load.name, load.framing, server, f"{of['rate']:,.0f}", *(f"{of[f'of_{other}']:.2f}" for other in COMPARED)]
        + [f"{of['busy']:.2f}", f"{of['cpu_us']:.2f}", *(f"{of[name]:,.0f}" for name in ("p50_us", "p99_us", "p999_us"))]
        for server, of in servers.items()
    ]


def measure(bench, options):
    """Every load on every server; the marks."""
    chapter = Chapter("Throughput and latency", "throughput", figures=[])
    rows = {}
    for load in loads(options):
        if not machine.raise_descriptor_limit(load.clients):
            chapter.notes.append(f"{load.name}: left out, for the machine does not allow as many open files.")
            continue
        rounds = 1 if options.quick else options.rounds if load.is_marked else max(options.rounds // UNMARKED_ROUNDS, 1)
        results, disturbed = rounds_of(bench, load, rounds)
        figures = _figures(load, results)
        rows[FRAMINGS.index(load.framing), load.depth > 1, load.clients, load.depth] = _rows(load, figures["servers"])
        if disturbed > 0:
            chapter.notes.append(
                f"{load.name}, {load.framing}: the machine was busy with something else in {disturbed} rounds."
            )
        for server, other, share in MARKED.get((load.clients, load.depth), []):
            name = f"{load.name}, {load.framing}: {server} of {other}"
            chapter.marks.append(Mark(name, figures["servers"][server][f"of_{other}"], share, True))
        chapter.figures.append(figures)
    header = ["load", "framing", "server", "answers/s", *(f"of {other}" for other in COMPARED), "busy"]
    header += ["CPU us", "p50 us", "p99 us", "p99.9 us"]
    chapter.tables.append(table(header, [row for _, part in sorted(rows.items()) for row in part]))
    chapter.plots = plots(chapter.figures)
    return chapter


def _series(chosen, x_name, value):
    """A line for each server over clients or depth."""
    chosen = sorted(chosen, key=lambda figures: figures[x_name])
    return [svg.Series(server, [(of[x_name], of["servers"][server][value]) for of in chosen]) for server in SERVERS]


def plots(figures):
    """Throughput and latency over clients in ping-pong, and over the depth of a few clients."""
    ping_pong = {f: [of for of in figures if of["framing"] == f and of["depth"] == 1 and of["clients"] != DEEP_CLIENTS]
                 for f in FRAMINGS}
    deep = {f: [of for of in figures if of["framing"] == f and of["clients"] == DEEP_CLIENTS] for f in FRAMINGS}
    drawn = {}
    for name, title, x_label, x_name, by_framing in (
        ("clients", "in ping-pong, by the number of clients", "clients", "clients", ping_pong),
        ("depth", f"of {DEEP_CLIENTS} clients, by how many questions each has on its way", "questions on their way", "depth", deep),
    ):
        by_framing = {framing: chosen for framing, chosen in by_framing.items() if chosen}
        panels = [svg.Panel(f"{f} framing", _series(chosen, x_name, "rate")) for f, chosen in by_framing.items()]
        what = f"Answers a second {title}"
        chart = svg.lines(what, x_label, "answers a second", panels, columns=len(panels), y_log=name == "depth")
        drawn[f"throughput-{name}.svg"] = (what, chart)
        panels = [
            svg.Panel(f"{percentile}, {framing} framing", _series(chosen, x_name, value))
            for percentile, value in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"))
            for framing, chosen in by_framing.items()
        ]
        what = f"Time to an answer {title}"
        chart = svg.lines(what, x_label, "microseconds", panels, columns=len(by_framing), y_log=True, size=(360, 150))
        drawn[f"latency-{name}.svg"] = (what, chart)
    return drawn

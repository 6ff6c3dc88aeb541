"""What is measured: throughput and latency beside the floors, the cost of a verdict, and memory."""

import contextlib
import dataclasses
import socket
import statistics
import time

import machine
from servers import FLOORS, SHARED, STORES

SERVERS = (*STORES, *FLOORS)
IDLE_CLIENTS = 1000
# The daemon's housekeeping comes once a second: after so long it has been over everything twice.
SETTLING_SECONDS = 2.5
# A saturated server that uses less than this share of its core had to leave some of it to others.
UNDISTURBED = 0.9
ATTEMPTS = 3


class WrongAnswers(Exception):
    """Not exactly as many yes as fresh tokens."""


@dataclasses.dataclass
class Load:
    """A kind of load. Each of its runs asks the same number of questions."""

    clients: int
    depth: int
    questions: int
    framing: str
    saturates: bool = False  # every server has questions waiting all the time

    @property
    def name(self):
        """In words."""
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"{clients}, ping-pong" if self.depth == 1 else f"{clients}, {self.depth} deep"


@dataclasses.dataclass
class Run:
    """What a server did in one run."""

    rate: float
    busy: float
    cpu_us: float
    p50_us: float
    p99_us: float
    p999_us: float


def _run_of(line, load):
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


def _run_round(bench, load, order):
    """One run against each server. The daemons are new ones, so that every round finds no token spent."""
    with contextlib.ExitStack() as stack:
        for store in STORES:
            stack.enter_context(bench.running(store))
        lines = bench.run(
            "load-client", "--key", bench.key_path, "--framing", load.framing, "--clients", load.clients,
            "--depth", load.depth, "--questions", load.questions,
            *(f"{name}={bench.socket_path(name)}" for name in order),
        )
    return {line["server"]: _run_of(line, load) for line in lines}


def _is_disturbed(load, result):
    return load.saturates and min(run.busy for run in result.values()) < UNDISTURBED


def throughput(bench, load, rounds):
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


def shared_store(bench, load, rounds):
    """The daemon over a Redis, and Redis' own benchmark on the same server, in turns: pairs of answers and SETs a second."""
    pairs = []
    with bench.redis():
        for _ in range(rounds):
            own = bench.redis_benchmark(load.clients, load.questions)
            with bench.running(SHARED):
                (line,) = bench.run(
                    "load-client", "--key", bench.key_path, "--framing", load.framing, "--clients", load.clients,
                    "--depth", load.depth, "--questions", load.questions, f"{SHARED}={bench.socket_path(SHARED)}",
                )
            pairs.append((_run_of(line, load), own))
    return pairs


def journal_cost(bench, tokens, turns):
    """A spend with its record where so many tokens are on record, bytes a record, and files left over after the window."""
    (line,) = bench.run("journal-cost", bench.empty_directory(), tokens, turns)
    return {name: float(value) for name, value in line.items()}


def verdict_cost(bench, framing, live, batch, rounds):
    """The cost of a verdict in keyed HMACs, and its parts in nanoseconds, with so many tokens spent already."""
    (line,) = bench.run(
        "verdict-cost", "--config", bench.configuration_path("memory"), "--key", bench.key_path, "--framing", framing,
        "--live", live, "--batch", batch, "--rounds", rounds,
    )
    return {name: value if name == "framing" else float(value) for name, value in line.items()}


def spent_memory(bench, tokens):
    """Bytes for each of so many spent tokens: by the index's count, by resident memory, and the worst on the way."""
    (line,) = bench.run("spent-memory", tokens)
    return {name: float(value) for name, value in line.items()}


def _connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(path)
    return client


def _ask(client):
    client.sendall(b"isuser:somebody:example.org\n")
    if client.recv(2) != b"1\n":
        raise WrongAnswers("isuser is not answered yes")


def _settled_memory(pid, settling):
    time.sleep(settling)
    return machine.resident_bytes(pid)


def daemon_memory(bench, clients=IDLE_CLIENTS, settling=SETTLING_SECONDS):
    """The idle daemon's resident bytes, and what each of many idle clients adds: silent, and after a question."""
    path = bench.socket_path("journal")
    with bench.running("journal") as daemon, contextlib.ExitStack() as stack:
        idle = machine.resident_bytes(daemon.pid)
        with _connect(path) as first:
            _ask(first)
        before = _settled_memory(daemon.pid, settling)
        connections = [stack.enter_context(_connect(path)) for _ in range(clients)]
        # They are accepted in order: when the last has its answer, all are there.
        _ask(connections[-1])
        silent = _settled_memory(daemon.pid, settling)
        for client in connections:
            _ask(client)
        asked = _settled_memory(daemon.pid, settling)
    return {
        "idle_bytes": idle,
        "silent_connection_bytes": (silent - before) / clients,
        "asked_connection_bytes": (asked - before) / clients,
    }

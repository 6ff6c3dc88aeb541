"""What is measured beside throughput: the daemon over Redis, the cost of a verdict and of its record, and memory."""

import contextlib
import socket
import time

import machine
from servers import SHARED
from throughput import WrongAnswers, put, run_of

IDLE_CLIENTS = 1000
# The daemon's housekeeping comes once a second: after so long it has been over everything twice.
SETTLING_SECONDS = 2.5


def shared_store(bench, load, rounds):
    """The daemon over a Redis, and Redis' own benchmark on the same server, in turns: pairs of answers and SETs a second."""
    pairs = []
    with bench.redis():
        for _ in range(rounds):
            own = bench.redis_benchmark(load.clients, load.questions)
            with bench.running(SHARED):
                (line,) = put(bench, load, [SHARED])
            pairs.append((run_of(line, load), own))
    return pairs


def journal_cost(bench, tokens, turns):
    """A spend with its record where so many tokens are on record, bytes a record, and files left over after the window."""
    (line,) = bench.run("journal-cost", bench.empty_directory(), tokens, turns)
    return {name: float(value) for name, value in line.items()}


def verdict_costs(bench, cases, batch, rounds):
    """The cost of a verdict in keyed HMACs, and its parts in nanoseconds, for each case: a framing, and how many tokens are spent already."""
    lines = bench.run(
        "verdict-cost", "--config", bench.configuration_path("memory"), "--key", bench.key_path, "--batch", batch, "--rounds", rounds,
        *(f"{framing}={live}" for framing, live in cases),
    )
    return [{name: value if name == "framing" else float(value) for name, value in line.items()} for line in lines]


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

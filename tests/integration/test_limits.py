"""Nothing that a client sends, or fails to read, may end, block or bloat the daemon."""

import base64
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import YES, LengthClient, auth, isuser
from harness.daemon import BINARY, SANITIZED
from harness.minter import Key

ALICE = "alice@example.org"
not_sanitized = pytest.mark.skipif(SANITIZED, reason="sanitizers take memory of their own")


def written(daemon):
    """How often the daemon has written to files."""
    return int(re.search(r"^syscw: (\d+)$", pathlib.Path(f"/proc/{daemon.process.pid}/io").read_text(), re.MULTILINE)[1])


# --- slow readers


def test_a_slow_reader_is_not_read_from_until_it_reads_and_loses_nothing(configuration, start, framing):
    configuration.server(max_pending="4k")
    daemon = start()
    with framing(daemon.socket) as client, framing(daemon.socket) as other:
        asked, rest = client.fill(daemon, isuser(ALICE))
        before = daemon.resident()
        # All others are served meanwhile.
        assert other.ask(*[isuser(ALICE)] * 1000) == [YES] * 1000
        assert daemon.resident() - before < (50_000 if SANITIZED else 1000)
        assert client.answers(asked) == [YES] * asked
        client.send(rest)
        if rest:
            assert client.answers(1) == [YES]
        assert client.ask(isuser(ALICE)) == YES


def test_a_slow_reader_that_half_closed_still_gets_every_answer(configuration, start, framing):
    configuration.server(max_pending="1k")
    daemon = start()
    with framing(daemon.socket) as client:
        asked, _ = client.fill(daemon, isuser(ALICE))
        client.end()
        assert client.rest() == [YES] * asked


def test_a_slow_reader_that_vanishes_is_forgotten(configuration, start, framing):
    configuration.server(max_pending="1k")
    daemon = start()
    client = framing(daemon.socket)
    client.fill(daemon, isuser(ALICE))
    client.close()
    daemon.await_status(lambda status: status["connections"]["open"] == "0")


# --- many that ask at once


@contextlib.contextmanager
def asked_at_once(configuration, start, directory, framing, *counts):
    """A daemon that finds so many logins of each client waiting when it goes on: (daemon, writes before, tokens, all answers read)."""
    key = Key(interval=300)
    state = directory / "state"
    state.mkdir(0o700)
    configuration.host(key=key).set("state", dir=state).set("replay", store="journal", after_restart="accept")
    daemon = start()
    # Lines of the log would be writes too.
    configuration.set("log", level="warning")
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    daemon.await_status(lambda status: status["daemon"]["reloads"] == "1")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(framing(daemon.socket)) for _ in counts]
        # The journal's file is there then.
        assert clients[0].ask(auth(ALICE, key.mint(ALICE))) == YES
        daemon.signal(signal.SIGSTOP)
        tokens = [[key.mint(ALICE) for _ in range(count)] for count in counts]
        for client, some in zip(clients, tokens):
            client.write(*(auth(ALICE, token) for token in some))
        before = written(daemon)
        daemon.signal(signal.SIGCONT)
        for client, count in zip(clients, counts):
            assert client.answers(count) == [YES] * count
        yield daemon, before, tokens, state


def test_who_asks_first_is_not_answered_with_the_last(configuration, start, directory, framing):
    """A turn of the loop ends once it has read 16 KiB: with one that took in all, every answer would wait for the last question's. Each
    turn writes its records at once, so the writes tell the turns."""
    clients = 8
    with asked_at_once(configuration, start, directory, framing, *[120] * clients) as (daemon, before, _, _):
        assert written(daemon) - before >= clients


def test_who_asks_one_question_does_not_wait_for_all_that_many_others_ask(configuration, start, directory, framing):
    """They share what is read, 4 KiB each where there are so many. The journal has tokens in the order in which they were judged."""
    clients, each = 20, 110
    with asked_at_once(configuration, start, directory, framing, *[each] * clients, 1) as (_, _, tokens, state):
        record = base64.b64decode(tokens[-1][0].split()[1])[:16]
        places = [content.index(record) // 40 for content in map(pathlib.Path.read_bytes, state.iterdir()) if record in content]
        assert places and places[0] < clients * each / 2


# --- time


def end_of(client):
    """Seconds until the daemon closes."""
    started = time.monotonic()
    assert client.receive(1 << 30) == b""
    return time.monotonic() - started


def test_who_keeps_the_daemon_waiting_is_closed_and_who_does_not_stays(configuration, start, framing):
    """All the cases of request_timeout at once, for each takes its time."""
    configuration.server(request_timeout="1s", max_pending="1k")
    daemon = start()
    question = framing.encode(isuser(ALICE))
    idle = framing(daemon.socket)
    answered = framing(daemon.socket)
    assert answered.ask(isuser(ALICE)) == YES
    unfinished = framing(daemon.socket)
    unfinished.send(question[:-1])
    begun = framing(daemon.socket)
    begun.send(question[:1])
    answered_then_unfinished = framing(daemon.socket)
    answered_then_unfinished.send(question + question[:5])
    unread = framing(daemon.socket)
    unread.fill(daemon, isuser(ALICE))
    busy = framing(daemon.socket)
    deadline = time.monotonic() + DEADLINE
    answers = 0
    busy.send(question[:7])
    # The busy client always has a question unfinished, and always finishes it.
    while len(daemon.events("connection-timeout")) < 4:
        assert time.monotonic() < deadline
        busy.send(question[7:] + question[:7])
        assert busy.answers(1) == [YES]
        answers += 1
        time.sleep(0.01)
    assert end_of(unfinished) < DEADLINE and end_of(begun) < DEADLINE
    assert answered_then_unfinished.rest() == [YES]
    assert set(unread.rest()) <= {YES}
    waited = [record["waited_for"] for record in daemon.events("connection-timeout")]
    assert sorted(waited) == ["its answers to be read"] + ["the rest of a question"] * 3
    for client in (idle, answered):
        assert client.ask(isuser(ALICE)) == YES
    busy.send(question[7:])
    assert busy.answers(1) == [YES]
    assert len(daemon.events("connection-timeout")) == 4
    for client in (idle, answered, unfinished, begun, answered_then_unfinished, unread, busy):
        client.close()


# --- many


def test_a_thousand_idle_clients_cost_nothing_and_delay_nobody(start, configuration, framing):
    daemon = start(configuration.set("log", level="info"))  # a line for each that goes is more than a pipe holds
    before = daemon.resident()
    idle = [framing(daemon.socket) for _ in range(1000)]
    with framing(daemon.socket) as client:
        tokens = [configuration.key.mint(ALICE) for _ in range(100)]
        assert client.ask(*[auth(ALICE, token) for token in tokens]) == [YES] * 100
        assert daemon.status()["connections"]["open"] == "1001"
        if not SANITIZED:
            assert daemon.resident() - before < 4000
        # They are all still heard.
        for other in idle:
            other.write(isuser(ALICE))
        assert all(other.answers(1) == [YES] for other in idle)
    for other in idle:
        other.close()
    daemon.await_status(lambda status: status["connections"]["open"] == "0")


def test_one_client_more_than_max_connections_is_closed_at_once(configuration, start):
    configuration.server(max_connections=5)
    daemon = start().expect("connection-refused.*max_connections")
    clients = [LengthClient(daemon.socket) for _ in range(5)]
    assert all(client.ask(isuser(ALICE)) == YES for client in clients)
    for _ in range(10):
        with LengthClient(daemon.socket) as late:
            assert late.rest() == []
    # The operator's socket has a limit of its own.
    assert daemon.status()["connections"] == {"open": "5", "max": "5", "accepted": "15", "refused": "10", "pending_bytes": "0"}
    clients.pop().close()
    daemon.await_status(lambda status: status["connections"]["open"] == "4")
    assert daemon.ask(isuser(ALICE)) == YES
    for client in clients:
        client.close()
    assert daemon.stop() == 0
    assert len(daemon.events("connection-refused")) == 1  # one line for all of them


def test_running_out_of_descriptors_pauses_accepting_and_recovers(configuration, start):
    daemon = start(descriptors=40).expect("few-descriptors", "accept-paused")
    clients = [LengthClient(daemon.socket) for _ in range(60)]
    daemon.await_event("accept-paused", why="Too many open files")
    # Those inside are served, and waiting for descriptors costs no processor time.
    assert clients[0].ask(*[isuser(ALICE)] * 100) == [YES] * 100
    used = daemon.processor_seconds()
    time.sleep(0.5)
    assert daemon.processor_seconds() - used < 0.25
    for client in clients[:30]:
        client.close()
    daemon.await_event("accept-resumed")
    for client in clients[30:]:
        assert client.ask(isuser(ALICE)) == YES
        client.close()


# --- garbage


@pytest.mark.parametrize("seed", range(4))
def test_floods_of_garbage_neither_end_nor_bloat_it(daemon, seed):
    chance = random.Random(seed)
    daemon.ask(isuser(ALICE))
    pieces = [b"auth:", b"isuser:alice:example.org", b"features:tryagain", b"\n", b"\r\n", b"\0", b"\0\x18", b":", b"@", b"\x1f\xff", b"9" * 85]

    def garbage(size):
        if chance.random() < 0.5:
            return chance.randbytes(size)
        return b"".join(chance.choice(pieces) for _ in range(size // 8))

    resident = None
    for round_number in range(60):
        clients = [LengthClient(daemon.socket) for _ in range(10)]
        for client in clients:
            client.socket.setblocking(False)
            for _ in range(chance.randrange(1, 5)):
                try:
                    client.socket.send(garbage(chance.randrange(1, 60_000)))
                except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                    break
        for client in clients:
            client.close()
        if round_number == 20:
            daemon.await_status(lambda status: status["connections"]["open"] == "0")
            resident = daemon.resident()
    daemon.await_status(lambda status: status["connections"]["open"] == "0")
    assert daemon.ask(isuser(ALICE)) == YES
    assert daemon.resident() - resident < (60_000 if SANITIZED else 2000)


# --- the process


@not_sanitized
def test_an_idle_daemon_is_small(daemon):
    assert daemon.ask(isuser(ALICE)) == YES
    assert daemon.resident() < 12 * 1024


@not_sanitized
@needs_root
def test_its_memory_can_not_be_read_by_its_own_user_nor_left_in_a_core_file(configuration, start):
    nobody = 65534
    directory = configuration.directory
    program = shutil.copy(BINARY, directory)  # where nobody can reach it
    daemon = start(program=program, owner=nobody)
    limits = pathlib.Path(f"/proc/{daemon.process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    # A process that may be dumped belongs to its user in /proc, and lets that user look inside.
    assert os.stat(f"/proc/{daemon.process.pid}/maps").st_uid == 0
    look = subprocess.run(["cat", f"/proc/{daemon.process.pid}/maps"], user=nobody, group=nobody, extra_groups=[], capture_output=True, check=False)
    assert look.returncode != 0 and b"denied" in look.stderr


# --- lines


def test_events_that_a_peer_can_repeat_are_summed_up(configuration, start):
    """A hundred clients that are too slow are five lines and a number."""
    configuration.server(request_timeout="1s")
    daemon = start()
    slow = [LengthClient(daemon.socket) for _ in range(100)]
    for client in slow:
        client.send(b"\0")
    for client in slow:
        assert client.rest() == []
    summed = daemon.await_event("events-summed", of="connection-timeout")
    assert len(daemon.events("connection-timeout")) == 5 and summed["count"] == "95"
    for client in slow:
        client.close()

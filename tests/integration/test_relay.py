"""xmpp-extauth on two pipes, as ejabberd runs it, against daemons that do what daemons must not."""

import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from relay_peers import (
    FRAMINGS, RELAY, SOON, Daemon, Length, Line, Relay, at_once, honest, in_background, in_both_framings, run_scenarios, silent, socket_directory,
)

# What the relay promises, in seconds, and how much longer a busy machine may take.
ANSWER_TIMEOUT = 5.0
OUTAGE_PATIENCE = 4.0
SLACK = 4.0


@pytest.fixture(scope="module", autouse=True)
def scenarios(request):
    with run_scenarios(request) as running:
        yield running


@pytest.fixture
def directory():
    with socket_directory() as path:
        yield path


@pytest.fixture(params=FRAMINGS.values(), ids=FRAMINGS.keys())
def framing(request):
    return request.param


def question(number, right=True):
    return b"auth:user%d:example.org:%s" % (number, b"right" if right else b"wrong")


# ---- answers ----


def test_the_answer_is_the_daemons(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1, right=True)) is True
        assert relay.ask(question(2, right=False)) is False
        assert relay.ask(b"isuser:a:b:right") is True
        assert daemon.questions == [question(1), question(2, False), b"isuser:a:b:right"]
        assert len(daemon.connections) == 1


def test_thousands_of_questions_in_a_pipeline_get_one_answer_each_in_order(directory, framing):
    texts = [question(n, right=n % 3 == 0) for n in range(5000)]
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        threading.Thread(target=relay.send, args=(b"".join(map(framing.frame, texts)),), daemon=True).start()
        assert [relay.verdict() for _ in texts] == [n % 3 == 0 for n in range(5000)]
        assert daemon.questions == texts
        relay.close_input()
        assert relay.answer() == b""
        assert relay.exit_status() == 0


def test_what_is_left_in_a_closed_pipe_is_answered(directory, framing):
    texts = [question(n, right=n % 2 == 0) for n in range(300)]
    with Daemon(directory / "s", framing) as daemon:
        done = subprocess.run(
            [RELAY, daemon.path], input=b"".join(map(framing.frame, texts)), stdout=subprocess.PIPE, timeout=60, check=True
        )
    assert done.stdout == (framing.yes + framing.no) * 150


def test_a_question_may_come_a_byte_at_a_time(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        for byte in framing.frame(question(1)) + framing.frame(question(2, False)):
            relay.send(bytes([byte]))
        assert [relay.verdict(), relay.verdict()] == [True, False]


def test_any_byte_passes_through(directory, framing):
    text = b"auth:a:b:" + bytes(byte for byte in range(256) if framing is Length or byte != 0x0A) + b"right"
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(text) is True
        assert daemon.questions == [text]


def test_a_reader_that_does_not_read_gets_every_answer_later(directory, framing):
    count = 30000
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        sender = threading.Thread(target=relay.send, args=(framing.frame(question(1)) * count,), daemon=True)
        sender.start()
        # The relay is stuck once a pipe of answers and a pipe of questions are full.
        daemon.wait_for(lambda: len(daemon.questions) >= min(count, 60000 // len(framing.yes)), 60)
        assert all(relay.verdict() for _ in range(count))


# ---- questions that are not asked ----

UNASKED = {
    "length": [
        ("8192 bytes", Length.frame(b"auth:" + b"a" * 8187)),
        ("65535 bytes", Length.frame(b"auth:" + b"a" * 65530)),
        ("no text", Length.frame(b"")),
    ],
    "line": [
        ("8192 bytes", b"auth:" + b"a" * 8187 + b"\n"),
        ("200 kB", b"auth:" + b"a" * 200000 + b"\n"),
        ("no text", b"\n"),
        ("no text but a CR", b"\r\n"),
        ("a first byte that means a length to the daemon", b"\x01auth:a:b:right\n"),
    ],
}


@pytest.mark.parametrize(
    "framing, data",
    [pytest.param(FRAMINGS[name], data, id=f"{name}: {row}") for name, rows in UNASKED.items() for row, data in rows],
)
def test_what_can_not_be_asked_is_denied_unasked(directory, framing, data):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1)) is True
        relay.send(data)
        assert relay.verdict() is False
        assert relay.ask(question(2)) is True
        assert daemon.questions == [question(1), question(2)]
        assert len(daemon.connections) == 1


def test_8191_bytes_are_asked(directory, framing):
    text = b"auth:a:b:" + b"a" * (8191 - 14) + b"right"
    assert len(text) == 8191
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(text) is True
        assert daemon.questions == [text]


def test_a_long_password_as_the_first_login_does_not_settle_the_framing(directory):
    """Its length begins with a printable byte; taken for a line, it would silence an ejabberd worker for good."""
    with Daemon(directory / "s", Length) as daemon, Relay(daemon.path, Length) as relay:
        assert relay.ask(b"auth:a:b:" + b"\nauth:mallory:b:right\n" * 1000) is False
        assert relay.ask(question(1)) is True
        assert daemon.questions == [question(1)]


# ---- daemons that fail to answer ----


def sends(*pieces, then_waits=True):
    """A script that answers one question with these pieces (numbers: seconds to wait before the next piece)."""

    def script(connection):
        connection.question()
        for piece in pieces:
            if isinstance(piece, float):
                time.sleep(piece)
            else:
                connection.send(piece)
        if then_waits:
            connection.is_closed_by_relay(60)

    return script


def hangs_up(connection):
    connection.question()


def hangs_up_unread(connection):
    """With the question unread, which makes the relay's next call fail with ECONNRESET."""
    connection.sock.recv(1)


LATE = ANSWER_TIMEOUT + 1.5

BAD_DAEMONS = {
    Line: [
        ("silence", silent),
        ("a yes that comes too late", sends(LATE, b"1\n")),
        ("half a yes", sends(b"1")),
        ("a yes whose end comes too late", sends(b"1", LATE, b"\n")),
        ("a yes, drop by drop, then EOF", sends(b"1", then_waits=False)),
        ("a yes with CR", sends(b"1\r\n")),
        ("a yes and a no", sends(b"1\n0\n")),
        ("two yes", sends(b"1\n1\n")),
        ("a yes and a byte", sends(b"1\nx")),
        ("a yes in the other framing", sends(b"\0\2\0\1")),
        ("another number", sends(b"2\n")),
        ("11", sends(b"11\n")),
        ("a word", sends(b"yes\n")),
        ("an empty line, then a yes", sends(b"\n1\n")),
        ("a blank before a yes", sends(b" 1\n")),
        ("a megabyte", sends(b"1" * 1000000)),
        ("EOF", hangs_up),
        ("EOF, question unread", hangs_up_unread),
    ],
    Length: [
        ("silence", silent),
        ("a yes that comes too late", sends(LATE, b"\0\2\0\1")),
        ("three bytes of a yes", sends(b"\0\2\0")),
        ("a yes whose end comes too late", sends(b"\0\2\0", LATE, b"\1")),
        ("three bytes of a yes, then EOF", sends(b"\0\2\0", then_waits=False)),
        ("a yes and a no", sends(b"\0\2\0\1\0\2\0\0")),
        ("a yes and a byte", sends(b"\0\2\0\1\0")),
        ("a yes in the other framing", sends(b"1\n")),
        ("try again, which nobody negotiated", sends(b"\0\2\0\2")),
        ("yes with a high byte", sends(b"\0\2\1\1")),
        ("a yes of one byte", sends(b"\0\1\1")),
        ("a yes of three bytes", sends(b"\0\3\0\0\1")),
        ("no answer, then a yes", sends(b"\0\0\0\2\0\1")),
        ("a megabyte", sends(b"\0" * 1000000)),
        ("EOF", hangs_up),
        ("EOF, question unread", hangs_up_unread),
    ],
}


@in_background
@in_both_framings
def test_silence_lateness_and_garbage_are_a_no_and_the_end_of_the_connection(directory, framing):
    """... and the next question gets its own answer, never what was left over from this one."""

    def check(number, script):
        with (
            Daemon(directory / f"s{number}", framing, script, honest) as daemon,
            Relay(daemon.path, framing) as relay,
        ):
            start = time.monotonic()
            assert relay.ask(question(1)) is False
            assert time.monotonic() - start < ANSWER_TIMEOUT + SLACK
            assert relay.ask(question(2, right=False)) is False
            assert relay.ask(question(3)) is True
            assert relay.says_nothing_for(0.1)
            assert len(daemon.connections) == 2
            assert daemon.questions.count(question(1)) <= 1
            assert daemon.questions[-2:] == [question(2, right=False), question(3)]

    at_once([(name, number, script) for number, (name, script) in enumerate(BAD_DAEMONS[framing])], check)


@in_background
@in_both_framings
def test_an_answer_that_takes_time_is_waited_for(directory, framing):
    answer = framing.yes

    def check(number, *pieces):
        with Daemon(directory / f"s{number}", framing, sends(*pieces)) as daemon, Relay(daemon.path, framing) as relay:
            assert relay.ask(question(1)) is True

    at_once([("3 s", 1, 3.0, answer), ("byte by byte", 2, *(p for byte in answer for p in (0.5, bytes([byte]))))], check)


@in_background
def test_the_deadline_is_one_for_the_whole_answer(directory):
    """A byte now and then does not put it off."""
    with Daemon(directory / "s", Length, sends(b"\0", 2.0, b"\2", 2.0, b"\0", 2.0, b"\1"), honest) as daemon:
        with Relay(daemon.path, Length) as relay:
            start = time.monotonic()
            assert relay.ask(question(1)) is False
            assert ANSWER_TIMEOUT - 0.1 < time.monotonic() - start < ANSWER_TIMEOUT + SLACK
            assert relay.ask(question(2)) is True


# ---- bytes that nobody asked for ----


def test_unsolicited_bytes_close_an_idle_connection(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1)) is True
        first = daemon.wait_for_connection(0)
        first.send(framing.yes)
        daemon.wait_for(lambda: first.is_over)  # its script has seen the end of the stream
        assert relay.ask(question(2, right=False)) is False
        assert len(daemon.connections) == 2


def test_a_stale_yes_that_came_just_before_a_question_is_not_its_answer(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1)) is True
        # The relay finds the stale answer and the question at the same moment.
        relay.stop()
        daemon.connections[0].send(framing.yes)
        relay.send(framing.frame(question(2, right=False)))
        relay.resume()
        assert relay.verdict() is False
        assert relay.ask(question(3)) is True
        assert daemon.questions == [question(1), question(2, False), question(3)]


def test_a_greeting_is_not_an_answer(directory, framing):
    def greets(connection):
        connection.send(framing.yes)
        honest(connection)

    with Daemon(directory / "s", framing, greets, honest) as daemon, Relay(daemon.path, framing) as relay:
        # Whether the greeting comes before the question or after it, it comes with the true answer or alone: never twice.
        answers = [relay.ask(question(n, right=False)) for n in range(3)]
        assert answers[1:] == [False, False]
        assert len(set(daemon.questions)) == len(daemon.questions)


# ---- outages ----


@in_background
@in_both_framings
def test_a_missing_daemon_is_waited_for_once_and_not_per_question(directory, framing):
    with Relay(directory / "s", framing) as relay:
        start = time.monotonic()
        relay.send(b"".join(framing.frame(question(n)) for n in range(200)))
        assert not any(relay.verdict() for _ in range(200))
        assert 3.0 < time.monotonic() - start < 5.0 + SLACK
        start = time.monotonic()
        assert relay.ask(question(201)) is False
        assert time.monotonic() - start < OUTAGE_PATIENCE / 2
        # One attempt a question goes on: the first login after the outage succeeds.
        with Daemon(directory / "s", framing):
            assert relay.ask(question(202)) is True


@in_background
@in_both_framings
def test_a_daemon_that_comes_back_in_time_answers(directory, framing):
    with Relay(directory / "s", framing) as relay:
        relay.send(framing.frame(question(1)))
        assert relay.says_nothing_for(1)
        with Daemon(directory / "s", framing) as daemon:
            assert relay.verdict() is True
            assert daemon.questions == [question(1)]


def refuses(path):
    """A socket file that nobody listens on."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    sock.close()
    return contextlib.nullcontext(path)


def is_a_file(path):
    path.write_text("")
    return contextlib.nullcontext(path)


def is_a_directory(path):
    path.mkdir()
    return contextlib.nullcontext(path)


def is_too_long(path):
    return contextlib.nullcontext(path / ("x" * 200))


@contextlib.contextmanager
def has_a_full_backlog(path):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(0)
    waiting = []
    with contextlib.suppress(BlockingIOError):
        while True:
            waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            waiting[-1].connect(str(path))
    yield path
    for sock in [listener, *waiting]:
        sock.close()


UNREACHABLE = [
    ("no socket", contextlib.nullcontext),
    ("nobody listens", refuses),
    ("a file", is_a_file),
    ("a directory", is_a_directory),
    ("a path too long for a socket", is_too_long),
    ("a full backlog", has_a_full_backlog),
]


@in_background
def test_an_unreachable_daemon_is_a_no_and_never_the_end(directory):
    def check(number, make):
        with make(directory / f"s{number}") as path, Relay(path, Line) as relay:
            start = time.monotonic()
            assert relay.ask(question(1)) is False
            assert time.monotonic() - start < 5.0 + SLACK
            assert relay.ask(question(2)) is False
            assert relay.is_running()
            relay.close_input()
            assert relay.exit_status() == 0

    at_once([(name, number, make) for number, (name, make) in enumerate(UNREACHABLE)], check)


def test_a_full_backlog_is_tried_again(directory, framing):
    path = directory / "s"
    with has_a_full_backlog(path), Relay(path, framing) as relay:
        relay.send(framing.frame(question(1)))
        assert relay.says_nothing_for(0.5)
        with Daemon(path, framing):
            assert relay.verdict() is True


@in_background
@in_both_framings
def test_no_descriptor_left_is_a_no_until_there_is_one(directory, framing):
    answers_once = sends(framing.yes, then_waits=False)
    with Daemon(directory / "s", framing, answers_once, honest) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(0)) is True
        daemon.wait_for(lambda: daemon.connections[0].is_over)
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (3, 64))
        assert relay.ask(question(1)) is False
        assert relay.is_running()
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        assert relay.ask(question(2)) is True
        assert daemon.questions == [question(0), question(2)]


# ---- a question is delivered at most once ----


def test_a_drained_daemon_answers_what_it_has_and_its_successor_the_rest(directory, framing):
    """shutdown(SHUT_RD) makes the next write fail, so that question was not delivered and may be asked elsewhere."""
    drain = threading.Event()

    def drained(connection):
        text = connection.question()
        connection.sock.shutdown(socket.SHUT_RD)
        drain.set()
        connection.say(text.endswith(b"right"))
        time.sleep(SOON)

    with Daemon(directory / "s", framing, drained) as old, Relay(old.path, framing) as relay:
        relay.send(framing.frame(question(1)))
        assert drain.wait(SOON)
        old.stop_listening()
        with Daemon(directory / "s", framing) as new:
            assert relay.verdict() is True
            assert relay.ask(question(2)) is True
            assert relay.ask(question(3, right=False)) is False
            assert old.questions == [question(1)]
            assert new.questions == [question(2), question(3, False)]
            assert len(new.connections) == 1


def test_a_question_in_doubt_is_denied_and_never_asked_again(directory, framing):
    """The token may have been spent by a daemon that died before its answer."""
    with Daemon(directory / "s", framing, silent, honest) as daemon, Relay(daemon.path, framing) as relay:
        relay.send(framing.frame(question(1)))
        daemon.wait_for_question()
        daemon.connections[0].sock.shutdown(socket.SHUT_RDWR)
        assert relay.verdict() is False
        assert relay.ask(question(2)) is True
        assert daemon.questions == [question(1), question(2)]


def test_a_connection_that_ends_before_the_question_is_replaced_without_asking_twice(directory, framing):
    """The question may go to the first connection or not; only if not, another gets it."""
    hang_up = lambda connection: None  # noqa: E731
    for number in range(20):
        with Daemon(directory / f"s{number}", framing, hang_up, honest) as daemon, Relay(daemon.path, framing) as relay:
            assert relay.ask(question(1)) is (question(1) in daemon.questions)
            assert relay.ask(question(2)) is True
            assert daemon.questions.count(question(1)) <= 1


def test_a_daemon_that_always_hangs_up_is_a_no_and_not_called_without_end(directory, framing):
    with Daemon(directory / "s", framing, lambda connection: None) as daemon, Relay(daemon.path, framing) as relay:
        assert not any(relay.ask(question(n)) for n in range(20))
        assert len(daemon.connections) < 20 * OUTAGE_PATIENCE / 0.05


def test_restarts_under_load_lose_no_answer_and_repeat_no_question(directory, framing):
    count, restarts = 4000, 25
    path = directory / "s"
    daemons = [Daemon(path, framing)]
    random_source = random.Random(1)
    done = threading.Event()

    def restart():
        for _ in range(restarts):
            # By progress, not by time, so that every machine sees questions between restarts and in them.
            seen = len(daemons[-1].questions)
            daemons[-1].wait_for(lambda seen=seen: len(daemons[-1].questions) > seen + 20 or done.is_set(), 60)
            daemons[-1].kill()
            time.sleep(random_source.choice([0, 0.001, 0.05, 0.2]))
            daemons.append(Daemon(path, framing))

    with Relay(path, framing) as relay:
        texts = [question(n, right=n % 2 == 0) for n in range(count)]
        restarter = threading.Thread(target=restart)
        restarter.start()
        threading.Thread(target=relay.send, args=(b"".join(map(framing.frame, texts)),), daemon=True).start()
        answers = [relay.verdict() for _ in texts]
        done.set()
        restarter.join()
        assert relay.says_nothing_for(0.1)
        assert relay.ask(question(count)) is True

    delivered = [text for daemon in daemons for text in daemon.questions]
    assert len(set(delivered)) == len(delivered), "a question was delivered twice"
    allowed = {text for text, yes in zip(texts, answers) if yes}
    assert allowed <= {text for text in delivered if text.endswith(b"right")}
    # Only a question that was under way when a daemon died may have been lost.
    assert count // 2 - restarts - len(allowed) <= 0
    for daemon in daemons:
        daemon.kill()


# ---- the end ----


def waits_for_a_silent_daemon(directory, framing):
    """A relay with a question out, and its daemon."""
    daemon = Daemon(directory / "s", framing, silent)
    relay = Relay(daemon.path, framing)
    relay.send(framing.frame(question(1)))
    daemon.wait_for_question()
    return daemon, relay


def test_closing_an_idle_relays_input_ends_it_with_0(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1)) is True
        relay.close_input()
        assert relay.exit_status() == 0


def test_closing_the_input_while_it_waits_ends_it_at_once(directory, framing):
    daemon, relay = waits_for_a_silent_daemon(directory, framing)
    with daemon, relay:
        start = time.monotonic()
        relay.close_input()
        assert relay.exit_status() == 0
        assert time.monotonic() - start < ANSWER_TIMEOUT - 1


def test_closing_the_output_while_it_waits_ends_it_at_once(directory, framing):
    daemon, relay = waits_for_a_silent_daemon(directory, framing)
    with daemon, relay:
        start = time.monotonic()
        relay.process.stdout.close()
        assert relay.exit_status() == 0
        assert time.monotonic() - start < ANSWER_TIMEOUT - 1


@in_background
@in_both_framings
def test_closing_the_input_in_an_outage_ends_it_at_once(directory, framing):
    with Relay(directory / "s", framing) as relay:
        relay.send(framing.frame(question(1)) * 100)
        assert relay.says_nothing_for(0.3)
        start = time.monotonic()
        relay.close_input()
        assert [relay.verdict() for _ in range(100)] == [False] * 100
        assert relay.exit_status() == 0
        assert time.monotonic() - start < OUTAGE_PATIENCE - 1


def test_half_a_question_at_the_end_is_not_asked(directory, framing):
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        relay.send(framing.frame(question(1))[:-1])
        relay.close_input()
        assert relay.answer() == b""
        assert relay.exit_status() == 0
        assert daemon.questions == []


def test_a_socket_serves_as_input_and_output(directory, framing):
    ours, theirs = socket.socketpair()
    with Daemon(directory / "s", framing) as daemon, ours:
        process = subprocess.Popen([RELAY, daemon.path], stdin=theirs, stdout=theirs)
        theirs.close()
        ours.settimeout(SOON)
        ours.sendall(framing.frame(question(1)))
        assert ours.recv(10) == framing.yes
        ours.sendall(framing.frame(question(2)))
        ours.shutdown(socket.SHUT_WR)
        assert ours.recv(10) == framing.yes
        assert ours.recv(10) == b""
        assert process.wait(SOON) == 0


@pytest.mark.parametrize("closed", [0, 1])
def test_a_missing_input_or_output_is_the_end_and_no_daemons_socket_takes_its_place(directory, closed):
    with Daemon(directory / "s") as daemon:
        command = f'exec "$0" "$1" {closed}<&-'
        process = subprocess.run(
            ["/bin/sh", "-c", command, RELAY, daemon.path], input=Line.frame(question(1)), stdout=subprocess.PIPE, timeout=SOON
        )
        assert process.returncode == 0
        assert daemon.questions == []


def test_hangups_do_not_end_it(directory, framing):
    """`pkill -HUP -f xmpp-authd` is meant for the daemon, and matches the relay's argument."""
    with Daemon(directory / "s", framing) as daemon, Relay(daemon.path, framing) as relay:
        assert relay.ask(question(1)) is True
        for number in (signal.SIGHUP, signal.SIGPIPE):
            relay.process.send_signal(number)
        assert relay.ask(question(2)) is True


# ---- the command line ----


def run(*arguments, **options):
    return subprocess.run(
        [RELAY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SOON, **options
    )


def test_options():
    assert run("--version").stdout.startswith("xmpp-extauth ")
    assert run("--help").stdout.startswith("usage: xmpp-extauth [SOCKET]")
    unknown = run("--no-such-option")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "--no-such-option" in unknown.stderr


def test_where_the_socket_is_named(directory):
    path = str(directory / "s")
    other = str(directory / "none")
    script = directory / "script"
    script.write_text(f"#!{RELAY} {path}\n")
    script.chmod(0o700)
    with Daemon(path):
        for command, variable in [
            ([RELAY, path], None),
            ([RELAY, path], other),
            ([RELAY], path),
            ([RELAY, ""], path),
            ([RELAY, "--", path], other),
            ([RELAY, path, "ignored"], other),
            ([str(script)], other),
        ]:
            environment = {**os.environ, "XMPP_AUTHD_SOCKET": variable or ""}
            with Relay(None, Line, command=command, env=environment) as relay:
                assert relay.ask(question(1)) is True, (command, variable)


# ---- secrets, and the log ----


def test_it_leaves_no_core_dump(directory):
    with Daemon(directory / "s") as daemon, Relay(daemon.path) as relay:
        assert relay.ask(question(1)) is True
        assert resource.prlimit(relay.process.pid, resource.RLIMIT_CORE) == (0, 0)


def test_it_needs_libc_alone():
    program = shutil.which("readelf")
    if program is None:
        pytest.skip("readelf is not installed")
    lines = subprocess.run([program, "-d", RELAY], capture_output=True, text=True, check=True).stdout.splitlines()
    needed = [line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line]
    if b"__asan_init" in pathlib.Path(RELAY).read_bytes():
        pytest.skip("built with sanitizers")
    assert all(name.startswith(("libc.", "ld-linux")) for name in needed), needed


@contextlib.contextmanager
def private_log(directory, **options):
    """A /dev/log that only what runs behind the yielded command sees, and its datagrams."""
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    device = directory / "dev"
    device.mkdir()
    log.bind(str(device / "log"))
    (device / "null").touch()
    script = f"mount --bind /dev/null {device}/null && mount --rbind {device} /dev && exec \"$0\" \"$@\""
    command = ["unshare", "--mount", "/bin/sh", "-c", script]
    if subprocess.run([*command, "/bin/true"], capture_output=True, check=False, **options).returncode != 0:
        pytest.skip("no private mounts here")
    with log:
        yield command, log


def messages(log):
    """All that have come."""
    log.setblocking(False)
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(log.recv(4096))
    return found


@in_background
def test_the_log_tells_of_an_outage_once_and_of_no_token(directory):
    framing = Length
    path = directory / "s"
    with private_log(directory) as (prefix, log), Relay(path, framing, [*prefix, RELAY, str(path)]) as relay:
        relay.send(b"".join(framing.frame(b"auth:alice:host:SECRET%d" % n) for n in range(50)))
        assert not any(relay.verdict() for _ in range(50))
        with Daemon(path, framing, sends(b"SECRETGARBAGE"), sends(b"SECRETGARBAGE"), honest):
            assert [relay.ask(question(n)) for n in range(3)] == [False, False, True]
            relay.send(framing.frame(b"auth:alice:host:SECRET" + b"x" * 9000))
            assert relay.verdict() is False
        found = messages(log)
    assert all(b"SECRET" not in message and b"alice" not in message for message in found), found
    # Facility daemon is 3: <27> is its error, <28> its warning, <29> its notice.
    assert all(message[:4] in (b"<27>", b"<28>", b"<29>") and b" xmpp-extauth[" in message for message in found)
    for words, times in [(b"can't be reached", 1), (b"50 questions were denied", 1), (b"no answer", 1), (b"can't be asked", 1)]:
        assert sum(words in message for message in found) == times, (words, found)


def test_a_stuck_log_does_not_stop_logins(directory, framing):
    path = directory / "s"
    with private_log(directory) as (prefix, log):
        # Nobody reads it, and it is full.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(BlockingIOError):
            sender.setblocking(False)
            while True:
                sender.sendto(b"full", log.getsockname())
        with Daemon(path, framing, sends(b"garbage"), honest) as daemon:
            with Relay(path, framing, [*prefix, RELAY, daemon.path]) as relay:
                assert relay.ask(question(1)) is False
                assert relay.ask(question(2)) is True

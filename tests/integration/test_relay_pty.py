"""xmpp-extauth on a pseudo-terminal, as Prosody's mod_auth_external_insecure runs it: no wrong password gets a yes."""

import os
import random
import termios
import threading
import time

import pytest
from relay_peers import SOON, Daemon, Line, Module, at_once, honest, in_background, run_scenarios, silent, socket_directory


@pytest.fixture(scope="module", autouse=True)
def scenarios(request):
    with run_scenarios(request) as running:
        yield running


@pytest.fixture
def directory():
    with socket_directory() as path:
        yield path


@pytest.fixture(params=[False, True], ids=["lpty 1.0", "lpty 1.2"])
def restores(request):
    return request.param


RIGHT = b"auth:alice:example.org:right"
WRONG = b"auth:alice:example.org:wrong"


def answers_right_soon(module):
    """A user who tries again gets in. (Tries cost no time while a starved child has not turned echo off.)"""
    end = time.monotonic() + 2 * SOON
    while module.ask(RIGHT) is not True:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


# ---- starts ----


@pytest.mark.parametrize("echo", ["certain echo", "a race for it"])
def test_the_first_question_gets_no_answer_and_an_exit_with_0(directory, restores, echo):
    with Daemon(directory / "s") as daemon, Module(daemon.path, restores) as module:
        if echo == "certain echo":
            assert module.ask_with_certain_echo(RIGHT).startswith(b"auth:")
        else:
            module.start()
            module.write(RIGHT)
        assert module.exit_status() == 0
        module.read(timeout=0)
        assert module.read(timeout=0.2) is None
        assert daemon.questions == []


def test_a_terminal_without_echo_is_answered_from_the_second_question_on(directory, restores):
    with Daemon(directory / "s") as daemon, Module(daemon.path, restores) as module:
        module.begin_in_step()
        assert [module.ask(RIGHT), module.ask(WRONG), module.ask(RIGHT)] == [True, False, True]
        assert daemon.questions == [RIGHT, WRONG, RIGHT]
        assert len(daemon.connections) == 1


@in_background
def test_a_part_of_the_echo_that_was_not_read_does_not_shift_the_answers(directory):
    """The module may read before all of an echo is there; the rest is the next question's answer to it."""

    def check(path, restores, limit):
        with Daemon(path) as daemon, Module(daemon.path, restores) as module:
            assert module.ask_with_certain_echo(b"auth:mallory:example.org:" + b"x" * 900, limit) not in (True, None)
            assert module.exit_status() == 0
            assert module.ask(RIGHT) is not True  # reads the rest, while the daemon would have said yes
            for _ in range(3):
                assert module.ask(WRONG) is not True
            assert answers_right_soon(module)
            assert module.ask(WRONG) is False

    rows = [(restores, limit) for restores in (False, True) for limit in (1, 100, 900)]
    at_once([(str(row), directory / f"s{number}", *row) for number, row in enumerate(rows)], check)


@in_background
def test_over_many_starts_no_wrong_password_gets_a_yes(directory):
    """Echo and relay race; a user may be quick or slow; the module may read a part of an echo."""

    def check(path, seed):
        source = random.Random(seed)
        with Daemon(path), Module(path, restores=seed % 2 == 0) as module:
            padding = b"-" * source.choice([0, 100, 900])
            limit = source.choice([4096, 1, 20, 200])
            asked = []
            for right in [True, True, False, True, False, False, True, False]:
                time.sleep(source.choice([0, 0.001, 0.05]))
                # lpty reads all that is there; less only of an echo that is still being made.
                text = b"auth:alice:host:" + padding + (b"right" if right else b"wrong")
                asked.append((right, module.ask(text, 4096 if asked else limit)))
            assert not any(answer is True for right, answer in asked if not right), asked
            assert answers_right_soon(module), asked
            assert module.ask(WRONG) is not True

    at_once([(f"start {seed}", directory / f"s{seed}", seed) for seed in range(48)], check)


# ---- lateness ----


def says_yes_after(seconds):
    def script(connection):
        while connection.question() is not None:
            time.sleep(seconds)
            connection.say(True)

    return script


def check_nothing_late(path, scripts, disturb):
    """Something makes the yes to RIGHT late; disturb() returns what the module has read."""
    with Daemon(path, Line, honest, *scripts) as daemon, Module(daemon.path) as module:
        module.begin_in_step()
        assert module.ask(RIGHT) is True
        assert disturb(daemon, module) in (False, None)
        for _ in range(3):
            assert module.ask(WRONG) is not True
        assert answers_right_soon(module)
        assert module.ask(WRONG) is False


def asks_a_late_daemon(daemon, module):
    daemon.connections[0].sock.shutdown(2)
    return module.ask(RIGHT)


def asks_a_stopped_relay(daemon, module):
    module.stop()
    answer = module.ask(RIGHT)
    module.resume()
    assert module.exit_status() == 0
    assert module.read(timeout=0) is None
    return answer


def stops_the_relay_before_the_daemon_answers(daemon, module):
    go_on = threading.Event()
    daemon.scripts = (lambda connection: (connection.question(), go_on.wait(SOON), connection.say(True)), honest)
    daemon.connections[0].sock.shutdown(2)
    daemon.scripts = (honest, *daemon.scripts)
    module.write(RIGHT)
    daemon.wait_for_question(2)
    module.stop()
    go_on.set()
    answer = module.read()
    module.resume()
    assert module.exit_status() == 0
    assert module.read(timeout=0) is None
    return answer


def asks_while_a_late_relay_exits(daemon, module):
    """The question of a user with the right password reaches nobody, and must not be the next one's."""
    module.stop()
    answer = module.ask(RIGHT)
    module.resume()
    assert module.exit_status() == 0
    module.write(RIGHT)
    assert module.read() is None
    # The module starts another and is slow to write its next question.
    module.start()
    assert module.read(timeout=1) is None
    assert module.ask(WRONG) is False
    return answer


def asks_a_relay_that_is_slow_to_start(daemon, module):
    os.kill(module.pid, 9)
    os.waitpid(module.pid, 0)
    readable, writable = os.pipe()
    module.start(gate=readable)
    answer = module.ask(RIGHT)
    os.write(writable, b"x")
    assert module.exit_status() == 0
    assert module.read(timeout=0) is None
    os.close(readable)
    os.close(writable)
    return answer


LATE = [
    ("a daemon that answers after 4.2 s", [says_yes_after(4.2), honest], asks_a_late_daemon),
    ("a daemon that answers after 5.5 s", [says_yes_after(5.5), honest], asks_a_late_daemon),
    ("a silent daemon", [silent, honest], asks_a_late_daemon),
    ("a relay that is stopped while the question comes", [], asks_a_stopped_relay),
    ("a relay that is stopped while the answer comes", [], stops_the_relay_before_the_daemon_answers),
    ("a relay that is started late", [], asks_a_relay_that_is_slow_to_start),
    ("a question that is written as a late relay exits", [], asks_while_a_late_relay_exits),
]


@in_background
def test_a_late_yes_is_never_written(directory):
    at_once([(name, directory / f"s{n}", *row) for n, (name, *row) in enumerate(LATE)], check_nothing_late)


@in_background
def test_an_answer_that_takes_3_seconds_is_in_time(directory):
    with Daemon(directory / "s", Line, says_yes_after(3)) as daemon, Module(daemon.path) as module:
        module.begin_in_step()
        assert module.ask(RIGHT) is True


# ---- what is not one line ----

TAKEOVER = b"auth:mallory:example.org:right"

NOT_ONE_LINE = [
    ("two lines", b"auth:alice:example.org:junk\n" + TAKEOVER),
    ("the right password first", TAKEOVER + b"\nauth:alice:example.org:junk"),
    ("many lines", b"\n".join([TAKEOVER] * 30)),
    ("an empty line", b""),
    ("an empty line first", b"\n" + TAKEOVER),
    ("an empty line after it", TAKEOVER + b"\n"),
    ("a first byte that means a length to the daemon", b"\x01" + TAKEOVER),
    ("a line of 8192 bytes", b"auth:" + b"x" * 8187),
    ("20 kB in lines", b"\n".join([b"auth:" + b"x" * 994] * 20)),
]


@pytest.mark.parametrize("text", [row[1] for row in NOT_ONE_LINE], ids=[row[0] for row in NOT_ONE_LINE])
def test_what_is_not_one_line_is_not_asked_and_gets_one_no(directory, text):
    with Daemon(directory / "s") as daemon, Module(daemon.path) as module:
        module.begin_in_step()
        assert module.ask(RIGHT) is True
        assert module.ask(text) is False
        assert [module.ask(WRONG), module.ask(RIGHT), module.ask(WRONG)] == [False, True, False]
        assert daemon.questions == [RIGHT, WRONG, RIGHT, WRONG]


def test_a_line_that_comes_while_another_is_asked_drops_both(directory):
    def yes_when_told(connection):
        connection.question()
        go_on.wait(SOON)
        connection.say(True)

    go_on = threading.Event()
    with Daemon(directory / "s", Line, yes_when_told, honest) as daemon, Module(daemon.path) as module:
        module.begin_in_step()
        module.start()
        module.write(RIGHT)
        daemon.wait_for_question()
        module.write(WRONG)
        assert module.read(timeout=3) is False  # at once, not when the first one's time is up
        go_on.set()
        assert [module.ask(WRONG), module.ask(RIGHT), module.ask(WRONG)] == [False, True, False]


def test_control_bytes_reach_the_daemon_and_not_the_terminal(directory, restores):
    """^C, ^D, ^S, ^Z, CR and friends: no signal, no flow control, no line editing."""
    text = b"auth:alice:example.org:" + bytes(b for b in range(256) if b != 0x0A) + b"right"
    with Daemon(directory / "s") as daemon, Module(daemon.path, restores) as module:
        module.begin_in_step()
        assert module.ask(RIGHT) is True
        assert module.ask(text) is True
        assert daemon.questions == [RIGHT, text]


# ---- daemons and ends ----


@in_background
def test_an_unreachable_daemon_is_a_no_in_time_and_the_relay_stays(directory):
    with Module(directory / "s") as module:
        module.begin_in_step()
        assert module.ask(RIGHT) is False
        assert module.ask(WRONG) is False
        with Daemon(directory / "s"):
            assert [module.ask(RIGHT), module.ask(WRONG)] == [True, False]


def test_restarts_of_the_daemon_shift_no_answers(directory):
    daemons = [Daemon(directory / "s")]
    with Module(directory / "s") as module:
        module.begin_in_step()
        for n in range(60):
            assert module.ask(RIGHT) is True
            daemons[-1].kill()
            daemons.append(Daemon(directory / "s"))
            assert module.ask(WRONG) is False
            if n % 3 == 0:
                # In the middle of a question: denied or answered by the next one, and nothing is left over.
                threading.Thread(target=daemons[-1].kill).start()
                daemons.append(Daemon(directory / "s"))
                module.ask(RIGHT)
                assert module.ask(WRONG) is False
    daemons[-1].kill()


def test_the_end_of_the_terminal_is_the_end(directory):
    """With no question, and with one under way."""

    def answers_once(connection):
        connection.question()
        connection.say(True)
        silent(connection)

    for asks in (False, True):
        with Daemon(directory / "s", Line, answers_once) as daemon, Module(daemon.path) as module:
            module.begin_in_step()
            assert module.ask(RIGHT) is True
            if asks:
                module.write(RIGHT)
                daemon.wait_for_question(2)
            os.close(module.master)
            assert module.exit_status() == 0


def test_the_size_of_the_terminal_stays(directory):
    with Daemon(directory / "s") as daemon, Module(daemon.path) as module:
        termios.tcsetwinsize(module.slave, (24, 80))
        module.begin_in_step()
        assert module.ask(RIGHT) is True
        assert termios.tcgetwinsize(module.slave) == (24, 80)

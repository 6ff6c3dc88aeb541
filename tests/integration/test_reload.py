"""SIGHUP: all of the new configuration or nothing, and nobody notices but those whom it concerns."""

import os
import signal
import threading

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import FRAMINGS, NO, YES, LengthClient, LineClient, auth, isuser
from harness.configuration import HOST
from harness.minter import Key

ALICE = "alice@example.org"


def refused(daemon, *patterns):
    """The configuration as it is now is refused, and the log says why."""
    daemon.expect("event=reload-failed", *patterns)
    assert daemon.reload() == "reload-failed"
    problems = [record["problem"] for record in daemon.events("configuration", level="error")]
    for problem in problems:
        assert problem.startswith(str(daemon.path)), problem
    return problems


# --- what it changes


def test_settings_that_a_reload_may_change(configuration, start):
    configuration.server(max_request=8191)
    daemon = start()
    with LineClient(daemon.socket) as old:
        assert old.ask(isuser(ALICE)) == YES
        configuration.server(max_request=128, max_connections=2, max_pending="1k", request_timeout="1s", drain_timeout="1s")
        configuration.host(isuser="never", otp_window=0)
        assert daemon.reload() == "reloaded"
        assert old.ask(isuser(ALICE)) == NO
        old.send(b"x" * 200 + b"\n")
        assert old.rest() == [NO]
    assert daemon.status()["connections"]["max"] == "2"
    assert (daemon.status()["daemon"]["reloads"], daemon.status()["daemon"]["failed_reloads"]) == ("1", "0")


def test_the_level_of_the_log(configuration, start):
    daemon = start()
    configuration.set("log", level="error")
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    daemon.await_status(lambda status: status["daemon"]["reloads"] == "1")
    assert daemon.ask(isuser("silent@example.org")) == YES
    configuration.set("log", level="info")
    assert daemon.reload() == "reloaded"
    assert daemon.ask(isuser("heard@example.org")) == YES
    daemon.verdict("heard@example.org")
    assert not daemon.events("verdict", user="silent")


def test_hosts_and_keys_come_and_go(configuration, start):
    new = Key()
    daemon = start()
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth("a@example.net", new.mint("a@example.net")), auth(ALICE, new.mint(ALICE))) == [NO, NO]
        configuration.host("example.net", new)
        configuration.set(f"key {HOST} 2026b", **new.settings())
        assert daemon.reload() == "reloaded"
        assert client.ask(auth("a@example.net", new.mint("a@example.net")), auth(ALICE, new.mint(ALICE))) == [YES, YES]
        assert client.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES
        # The old key is withdrawn.
        del configuration.sections[f"key {HOST} 2026b"]
        configuration.host(key=new)
        assert daemon.reload() == "reloaded"
        assert client.ask(auth(ALICE, new.mint(ALICE)), auth(ALICE, configuration.key.mint(ALICE))) == [YES, NO]
        del configuration.sections["host example.net"]
        assert daemon.reload() == "reloaded"
        assert client.ask(auth("a@example.net", new.mint("a@example.net")), isuser("a@example.net")) == [NO, NO]


def test_a_secrets_file_is_read_again(configuration, start):
    path = configuration.directory / "secrets.cfg"
    first, second = Key(), Key()

    def write(key):
        path.touch(0o600)
        path.write_text(f"[secrets]\notp_seed = {key.seed}\ntoken_secret = {key.secret}\n")

    write(first)
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    daemon = start()
    write(second)
    assert daemon.ask(auth(ALICE, second.mint(ALICE)), auth(ALICE, first.mint(ALICE))) == [NO, YES]
    assert daemon.reload() == "reloaded"
    assert daemon.ask(auth(ALICE, second.mint(ALICE)), auth(ALICE, first.mint(ALICE))) == [YES, NO]
    path.unlink()
    refused(daemon, "secrets.cfg: No such file")
    assert daemon.ask(auth(ALICE, second.mint(ALICE))) == YES


@needs_root
def test_who_may_connect(configuration, start):
    daemon = start().expect("connection-refused")
    with LengthClient(daemon.socket) as old:
        assert old.ask(isuser(ALICE)) == YES
        configuration.server(allow_users="nobody")
        assert daemon.reload() == "reloaded"
        assert old.ask(isuser(ALICE)) == YES  # connections stay
        with LengthClient(daemon.socket) as new:
            assert new.rest() == []
        configuration.server(allow_users="root")
        assert daemon.reload() == "reloaded"
        assert daemon.ask(isuser(ALICE)) == YES


def test_fewer_connections_than_there_are_closes_none(configuration, start):
    daemon = start().expect("connection-refused.*max_connections")
    clients = [LengthClient(daemon.socket) for _ in range(10)]
    assert [client.ask(isuser(ALICE)) for client in clients] == [YES] * 10
    configuration.server(max_connections=5)
    assert daemon.reload() == "reloaded"
    assert [client.ask(isuser(ALICE)) for client in clients] == [YES] * 10
    with LengthClient(daemon.socket) as new:
        assert new.rest() == []
    for client in clients:
        client.close()


def test_a_longer_format_takes_a_new_key(configuration, start):
    daemon = start()
    new = Key(digits=6, nonce_digits=40)
    configuration.host(key=new)
    assert daemon.reload() == "reloaded"
    assert daemon.ask(auth(ALICE, new.mint(ALICE)), auth(ALICE, configuration.key.mint(ALICE))) == [YES, NO]


# --- what it refuses


def test_a_bad_configuration_changes_nothing_and_every_problem_is_named(configuration, start):
    daemon = start()
    spent = configuration.key.mint(ALICE)
    with LengthClient(daemon.socket) as old:
        assert old.ask(auth(ALICE, spent)) == YES
        good = configuration.text()
        configuration.server(max_connections="many", colour="blue")
        configuration.host(isuser="never", otp_window=11)
        configuration.set("nonsense", a=1)
        problems = refused(daemon, "event=configuration")
        assert len(problems) == 4
        assert old.ask(auth(ALICE, spent), isuser(ALICE)) == [NO, YES]
        assert daemon.status()["daemon"]["failed_reloads"] == "1"
        configuration.text = lambda: good
        assert daemon.reload() == "reloaded"
        assert old.ask(auth(ALICE, spent), isuser(ALICE)) == [NO, YES]


@pytest.mark.parametrize("header, change, names", [
    ("server", {"listen": "{directory}/b.sock"}, ["listen"]),
    ("server", {"mode": "0600"}, ["mode"]),
    ("server", {"group": "12345"}, ["group"]),
    ("server", {"mode": "0600", "group": "12345"}, ["group", "mode"]),
    ("listen other", {"path": "{directory}/b.sock"}, ["path"]),
    ("listen other", {"protocol": "generic"}, ["protocol"]),
    ("listen other", {"mode": "0600"}, ["mode"]),
    ("listen other", {"group": "12345"}, ["group"]),
    ("control", {"listen": "{directory}/b.sock"}, ["listen"]),
    ("replay", {"after_restart": "refuse"}, ["after_restart"]),
    ("replay", {"store": "journal"}, ["store"]),
    ("state", {"dir": "{directory}/state"}, ["dir"]),
], ids=lambda value: " ".join(value) if isinstance(value, (list, dict)) else value)
def test_what_only_a_restart_can_change(configuration, start, header, change, names):
    configuration.listener("other")
    daemon = start()
    configuration.set(header, **{name: str(value).format(directory=daemon.directory) for name, value in change.items()})
    problems = refused(daemon, "can't be changed by a reload: restart")
    assert sorted(problem.split(": ")[1].split(" ")[0] for problem in problems) == names
    assert daemon.ask(isuser(ALICE)) == YES


def test_listeners_neither_come_nor_go(configuration, start):
    configuration.listener("other")
    daemon = start()
    configuration.listener("third")
    assert len(refused(daemon, "a listener can't be added by a reload: restart")) == 1
    del configuration.sections["listen third"], configuration.sections["listen other"]
    assert len(refused(daemon, "a listener can't be removed by a reload: restart")) == 2
    configuration.set("listen renamed", path=daemon.directory / "other.sock")
    refused(daemon, "a listener can't be")
    with LineClient(daemon.directory / "other.sock") as client:
        assert client.ask(isuser(ALICE)) == YES


@pytest.mark.parametrize("kind", ["gone", "empty", "unreadable by rule", "directory", "fifo"])
def test_a_file_that_is_no_configuration_any_more(configuration, start, kind):
    daemon = start()
    daemon.path.unlink()
    daemon.write_configuration = lambda: None
    {"gone": lambda: None, "empty": lambda: daemon.path.touch(0o600), "unreadable by rule": lambda: daemon.path.touch(0o644),
     "directory": daemon.path.mkdir, "fifo": lambda: os.mkfifo(daemon.path, 0o600)}[kind]()
    assert len(refused(daemon, "event=configuration")) == 1
    assert daemon.ask(isuser(ALICE)) == YES


def test_digits_under_another_key_of_the_same_host_that_stays(configuration, start):
    """One key is new, another stays: the one that stays must not change its format."""
    configuration.set(f"key {HOST} stays", **Key().settings())
    daemon = start()
    configuration.host(key=Key(nonce_digits=40))
    refused(daemon, "otp_digits or nonce_digits changed under an unchanged token_secret")


def test_digits_under_the_same_secret_by_way_of_the_host_star(configuration, start):
    key = configuration.key
    daemon = start()
    del configuration.sections[f"host {HOST}"]
    configuration.host("*", key, nonce_digits=33)
    refused(daemon, "otp_digits or nonce_digits changed under an unchanged token_secret")
    configuration.host("*", nonce_digits=None)
    assert daemon.reload() == "reloaded"
    configuration.host(key=key, nonce_digits=33)
    refused(daemon, "otp_digits or nonce_digits changed under an unchanged token_secret")
    assert daemon.ask(auth(ALICE, key.mint(ALICE))) == YES


# --- under load


class Asker(threading.Thread):
    """Logs in and asks in pieces that split questions, and holds every answer against the right one, until told to stop."""

    def __init__(self, framing, path, key):
        super().__init__(daemon=True)
        self.client, self.key = framing(path), key
        self.rounds, self.stopping = 0, threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.round()
                self.rounds += 1
        except (AssertionError, OSError) as failure:
            self.failure = failure

    def round(self):
        token = self.key.mint(ALICE)
        questions = [auth(ALICE, token), auth(ALICE, token), isuser("a@else.where"), auth("bob@example.org", token)] * 5
        stream = b"".join(map(self.client.encode, questions))
        self.client.send(stream[:777])
        self.client.send(stream[777:])
        answers = self.client.answers(len(questions))
        assert answers == [YES, NO, NO, NO] + [NO] * 16, answers

    def await_rounds(self, count, limit):
        wanted = self.rounds + count
        for _ in range(limit * 100):
            if self.rounds >= wanted or self.failure:
                break
            self.join(0.01)
        assert self.failure is None and self.rounds >= wanted, self.failure

    def finish(self):
        self.stopping.set()
        self.join(DEADLINE)
        self.client.close()
        assert self.failure is None, self.failure


def test_no_answer_is_lost_or_wrong_while_configurations_come_and_go(configuration, start):
    daemon = start().expect("event=configuration", "event=reload-failed")
    askers = [Asker(framing, daemon.socket, configuration.key) for framing in FRAMINGS * 2]
    for asker in askers:
        asker.start()
    outcomes = []
    for number in range(20):
        bad = number % 3 == 2
        configuration.host(otp_window=number % 4 + 1)
        configuration.host(f"host{number}.example", Key())
        configuration.server(max_pending=f"{number + 1}k", nonsense="x" if bad else None)
        outcomes.append(daemon.reload() == ("reload-failed" if bad else "reloaded"))
        for asker in askers:
            asker.await_rounds(2, DEADLINE)
    for asker in askers:
        asker.finish()
    assert all(outcomes)
    rounds = sum(asker.rounds for asker in askers)
    verdicts = daemon.status()["verdicts"]
    assert verdicts["auth", "allowed"] == rounds
    assert daemon.status()["connections"]["accepted"] == str(len(askers))


def test_many_signals_at_once_are_one_reload_or_several_and_harm_nobody(daemon):
    for _ in range(50):
        daemon.signal(signal.SIGHUP)
    assert daemon.reload() == "reloaded"
    assert daemon.ask(isuser(ALICE)) == YES

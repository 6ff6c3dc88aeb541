"""The saslauthd door: testsaslauthd, Cyrus SASL's library, and clients that mean harm."""

import itertools
import os
import pathlib
import struct
import subprocess
import sys

import pytest

from harness import DEADLINE, confidential
from harness.clients import YES, auth
from harness.daemon import BUILD
from harness.minter import Key
from saslauthd_client import NO, OK, Client, ask, fields, login

ALICE = "alice@example.org"
HAS_ICU = b"libicuuc" in subprocess.run(["ldd", BUILD / "xmpp-authd"], capture_output=True, check=True).stdout


@pytest.fixture
def key(configuration):
    return configuration.key


@pytest.fixture
def daemon(cyrus, start):
    return start()


# --- the real clients


def ask_testsaslauthd(path, user, token, *options):
    """What it prints: its exit status is 0 or 255, and it gives no reason."""
    result = subprocess.run(["testsaslauthd", "-f", path, "-u", user, "-p", token, *options], capture_output=True, text=True,
                            timeout=DEADLINE, check=False)
    assert (result.returncode == 0) == ("OK" in result.stdout), result
    return result.stdout.split()[1]


def test_testsaslauthd_is_let_in_once(daemon, cyrus, key):
    token = key.mint(ALICE)
    assert [ask_testsaslauthd(cyrus, "alice", token) for _ in range(3)] == ["OK", "NO", "NO"]
    assert daemon.verdict(ALICE, 3)["reason"] == "replayed"


def test_testsaslauthd_may_name_the_host_and_no_other(daemon, cyrus, key):
    token = key.mint(ALICE)
    assert ask_testsaslauthd(cyrus, "alice", token, "-r", "example.com") == "NO"
    assert daemon.verdict("alice@example.com")["reason"] == "unsupported"
    assert ask_testsaslauthd(cyrus, ALICE, token) == "NO"
    assert ask_testsaslauthd(cyrus, "alice", token, "-r", "example.org", "-s", "imap") == "OK"


def test_a_token_is_spent_through_every_door(daemon, cyrus, key):
    token = key.mint(ALICE)
    assert ask_testsaslauthd(cyrus, "alice", token) == "OK"
    assert daemon.ask(auth(ALICE, token)) == "no"
    token = key.mint(ALICE)
    assert daemon.ask(auth(ALICE, token)) == YES
    assert ask_testsaslauthd(cyrus, "alice", token) == "NO"


@pytest.fixture
def library(directory, cyrus):
    """library((user, password)...): the results of Cyrus SASL's own library."""
    (directory / "doors.conf").write_text(f"pwcheck_method: saslauthd\nsaslauthd_path: {cyrus}\nmech_list: PLAIN\n")

    def check(*logins, realm="example.org", address=""):
        for _, password in logins:
            confidential.keep(password)
        script = pathlib.Path(__file__).with_name("sasl_checkpass.py")
        result = subprocess.run(
            [sys.executable, script, realm, address], input="".join(f"{user}\t{password}\n" for user, password in logins), text=True,
            capture_output=True, timeout=DEADLINE, check=True, env={**os.environ, "SASL_CONF_PATH": str(directory)})
        return [int(line) == 0 for line in result.stdout.split()]

    return check


@pytest.mark.parametrize("address", ["", "192.0.2.1;40000"])
def test_cyrus_sasls_library(daemon, library, key, address):
    token = key.mint(ALICE)
    logins = [("alice", "wrong"), ("alice", token), ("alice", token), ("bob", key.mint(ALICE)), ("ALICE", key.mint(ALICE))]
    assert library(*logins, address=address) == [False, True, False, False, True]


def test_cyrus_sasls_library_lets_the_client_choose_the_realm_and_the_daemon_does_not(daemon, library, key, configuration):
    """Another host of the same daemon, whose user the client may well be: the listener is for one host."""
    other = Key()
    configuration.host("example.com", other)
    assert daemon.reload() == "reloaded"
    logins = [("alice@example.com", other.mint("alice@example.com")), ("alice@example.com", key.mint(ALICE)),
              ("admin@alice@example.org", key.mint("admin@alice@example.org")), (ALICE, key.mint(ALICE))]
    assert library(*logins) == [False, False, False, True]
    assert daemon.verdict("alice@example.com")["reason"] == "unsupported"


@pytest.mark.skipif(not HAS_ICU, reason="built without ICU")
@pytest.mark.parametrize("typed, prepared", [("Straße", "strasse"), ("ÉLAN", "élan"), ("e\u0301lan", "élan"), ("ａｌｉｃｅ", "alice")])
def test_a_name_counts_as_a_chat_server_would_prepare_it(daemon, library, key, typed, prepared):
    jid = f"{prepared}@example.org"
    assert library((typed, key.mint(jid)), (typed, key.mint(f"{typed}@example.org")) if typed != prepared else (typed, "x")) == [
        True, False]


@pytest.mark.skipif(HAS_ICU, reason="built with ICU")
def test_without_icu_a_name_beyond_ascii_is_denied(daemon, library, key):
    assert library(("élan", key.mint("élan@example.org")), ("ALICE", key.mint(ALICE))) == [False, True]


def test_one_name_in_two_spellings_spends_one_token(daemon, library, key):
    token = key.mint(ALICE)
    assert library(("Alice", token), ("alice", token), ("ALICE", token)) == [True, False, False]


# --- the bytes


@pytest.mark.parametrize("realm", ["", "example.org"])
@pytest.mark.parametrize("fifth", [(), ("",), ("192.0.2.1",), ("2001:db8::1",)], ids=["four", "empty", "address", "address6"])
def test_four_fields_and_five(daemon, cyrus, key, realm, fifth):
    question = login("alice", key.mint(ALICE), "xmpp", realm, *fifth)
    assert ask(cyrus, question) == OK
    assert ask(cyrus, question) == NO


def test_split_at_every_position(daemon, cyrus, key):
    """The answer comes once the fourth field is whole; what comes of the fifth later is not waited for."""
    for position in range(1, len(login("alice", key.mint(ALICE)))):
        question = login("alice", key.mint(ALICE))
        with Client(cyrus) as client:
            client.send(question[:position])
            client.send(question[position:] + fields("192.0.2.1"))
            assert client.rest() == OK, position


def test_one_byte_at_a_time(daemon, cyrus, key):
    with Client(cyrus) as client:
        for byte in login("alice", key.mint(ALICE)):
            client.send(bytes([byte]))
        assert client.rest() == OK


def test_what_follows_the_question_is_no_question(daemon, cyrus, key):
    """A second one would be answered on the first one's connection, and a fifth field would begin it."""
    first, second = key.mint(ALICE), key.mint("bob@example.org")
    assert ask(cyrus, login("alice", first) + login("bob", second)) == OK
    assert ask(cyrus, login("bob", second)) == OK
    assert ask(cyrus, login("alice", "x") + login("bob", key.mint("bob@example.org")) * 200) == NO
    assert daemon.status()["verdicts"] == {("auth", "allowed"): 2, ("auth", "malformed"): 1}


def test_a_half_close_after_the_question_gets_its_answer_and_before_it_none(daemon, cyrus, key):
    question = login("alice", key.mint(ALICE))
    for length in (0, 1, 2, 7, len(question) - 1):
        assert ask(cyrus, question[:length], half_close=True) == b""
    assert ask(cyrus, question, half_close=True) == OK


MALFORMED = {
    "no login": fields("", "x", "xmpp", ""),
    "nothing at all": fields("", "", "", ""),
    "a login with the host": fields(ALICE, "x", "", ""),
    "a login with a resource": fields("alice/home", "x", "", ""),
    "a login with a colon": fields("alice:example.org", "x", "", ""),
    "a login with a blank": fields("al ice", "x", "", ""),
    "a login that ends early": fields("alice\0x", "x", "", ""),
    "a login that is no UTF-8": fields(b"al\xffice", "x", "", ""),
    "a login of 1024 bytes": fields("a" * 1024, "x", "", ""),
    "a login of 4000 bytes": fields("é" * 2000, "x", "", ""),
    "a realm with a port": fields("alice", "x", "", "example.org:5222"),
    "a realm with @": fields("alice", "x", "", "a@example.org"),
    "a realm that ends early": fields("alice", "x", "", "example.org\0"),
    "a line end in the service": fields("alice", "x", "xmpp\n", ""),
    "another framing's question": fields("auth:alice:example.org:x", "", "", ""),
    "a question by lines": b"isuser:alice:example.org\n",
    "a long field": struct.pack(">H", 8192),
    "a field that is too long by one": fields("alice", "x" * (8191 - 8 - 5 + 1), "", "")[:-4],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_no_and_the_end(daemon, cyrus, name):
    assert ask(cyrus, MALFORMED[name]) == NO
    assert daemon.status()["verdicts"] == {("auth", "malformed"): 1}


def test_the_longest_question_is_heard(daemon, cyrus):
    assert ask(cyrus, fields("alice", "x" * (8191 - 8 - 5), "", "")) == NO
    assert daemon.verdict(ALICE)["reason"] == "malformed"  # the token: user and host were understood


def test_every_control_byte_in_every_field(daemon, cyrus, key):
    parts = ["alice", key.mint(ALICE), "xmpp", "example.org"]
    for byte, field in itertools.product((*range(0x20), 0x7F), range(4)):
        changed = [part + chr(byte) if at == field else part for at, part in enumerate(parts)]
        assert ask(cyrus, fields(*changed)) == NO
    assert ask(cyrus, fields(*parts)) == OK  # it was not spent


def test_could_not_decide_is_no(configuration, cyrus, start, key):
    configuration.set("replay", after_restart="refuse")
    daemon = start()
    assert ask(cyrus, login("alice", key.mint(ALICE))) == NO
    assert daemon.verdict(ALICE)["reason"] == "starting"


def test_a_client_that_never_finishes_is_closed(configuration, cyrus, start):
    configuration.server(request_timeout="1s")
    daemon = start()
    with Client(cyrus) as client:
        client.send(login("alice", "x")[:-1])
        assert client.rest() == b""
    daemon.await_event("connection-timeout")


def test_clients_that_vanish_harm_nobody(daemon, cyrus, key):
    question = login("alice", key.mint(ALICE)) + fields("192.0.2.1")
    for length in range(len(question)):
        with Client(cyrus) as client:
            client.send(question[:length])
    assert ask(cyrus, login("bob", key.mint("bob@example.org"))) == OK
    daemon.await_status(lambda status: status["connections"]["open"] == "0")


def test_a_flood_of_half_questions_is_bounded_and_others_are_served(configuration, cyrus, start, key):
    """More than max_connections: one too many is closed, and whoever comes after them is heard."""
    configuration.server(max_connections=50, request_timeout="1s")
    daemon = start().expect("max_connections is reached")
    clients = [Client(cyrus) for _ in range(80)]
    for client in clients[:50]:
        client.send(struct.pack(">H", 8000) + b"x" * 4000)
    assert all(client.rest() == b"" for client in clients[50:])
    assert all(client.rest() == b"" for client in clients[:50])
    for client in clients:
        client.socket.close()
    assert ask(cyrus, login("alice", key.mint(ALICE))) == OK
    assert daemon.status()["connections"]["refused"] == "30"


@pytest.mark.parametrize("store", ["journal", "memory"])
def test_two_hundred_clients_at_once_get_their_own_answers(configuration, directory, cyrus, start, key, store):
    (directory / "state").mkdir(mode=0o700)
    configuration.set("state", dir=directory / "state").set("replay", store=store)
    daemon = start()
    daemon.expect("record-incomplete")
    clients = []
    for number in range(200):
        client = Client(cyrus)
        good = number % 3 != 0
        client.send(login(f"User{number}", key.mint(f"user{number if good else 0}@example.org")))
        clients.append((client, OK if good or number == 0 else NO))
    for client, expected in clients:
        assert client.rest() == expected
        client.socket.close()

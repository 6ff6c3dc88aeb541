"""Users denied and users seen: xmpp-authctl against a running daemon, through reloads, restarts and crashes."""

import contextlib
import os
import re
import socket
import sqlite3
import subprocess
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, auth, isuser
from harness.daemon import BUILD, REPORTS, environment, parse_logfmt, run

CTL = BUILD / "xmpp-authctl"
ALICE, BOB = "alice@example.org", "bob@example.org"


@pytest.fixture(params=["journal", "memory"])
def any_store(request, configuration):
    configuration.set("replay", store=request.param)


@pytest.fixture(autouse=True)
def state(configuration):
    """A state directory for each daemon, and isuser = seen."""
    directory = configuration.directory / "state"
    directory.mkdir(mode=0o700)
    configuration.set("state", dir=directory).host(isuser="seen")
    return directory


class Operator:
    """xmpp-authctl on a daemon's control socket."""

    def __init__(self, daemon):
        self.control = daemon.directory / "control.sock"

    def run(self, *words, stdin="", status=0):
        done = subprocess.run([CTL, *words, "--control", self.control], input=stdin, capture_output=True, text=True,
                              timeout=DEADLINE, env=environment(), check=False)
        assert not REPORTS.search(done.stderr.encode()), done.stderr
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done

    def lines(self, *words, **options):
        return [parse_logfmt(line) for line in self.run(*words, **options).stdout.splitlines()]

    def list(self, *words):
        """The rows of a list, by name; it must be whole."""
        *rows, total = self.lines(*words)
        assert total == {"listed": str(len(rows))}
        return {row["jid"]: row for row in rows}

    def denied(self):
        return {jid: row["until"] for jid, row in self.list("denied").items()}

    def seen(self):
        return {jid: row["last"] for jid, row in self.list("users", "list").items()}


def login(daemon, jid, key=None):
    return daemon.ask(auth(jid, (key or daemon.configuration.key).mint(jid)))


def await_seen(operator, *users):
    """A login is in the list once it is written, a second later at the most."""
    deadline = time.monotonic() + DEADLINE
    while set(operator.seen()) != set(users):
        assert time.monotonic() < deadline, operator.seen()
        time.sleep(0.05)


# --- denied


@pytest.mark.usefixtures("any_store")
def test_a_denied_users_token_is_revoked_until_he_is_allowed_again(start):
    daemon = start()
    operator = Operator(daemon)
    assert login(daemon, ALICE) == YES
    assert operator.lines("deny", ALICE) == [{"denied": ALICE, "until": "forever"}]
    assert login(daemon, ALICE) == NO
    assert daemon.verdict(ALICE, 2)["reason"] == "revoked"
    assert login(daemon, BOB) == YES
    assert daemon.status()["daemon"]["users_denied"] == "1"
    assert operator.lines("allow", ALICE) == [{"allowed": ALICE, "was_denied": "yes"}]
    assert login(daemon, ALICE) == YES
    assert daemon.status()["daemon"]["users_denied"] == "0"
    daemon.await_event("user-denied", denied=ALICE, until="forever")
    daemon.await_event("user-allowed", allowed=ALICE)


def test_a_denied_users_token_is_not_spent(daemon, configuration):
    """It may be good yet, once the operator has changed his mind."""
    operator, token = Operator(daemon), configuration.key.mint(ALICE)
    operator.run("deny", ALICE)
    assert daemon.ask(auth(ALICE, token)) == NO
    operator.run("allow", ALICE)
    assert daemon.ask(auth(ALICE, token), auth(ALICE, token)) == [YES, NO]


def test_who_has_no_genuine_token_does_not_learn_who_is_denied(daemon):
    Operator(daemon).run("deny", ALICE)
    daemon.ask(auth(ALICE, "0" * 40 + " " + "A" * 43 + "="))
    assert daemon.verdict(ALICE)["reason"] == "forged"


@pytest.mark.parametrize("spelling", ["unix", "rfc3339"])
def test_a_denial_with_an_end_ends_by_itself(daemon, spelling):
    operator, end = Operator(daemon), int(time.time()) + 2
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    operator.run("deny", ALICE, "--until", str(end) if spelling == "unix" else text)
    assert operator.denied() == {ALICE: text}
    answer = login(daemon, ALICE)
    assert answer == NO or time.time() >= end
    deadline = time.monotonic() + DEADLINE
    while login(daemon, ALICE) == NO:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert time.time() >= end
    assert operator.denied() == {} and daemon.status()["daemon"]["users_denied"] == "0"


def test_the_latest_end_counts(daemon):
    operator, end = Operator(daemon), int(time.time()) + 1000
    operator.run("deny", ALICE, "--until", str(end))
    operator.run("deny", ALICE)
    assert operator.denied() == {ALICE: "forever"}
    operator.run("deny", ALICE, "--until", str(end))
    assert operator.denied() == {ALICE: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))}


@pytest.mark.parametrize("end", ["reload", "stop", "kill"])
def test_a_denial_outlives(end, configuration, start):
    """No moment is given to write it later: it is on the disk before the command returns."""
    daemon = start()
    users = [f"user{number}@example.org" for number in range(20)]
    for user in users:
        Operator(daemon).run("deny", user)
    if end == "reload":
        assert daemon.reload() == "reloaded"
    else:
        daemon.stop() if end == "stop" else daemon.kill()
        daemon = start()
    assert list(Operator(daemon).denied()) == sorted(users)
    assert {login(daemon, user) for user in users} == {NO}
    Operator(daemon).run("allow", users[7])
    daemon.kill()
    daemon = start()
    assert [user for user in users if login(daemon, user) == YES] == [users[7]]


@pytest.mark.parametrize("damage", ["noise", "cut", "zeros in the middle", "another shape", "a directory"])
def test_a_database_that_can_not_be_read_keeps_the_daemon_from_starting(configuration, start, state, damage):
    daemon = start()
    Operator(daemon).run("deny", ALICE)
    Operator(daemon).run("users", "import", stdin="".join(f"user{number}@example.org\n" for number in range(1000)))
    daemon.stop()
    path = state / "users.db"
    data = path.read_bytes()
    if damage == "noise":
        path.write_bytes(os.urandom(len(data)))
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "zeros in the middle":
        path.write_bytes(data[:4096] + bytes(len(data) - 4096))
    elif damage == "another shape":
        path.unlink()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE denied (somebody TEXT)")
    else:
        path.unlink()
        path.mkdir()
    result = run("-c", daemon.path)
    assert result.returncode == 1
    assert b"event=start-failed" in result.stderr and b"event=ready" not in result.stderr


def test_a_denial_that_can_not_be_written_is_an_error_and_changes_nothing(configuration, start, state):
    """A database that another process holds can't be written."""
    daemon = start()
    operator = Operator(daemon)
    with sqlite3.connect(state / "users.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        daemon.expect("users-database-failed")
        for words in (("deny", ALICE), ("users", "import")):
            done = operator.run(*words, stdin=ALICE, status=2)
            assert done.stdout.startswith('error="the database of users can\'t be written')
        other.execute("ROLLBACK")
    assert login(daemon, ALICE) == YES
    operator.run("deny", ALICE)
    assert login(daemon, ALICE) == NO


@pytest.mark.parametrize("written, taken", [
    ("Alice@Example.ORG", ALICE),
    ("Stra\u00dfe@example.org", "strasse@example.org"),
    ("A\u0308rger@example.org", "\u00e4rger@example.org"),
])
def test_a_name_is_taken_as_chat_servers_ask_about_it(daemon, written, taken):
    operator = Operator(daemon)
    done = subprocess.run([CTL, "deny", written, "--control", operator.control], capture_output=True, text=True, timeout=DEADLINE,
                          env=environment(), check=False)
    if done.returncode == 2 and "built without ICU" in done.stderr:
        assert not written.isascii()
        return
    assert done.returncode == 0 and "another spelling" in done.stderr
    assert login(daemon, taken) == NO
    assert daemon.status()["verdicts"]["auth", "revoked"] == 1
    operator.run("allow", written)
    assert login(daemon, taken) == YES


def test_names_that_nobody_can_have_are_refused(daemon):
    operator = Operator(daemon)
    for name in ("alice", "@example.org", "alice@", "alice@example.org/phone", "a b@example.org", "a\nallow@b", "a@b@c", "\u202e@example.org",
                 "x" * 1024 + "@example.org"):
        for command in ("deny", "allow"):
            done = operator.run(command, name, status=2)
            assert done.stdout == "" and done.stderr.startswith("xmpp-authctl: "), name
    assert operator.denied() == {}


def test_ends_that_are_none_are_refused(daemon):
    operator = Operator(daemon)
    for until in ("", "tomorrow", "-5", "0", "1000", "2020-01-01T00:00:00Z", "99999999999999999999"):
        assert "--until takes" in operator.run("deny", ALICE, "--until", until, status=2).stderr, until
    for until in (b"", b"x", b"-5", b"0", b"1000", b"99999999999999999999"):
        assert daemon.control(b"deny alice@example.org " + until + b"\n")[0].startswith("error="), until
    assert operator.denied() == {}


def test_requests_with_other_words_are_unknown_commands(daemon):
    for request_line in (
        b"deny", b"deny ", b"deny  alice@example.org", b"deny alice@example.org ", b"deny alice@example.org 9999999999 x", b"denyalice@example.org",
        b"allow", b"allow a@b c@d", b"denied x", b"users", b"users ", b"users list x", b"users forget", b"users forget a@b c@d",
        b"users import", b"users import ", b"userslist", b"DENY a@b",
    ):
        assert daemon.control(request_line + b"\n") == ['error="unknown command"'], request_line
    assert Operator(daemon).denied() == {} and Operator(daemon).seen() == {}


def test_the_daemon_itself_takes_no_name_that_breaks_the_rules(daemon):
    for jid in (b"alice", b"@b", b"a@", b"a@b@c", b"a/x@b", b"a@b:c", b"a:b@c", b"a\x01@b", b"a\x7f@b", b"a\0@b", b"a" * 8000):
        for command in (b"deny", b"allow", b"users forget", b"users import", b"users import ok@example.org"):
            assert daemon.control(command + b" " + jid + b"\n") == ['error="a user is named USER@HOST"'], (command, jid)
    assert Operator(daemon).denied() == {} and Operator(daemon).seen() == {}


@pytest.mark.parametrize("length, answered", [(8191, True), (8192, False)])
def test_a_request_line_has_8191_bytes_at_the_most(daemon, length, answered):
    line = b"users import "
    line += b"x" * (length - len(line) - 12) + b"@example.org"
    assert len(line) == length
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(DEADLINE)
        stream.connect(str(daemon.directory / "control.sock"))
        stream.sendall(line + b"\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := stream.recv(1000):
                answer += piece
    assert answer == (b"imported=1 known=0\n" if answered else b"")


# --- seen


@pytest.mark.usefixtures("any_store")
def test_who_logged_in_exists_and_nobody_else(start):
    daemon = start()
    assert daemon.ask(isuser(ALICE)) == NO
    assert login(daemon, ALICE) == YES
    assert daemon.ask(auth(BOB, "no token")) == NO
    assert daemon.ask(isuser(ALICE), isuser(BOB), isuser("alice@else.where")) == [YES, NO, NO]
    operator = Operator(daemon)
    await_seen(operator, ALICE)
    last = time.mktime(time.strptime(operator.seen()[ALICE], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(last - time.time()) < DEADLINE
    assert daemon.status()["daemon"]["users_seen"] == "1"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_who_was_seen_exists_after_a_restart(end, start):
    daemon = start()
    assert login(daemon, ALICE) == YES
    if end == "kill":
        await_seen(Operator(daemon), ALICE)
        daemon.kill()
    else:
        daemon.stop()
    daemon = start()
    assert daemon.ask(isuser(ALICE), isuser(BOB)) == [YES, NO]


def test_a_forgotten_user_does_not_exist_until_the_next_login(start):
    daemon = start()
    operator = Operator(daemon)
    assert login(daemon, ALICE) == YES
    assert operator.lines("users", "forget", ALICE) == [{"forgotten": ALICE, "was_seen": "yes"}]
    assert operator.lines("users", "forget", ALICE) == [{"forgotten": ALICE, "was_seen": "no"}]
    daemon.kill()
    daemon = start()
    assert daemon.ask(isuser(ALICE)) == NO
    assert login(daemon, ALICE) == YES
    assert daemon.ask(isuser(ALICE)) == YES


def test_users_are_imported_from_a_file_or_standard_input(start, directory):
    daemon = start()
    operator = Operator(daemon)
    file = directory / "users.txt"
    file.write_text(f"# users\n\n{ALICE}\r\n  Bob@Example.org \n")
    assert operator.lines("users", "import", file) == [{"imported": "2", "known": "0"}]
    assert operator.lines("users", "import", stdin=f"{ALICE}\ncarol@example.org") == [{"imported": "1", "known": "1"}]
    daemon.kill()
    daemon = start()
    assert daemon.ask(isuser(ALICE), isuser(BOB), isuser("carol@example.org"), isuser("dave@example.org")) == [YES, YES, YES, NO]
    assert operator.run("users", "import", stdin="").stdout == ""


@pytest.mark.parametrize("text, complaint", [
    ("alice@example.org\nnonsense\n", "standard input:2: a user is written USER@HOST"),
    ("alice@example.org bob@example.org\n", "standard input:1: USER@HOST holds a character"),
    ("alice@example.org\0@b\n", "standard input:1: USER@HOST holds a character"),
])
def test_a_line_that_is_no_user_ends_an_import_with_its_number(daemon, text, complaint):
    assert complaint in Operator(daemon).run("users", "import", stdin=text, status=2).stderr
    assert Operator(daemon).run("users", "import", "/nonexistent", status=2).stderr.startswith("xmpp-authctl: /nonexistent: ")


def test_no_more_than_seen_max_are_remembered_and_the_longest_absent_goes(configuration, start):
    configuration.set("state", seen_max=3)
    daemon = start()
    operator = Operator(daemon)
    users = [f"user{number}@example.org" for number in range(4)]
    assert [login(daemon, user) for user in (*users[:3], users[0], users[3])] == [YES] * 5
    assert daemon.ask(*map(isuser, users)) == [YES, NO, YES, YES]
    done = operator.run("users", "import", stdin=ALICE, status=2)
    assert done.stdout == 'error="seen_max users are remembered already"\n'
    assert daemon.ask(isuser(ALICE)) == NO
    assert daemon.status()["daemon"]["users_seen"] == "3"
    await_seen(operator, users[0], users[2], users[3])
    configuration.set("state", seen_max=1)
    assert daemon.reload() == "reloaded"
    daemon.await_status(lambda status: status["daemon"]["users_seen"] == "1")
    assert daemon.ask(*map(isuser, users)) == [NO, NO, NO, YES]


def test_who_was_absent_for_seen_age_is_forgotten(configuration, start, state):
    configuration.set("state", seen_age="30d")
    daemon = start()
    assert login(daemon, ALICE) == login(daemon, BOB) == YES
    daemon.stop()
    with sqlite3.connect(state / "users.db") as database:
        database.execute("UPDATE seen SET last = last - 30 * 86400 WHERE jid = ?", (ALICE.encode(),))
    database.close()
    daemon = start()
    daemon.await_status(lambda status: status["daemon"]["users_seen"] == "1")
    assert daemon.ask(isuser(ALICE), isuser(BOB)) == [NO, YES]
    assert list(Operator(daemon).seen()) == [BOB]


# --- long lists

MANY = 10_000


def fill(daemon, count=MANY):
    users = [f"user{number:06}@example.org" for number in range(count)]
    Operator(daemon).run("users", "import", stdin="\n".join(users))
    return users


def test_a_long_list_comes_in_portions_and_holds_nobody_up(daemon):
    users = fill(daemon)
    assert daemon.status()["daemon"]["users_seen"] == str(MANY)
    assert list(Operator(daemon).seen()) == users
    readers = []
    before = daemon.resident()
    for _ in range(10):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(daemon.directory / "control.sock"))
        stream.sendall(b"users list\n")
        readers.append(stream)
    # Nobody reads: the daemon holds a portion for each, not the list, and answers others.
    assert daemon.ask(isuser(users[0])) == YES
    assert daemon.resident() - before < 2048, "the lists are held in memory"
    for stream in readers:
        stream.close()
    assert daemon.ask(isuser(users[-1])) == YES


def test_a_list_is_whole_while_users_come_and_go(daemon):
    users = fill(daemon, 3000)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(DEADLINE)
        stream.connect(str(daemon.directory / "control.sock"))
        stream.sendall(b"users list\n")
        listed = stream.recv(1000)
        for user in users[::7]:
            assert daemon.control(b"users forget " + user.encode() + b"\n")
        while piece := stream.recv(65536):
            listed += piece
    names = re.findall(r"jid=(\S+)", listed.decode())
    assert len(names) == len(set(names))
    assert set(names) >= set(users) - set(users[::7])


def test_the_relay_knows_nothing_of_icu():
    assert "libicu" not in subprocess.run(["ldd", BUILD / "xmpp-extauth"], capture_output=True, text=True, check=False).stdout

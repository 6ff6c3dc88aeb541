"""The HTTP door: what Prosody's mod_auth_http, MongooseIM and ejabberd's auth_http send, and clients that mean harm."""

import signal
import time
import urllib.parse

import pytest

from harness import DEADLINE
from harness.clients import YES, auth
from redis_server import Redis
from http_client import Client, ask, authorization, ejabberd_form, form, mongooseim_form, prosody_form

ALICE = "alice@example.org"
TRUE, FALSE, TRY_AGAIN = (200, "true"), (200, "false"), (503, "try again")
LOGIN, EXISTS = "/check_password", "/user_exists"


@pytest.fixture
def key(configuration):
    return configuration.key


@pytest.fixture
def daemon(web, configuration, start):
    users = configuration.directory / "users"
    users.write_text("alice\nélan\n")
    configuration.host(isuser=f"file:{users}")
    return start()


# --- the modules


def fields(user, token=None, server="example.org"):
    return [("user", user), ("server", server), ("pass", token or "")]


MODULES = {"prosody": prosody_form, "mongooseim": mongooseim_form, "ejabberd": ejabberd_form}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("over", ["a path", "an address"])
def test_a_module_is_answered_as_it_expects(configuration, web, network, start, key, module, over):
    users = configuration.directory / "users"
    users.write_text("alice\n")
    configuration.host(isuser=f"file:{users}")
    daemon = start()
    encode, token, bad = MODULES[module], key.mint(ALICE), key.mint("bob@example.org")
    headers = authorization() if over == "an address" else ""
    with Client(network if headers else web) as client:
        assert client.get(LOGIN, encode(fields("alice", token)), headers) == TRUE
        assert client.get(LOGIN, encode(fields("alice", token)), headers) == FALSE
        assert client.get(LOGIN, encode(fields("alice", bad)), headers) == FALSE
        # Prosody asks about a user without a password, the others with an empty one.
        wanted = fields("alice") if module != "prosody" else fields("alice")[:2]
        assert client.get(EXISTS, encode(wanted), headers) == TRUE
        assert client.get(EXISTS, encode([("user", "mallory")] + wanted[1:]), headers) == FALSE
        status, _ = client.post("/set_password", encode(fields("alice", token)), headers)
        assert status == 403  # ejabberd and Prosody take 200 for done, and ejabberd any 2xx for removed
        assert client.post("/register", encode(fields("alice", token)), headers)[0] == 403
        assert client.post("/remove_user", encode(fields("alice")[:2]), headers)[0] == 403
        assert client.get("/get_password", encode(fields("alice")), headers)[0] == 403
    daemon.await_event("verdict", 9)
    reasons = [record["reason"] for record in daemon.events("verdict")]
    assert reasons == ["allowed", "replayed", "forged", "allowed", "unknown-user"] + ["unsupported"] * 4


@pytest.mark.parametrize("module", ["prosody", "mongooseim"])
def test_names_and_passwords_of_any_letters_arrive(daemon, web, key, module):
    jid = "élan@example.org"
    assert ask_form(web, LOGIN, MODULES[module](fields("élan", key.mint(jid)))) == TRUE
    assert ask_form(web, EXISTS, MODULES[module](fields("élan", "a b+c&d=e%f;é/@")[:2])) == TRUE


def test_ejabberds_module_encodes_names_beyond_ascii_twice_and_nobody_is_taken_for_another(daemon, web, key):
    encoded = ejabberd_form(fields("élan", key.mint("élan@example.org")))
    assert "%C3%83%C2%A9lan" in encoded
    assert ask_form(web, LOGIN, encoded) == FALSE


def ask_form(where, path, encoded, headers=""):
    with Client(where) as client:
        return client.get(path, encoded, headers)


# --- questions


def test_a_token_is_good_once_through_all_doors(daemon, web, key):
    token = key.mint(ALICE)
    assert ask(web, LOGIN, "alice", token) == TRUE
    assert daemon.ask(auth(ALICE, token)) == "no"
    token = key.mint(ALICE)
    assert daemon.ask(auth(ALICE, token)) == YES
    assert ask(web, LOGIN, "alice", token) == FALSE


def test_in_a_body_as_in_a_query(daemon, web, key):
    with Client(web) as client:
        for content in ("", "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: application/x/www-form-urlencoded\r\n"):
            assert client.post(LOGIN, form("alice", key.mint(ALICE)), content) == TRUE
        assert client.post(EXISTS, form("mallory")) == FALSE


def good(key):
    return form("alice", key.mint(ALICE))


BAD = {
    "nothing": "",
    "no user": "server=example.org&pass=x",
    "no server": "user=alice&pass=x",
    "no pass": "user=alice&server=example.org",
    "an empty user": "user=&server=example.org&pass=x",
    "an empty server": "user=alice&server=&pass=x",
    "a second user": "{good}&user=admin",
    "a second pass": "{good}&pass=x",
    "a second server": "server=example.com&{good}",
    "an unknown field": "{good}&role=admin",
    "a field with an escape in its name": "us%65r=alice&{good}",
    "an empty pair": "{good}&",
    "a pair without a value": "{good}&x",
    "a semicolon between": "user=alice;server=example.org;pass=x",
    "half an escape": "{good}%4",
    "an escape of no digits": "{good}%zz",
    "an escape with a sign": "{good}%+1",
    "an escape alone": "{good}%",
    "an escaped NUL": "user=alice%00&server=example.org&pass=x",
    "an escaped line end": "user=alice%0a&server=example.org&pass=x",
    "an escaped control byte in the password": "{good}%1f",
    "an escaped delete in the server": "user=alice&server=example.org%7f&pass=x",
    "a user with @": "user=alice%40example.org&server=example.org&pass=x",
    "a user with /": "user=alice%2fhome&server=example.org&pass=x",
    "a user with a colon": "user=alice%3ax&server=example.org&pass=x",
    "a server with a port": "user=alice&server=example.org%3a5222&pass=x",
    "a tab": "{good}\t",
    "in JSON": '{{"user":"alice","server":"example.org","pass":"x"}}',
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_malformed_is_false_in_either_place(daemon, web, key, name):
    login = good(key)
    encoded = BAD[name].format(good=login)
    with Client(web) as client:
        if name != "a tab":
            assert client.get(LOGIN, encoded) == FALSE
        assert client.post(LOGIN, encoded) == FALSE
        assert client.get(LOGIN, login) == TRUE  # it was not spent
    assert daemon.status()["verdicts"]["auth", "malformed"] == (1 if name == "a tab" else 2)


def test_fields_in_both_places_are_malformed(daemon, web, key):
    login = good(key)
    with Client(web) as client:
        assert client.post(f"{LOGIN}?{login}", login) == FALSE
        assert client.post(f"{LOGIN}?{login}", "") == FALSE
        client.send(f"GET {LOGIN}?{login} HTTP/1.1\r\nContent-Length: {len(login)}\r\n\r\n{login}".encode())
        assert client.answer() == FALSE
        assert client.get(LOGIN, login) == TRUE


def test_every_byte_escaped_and_not(daemon, web):
    """What is no control byte, @ or / in a user is a name of its own; nothing breaks."""
    with Client(web) as client:
        for byte in range(256):
            assert client.get(EXISTS, f"user=a%{byte:02X}b&server=example.org") == FALSE
            raw = f"user=a{chr(byte)}b&server=example.org".encode("latin-1")
            assert client.post(EXISTS, raw) == FALSE
        assert client.get(EXISTS, "user=%61l%69ce&server=example%2eorg") == TRUE


def test_what_is_too_long_is_refused_and_the_daemon_goes_on(daemon, web):
    for size, statuses in ((7000, (200,)), (8100, (200, 400, 413)), (8192, (400, 413)), (100_000, (400, 413))):
        with Client(web) as client:
            try:
                assert client.get(LOGIN, "user=alice&server=example.org&pass=" + "x" * size)[0] in statuses
            except (EOFError, ConnectionResetError, BrokenPipeError):
                assert size > 8100
        with Client(web) as client:
            try:
                assert client.post(LOGIN, "user=alice&server=example.org&pass=" + "x" * size)[0] in statuses
            except (EOFError, ConnectionResetError, BrokenPipeError):
                assert size > 8100
    assert ask(web, EXISTS, "alice") == TRUE


@pytest.mark.parametrize("path, status", [("/", 404), ("/check_password/", 404), ("/CHECK_PASSWORD", 404), ("/metrics", 404)])
def test_other_pages_are_not_there(daemon, web, path, status):
    assert ask(web, path, "alice", "x")[0] == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "BREW"])
def test_other_methods_are_refused(daemon, web, key, method):
    login = good(key)
    with Client(web) as client:
        client.send(f"{method} {LOGIN}?{login} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        head = client.socket.recv(4096)
        assert head.split()[1] in (b"501", b"400", b"405")
    assert ask_form(web, LOGIN, login) == TRUE


# --- who may ask


WRONG = {
    "nothing": "",
    "another password": authorization(password="6d9c1f0b7a3e42868c6f0d1e2b3a4958"),
    "a longer password": authorization(password="5d9c1f0b7a3e42868c6f0d1e2b3a4958x"),
    "half of it": authorization(password="5d9c1f0b7a3e4286"),
    "another user": authorization(user="Chat"),
    "no user": authorization(user=""),
    "another scheme": authorization().replace("Basic", "Bearer"),
    "no scheme": authorization().replace("Basic ", ""),
    "padding more": authorization().replace("\r\n", "=\r\n"),
    "a blank more": authorization().replace("Basic ", "Basic  "),
    "nothing behind the scheme": "Authorization: Basic \r\n",
    "no base64": "Authorization: Basic ????\r\n",
}


def test_on_an_address_a_client_needs_the_password(network, start, key):
    daemon = start().expect("an HTTP client without the right http_user")
    login = good(key)
    for path in (LOGIN, EXISTS, "/set_password"):
        for name, headers in WRONG.items():
            with Client(network) as client:
                assert client.get(path, login, headers) == (401, ""), name
                assert "WWW-Authenticate: Basic" in client.head
                # Nobody keeps one of the door's places by asking.
                assert "Connection: close" in client.head
    assert daemon.status()["connections"]["refused"] == str(3 * len(WRONG))
    daemon.await_event("connection-refused")
    assert daemon.events("verdict") == [] and len(daemon.events("connection-refused")) == 1
    assert ask_form(network, LOGIN, login, authorization().replace("Basic", "basic")) == TRUE


def test_the_password_changes_with_a_reload(network, start, configuration):
    daemon = start().expect("an HTTP client without the right http_user")
    new = "a30d1b6f7c5948e2a1b0c9d8e7f60514"
    configuration.set("listen network", http_password=new)
    assert daemon.reload() == "reloaded"
    assert ask(network, EXISTS, "alice", headers=authorization(password=new)) == TRUE
    assert ask(network, EXISTS, "alice", headers=authorization())[0] == 401


def test_on_a_path_the_rules_for_peers_hold(configuration, start):
    path = configuration.listener("web", protocol="http", allow_users="nobody")
    start()
    assert ask(path, EXISTS, "alice")[0] == 403


# --- time


@pytest.fixture
def journal(configuration):
    state = configuration.directory / "state"
    state.mkdir(mode=0o700)
    configuration.set("state", dir=state).set("replay", store="journal")


def test_could_not_decide_is_503(configuration, web, start, key):
    configuration.set("replay", after_restart="refuse")
    start()
    assert ask(web, LOGIN, "alice", key.mint(ALICE)) == TRY_AGAIN
    assert ask(web, LOGIN, "alice", "x") == FALSE
    assert ask(web, EXISTS, "alice") == TRUE


@pytest.mark.usefixtures("journal")
def test_answers_that_wait_for_the_record_reach_their_own_clients(web, start, key):
    start()
    clients = [(Client(web), number) for number in range(100)]
    for client, number in clients:
        client.send(f"GET {LOGIN}?{form(f'user{number}', key.mint(f'user{number - number % 2}@example.org'))} HTTP/1.1\r\n\r\n".encode())
    for client, number in clients:
        assert client.answer() == (FALSE if number % 2 else TRUE)
        client.socket.close()


@pytest.mark.usefixtures("journal")
def test_pipelined_questions_are_answered_in_order(web, start, key):
    start()
    token = key.mint(ALICE)
    request = f"GET {LOGIN}?{form('alice', token)} HTTP/1.1\r\n\r\n".encode()
    with Client(web) as client:
        client.send(request * 3)
        assert [client.answer() for _ in range(3)] == [TRUE, FALSE, FALSE]


@pytest.mark.usefixtures("journal")
def test_clients_that_vanish_harm_nobody(web, start, key):
    """At every moment: also with their verdict on its way."""
    daemon = start()
    request = f"GET {LOGIN}?{good(key)} HTTP/1.1\r\n\r\n".encode()
    for length in range(0, len(request) + 1, 3):
        with Client(web) as client:
            client.send(request[:length])
    for _ in range(50):
        with Client(web) as client:
            client.send(f"GET {LOGIN}?{good(key)} HTTP/1.1\r\n\r\n".encode())
    daemon.await_status(lambda status: status["verdicts"].get(("auth", "allowed"), 0) >= 50)
    assert ask(web, LOGIN, "bob", key.mint("bob@example.org")) == TRUE


@pytest.mark.usefixtures("journal")
def test_a_daemon_that_stops_answers_what_it_has_received(web, start, key):
    daemon = start()
    clients = [Client(web) for _ in range(20)]
    idle = Client(web)
    for number, client in enumerate(clients):
        client.send(f"GET {LOGIN}?{form(f'user{number}', key.mint(f'user{number}@example.org'))} HTTP/1.1\r\n\r\n".encode())
    began = time.monotonic()
    assert daemon.stop() == 0
    # Nobody waits for a client that only stays connected.
    assert time.monotonic() - began < DEADLINE and not daemon.events("drain-timeout")
    for client in clients:
        assert client.answer() == TRUE
        client.socket.close()
    idle.socket.close()


@pytest.fixture
def redis(directory, configuration):
    it = Redis(directory).start().vouch()
    (directory / "state").mkdir(mode=0o700)
    configuration.set("replay", store=it.store, after_restart="accept").set("state", dir=directory / "state")
    yield it
    it.signal(signal.SIGCONT)
    it.stop()


def test_with_a_redis_that_stands_still_others_are_served_and_its_logins_are_503(redis, web, start, key):
    daemon = start().expect("store-failed", "redis", "vouch")
    assert ask(web, LOGIN, "alice", key.mint(ALICE)) == TRUE
    redis.signal(signal.SIGSTOP)
    clients = [Client(web) for _ in range(20)]
    for number, client in enumerate(clients):
        client.send(f"GET {LOGIN}?{form(f'user{number}', key.mint(f'user{number}@example.org'))} HTTP/1.1\r\n\r\n".encode())
    for client in clients[10:]:
        client.socket.close()  # gone before their answers
    assert ask(web, EXISTS, "alice") == TRUE
    for client in clients[:10]:
        assert client.answer() == TRY_AGAIN
        client.socket.close()
    redis.signal(signal.SIGCONT)
    deadline = time.monotonic() + DEADLINE
    while ask(web, LOGIN, "alice", key.mint(ALICE)) != TRUE:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert daemon.status()["verdicts"]["auth", "store-error"] >= 20


def test_a_daemon_that_is_killed_at_once_lets_go_of_its_questions(redis, web, start, key):
    """The second signal ends it with verdicts still on their way."""
    daemon = start().expect("store-failed", "redis", "stopped-at-once", "drain-timeout")
    redis.signal(signal.SIGSTOP)
    clients = [Client(web) for _ in range(5)]
    for client in clients:
        client.send(f"GET {LOGIN}?{good(key)} HTTP/1.1\r\n\r\n".encode())
    assert ask(web, EXISTS, "alice") == TRUE
    daemon.signal(signal.SIGTERM)
    daemon.await_event("draining")
    daemon.signal(signal.SIGTERM)
    assert daemon.await_end() == 0
    for client in clients:
        client.socket.close()


def test_split_at_every_position(daemon, web, key):
    for where in range(1, 60):
        request = f"GET {LOGIN}?{good(key)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        position = where * len(request) // 60
        with Client(web) as client:
            client.send(request[:position])
            client.send(request[position:])
            assert client.answer() == TRUE, position


def test_a_client_that_sends_nothing_whole_is_closed(configuration, web, start):
    configuration.server(request_timeout="1s")
    start()
    with Client(web) as client:
        client.send(b"GET /check_password?user=alice")
        with pytest.raises((EOFError, ConnectionResetError)):
            client.answer()


def test_nothing_of_a_question_is_logged(daemon, web, configuration):
    """Not the query, not what a field holds; the end of the test looks for every password too."""
    configuration.set("log", level="debug")
    assert daemon.reload() == "reloaded"
    marker = "shibboleth-of-a-password"
    ask(web, LOGIN, "alice", marker)
    ask_form(web, LOGIN, f"user={marker}")
    ask(web, "/nowhere", "alice", marker)
    with Client(web) as client:
        client.send(f"{marker} {marker}\r\n\r\n".encode())
    daemon.stop()
    assert not [raw for raw in daemon.raw if marker.encode() in raw or urllib.parse.quote(marker).encode() in raw]

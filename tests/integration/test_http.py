"""The [http] listener: health, readiness, and what it keeps from whoever asks."""

import os
import select
import signal
import socket
import stat
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, YES, LengthClient, auth
from harness.web import Connection, free_port, get

ALICE = "alice@example.org"


@pytest.fixture(params=["tcp", "unix"])
def address(request, configuration):
    """Where the test's daemon speaks HTTP: a port, or a path."""
    if request.param == "tcp":
        port = free_port()
        configuration.set("http", listen=f"127.0.0.1:{port}")
        return port
    path = configuration.directory / "h.sock"
    configuration.set("http", listen=f"unix:{path}")
    return path


@pytest.fixture
def port(configuration):
    number = free_port()
    configuration.set("http", listen=f"127.0.0.1:{number}")
    return number


@pytest.fixture
def path(configuration):
    configuration.set("http", listen=f"unix:{configuration.directory / 'h.sock'}")
    return configuration.directory / "h.sock"


def exchange(address, request):
    """What comes back for bytes, up to the connection's end."""
    connection = Connection(address)
    connection.connect()
    with connection.sock as stream:
        stream.sendall(request)
        answer = b""
        try:
            while piece := stream.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


# --- health and readiness


def test_a_daemon_that_can_decide_is_healthy_and_ready(start, address):
    start()
    assert get(address, "/healthz") == (200, "ok\n")
    assert get(address, "/readyz") == (200, "ready\n")


def test_a_daemon_without_http_listens_nowhere_for_it(daemon):
    assert sorted(path.name for path in daemon.directory.iterdir()) == ["a.sock", "control.sock", "xmpp-authd.conf"]


def test_a_daemon_that_may_have_forgotten_spent_tokens_is_healthy_but_not_ready(start, configuration, path):
    configuration.host(otp_interval=2, otp_window=0).set("replay", after_restart="refuse")
    start().expect("record-incomplete")
    status, text = get(path, "/readyz")
    if status == 503:  # else the machine was too slow to see it start
        assert text.startswith("starting: tokens minted before 20")
        assert get(path, "/healthz") == (200, "ok\n")
    deadline = time.monotonic() + DEADLINE
    while get(path, "/readyz") != (200, "ready\n"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_daemon_that_refuses_for_long_says_since_when_tokens_count(start, configuration, path):
    configuration.set("replay", after_restart="refuse")
    daemon = start()
    opens = daemon.events("ready")[0]["refuses_tokens_minted_before"]
    assert get(path, "/readyz") == (503, f"starting: tokens minted before {opens} are refused\n")


def test_a_daemon_without_its_store_is_not_ready_until_it_is_back(start, configuration, path):
    redis = configuration.directory / "r.sock"
    configuration.set("replay", store=f"redis+unix:{redis}").set("state", dir=configuration.directory / "state")
    start().expect("store-failed", "record-incomplete")
    deadline = time.monotonic() + DEADLINE
    while not (answer := get(path, "/readyz"))[1].startswith("store-error: "):
        assert answer[0] == 503 and time.monotonic() < deadline
        time.sleep(0.05)
    assert answer[0] == 503
    assert get(path, "/healthz") == (200, "ok\n")


def test_a_draining_daemon_is_healthy_but_not_ready(start, path):
    daemon = start()
    with Held(daemon):
        daemon.signal(signal.SIGTERM)
        daemon.await_event("draining")
        status, text = get(path, "/readyz")
        assert (status, text) == (503, "draining: the daemon was told to stop\n")
        assert get(path, "/healthz") == (200, "ok\n")
    assert daemon.await_end() == 0
    assert not path.exists()


class Held:
    """A client that keeps a daemon from ending its drain: it does not read the answers that it has."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.client = LengthClient(self.daemon.socket)
        self.client.fill(self.daemon, b"isuser:alice:example.org")
        return self

    def __exit__(self, *_):
        self.client.close()


def test_it_survives_a_reload_and_its_address_does_not_change(start, configuration, address):
    daemon = start().expect("can't be changed by a reload", "reload-failed")
    assert daemon.reload() == "reloaded"
    assert get(address, "/healthz") == (200, "ok\n")
    configuration.set("http", listen="127.0.0.1:1")
    assert daemon.reload() == "reload-failed"
    assert get(address, "/healthz") == (200, "ok\n")


# --- what it answers


@pytest.mark.parametrize("target", ["/", "/healthz/", "//healthz", "/HEALTHZ", "/%68ealthz", "/../healthz", "/x?/healthz", "/" + "x" * 4000])
def test_any_other_page_is_not_found(start, path, target):
    start()
    assert get(path, target) == (404, "no such page\n")


def test_a_query_is_ignored(start, path):
    start()
    assert get(path, "/healthz?verbose=1") == (200, "ok\n")


def test_a_head_has_no_body(start, path):
    start()
    assert get(path, "/healthz", "HEAD") == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_only_get_and_head_are_answered(start, path, method):
    start()
    assert get(path, "/healthz", method)[0] in (405, 501)


def test_answers_are_not_kept_and_not_guessed_at(start, path):
    start()
    connection = Connection(path)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    connection.close()
    assert answer.getheader("Cache-Control") == "no-store"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Content-Type") == "text/plain; charset=utf-8"


def test_a_connection_can_be_used_again(start, path):
    start()
    connection = Connection(path)
    for _ in range(5):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()


# --- whom it does not answer


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9542", "localhost.evil.example", "", "127.0.0.1.evil.example"])
def test_a_web_page_whose_name_resolves_to_this_machine_reads_nothing(start, port, host):
    start()
    assert get(port, "/healthz", Host=host)[0] == 421
    assert b" 421 " in exchange(port, b"GET /healthz HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9542", "[::1]:1"])
def test_this_machines_own_names_are_answered(start, port, host):
    start()
    assert get(port, "/healthz", Host=host) == (200, "ok\n")


def test_a_sockets_file_has_its_mode_and_a_port_none_but_loopback(start, configuration, path):
    configuration.set("http", mode="0600", group=os.getegid())
    start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_port_in_use_ends_the_start_with_what_to_do(start, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        daemon = start(ready=False).expect("listen-failed")
        daemon.expected_status = 1
        assert daemon.await_end() == 1
        assert "stop what listens there, or take another port" in daemon.await_event("listen-failed")["why"]


def test_a_port_can_be_taken_again_at_once(start, port):
    first = start()
    stream = socket.create_connection(("127.0.0.1", port))
    assert get(port, "/healthz") == (200, "ok\n")
    first.stop()
    start()
    assert get(port, "/healthz") == (200, "ok\n")
    stream.close()


# --- what it withstands


@pytest.mark.parametrize("request_bytes", [
    b"\0" * 10000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET http://[::/ HTTP/1.1\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"auth:alice:example.org:x\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
], ids=lambda request: repr(request[:24]))
def test_bytes_that_are_no_request_harm_nobody(start, address, request_bytes):
    daemon = start()
    connection = Connection(address)
    connection.connect()
    try:
        connection.sock.sendall(request_bytes)
        connection.sock.shutdown(socket.SHUT_WR)
        while connection.sock.recv(65536):
            pass
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass
    connection.close()
    assert get(address, "/healthz") == (200, "ok\n")
    assert daemon.resident() < 200_000


def test_clients_that_say_nothing_do_not_keep_others_out_for_ever(start, configuration, path):
    """More than there is room for, and among them some that dribble. They are cut off, and logins go on meanwhile."""
    daemon = start()
    silent = []
    for number in range(40):
        connection = Connection(path)
        connection.connect()
        if number % 2:
            connection.sock.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        silent.append(connection)
    token = configuration.key.mint(ALICE)
    assert daemon.ask(auth(ALICE, token), auth(ALICE, token)) == [YES, NO]
    assert get(path, "/healthz") == (200, "ok\n")
    for connection in silent:
        connection.close()


def test_clients_that_vanish_harm_nobody(start, address):
    start()
    for request in (b"", b"GET", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        for _ in range(30):
            connection = Connection(address)
            connection.connect()
            connection.sock.sendall(request)
            connection.close()
    assert get(address, "/healthz") == (200, "ok\n")


def test_a_daemon_out_of_descriptors_answers_again_when_it_has_some(start, configuration, path):
    configuration.server(max_connections=1000)
    daemon = start(descriptors=40).expect("few-descriptors", "accept-paused")
    clients = []
    for _ in range(60):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(daemon.socket))
        clients.append(client)
    daemon.await_event("accept-paused")
    late = Connection(path)
    late.request("GET", "/healthz")
    used, passed = daemon.processor_seconds(), time.monotonic()
    time.sleep(0.5)
    used, passed = daemon.processor_seconds() - used, time.monotonic() - passed
    assert used < passed / 2, "the loop spins"
    for client in clients:
        client.close()
    assert late.getresponse().read() == b"ok\n"
    late.close()


def test_no_more_clients_are_taken_than_there_is_room_for(start, address):
    """The others wait in the backlog, and cost the daemon nothing."""
    daemon = start()
    before = daemon.descriptors()
    waiting = []
    for _ in range(60):
        connection = Connection(address)
        connection.connect()
        waiting.append(connection)
    for _ in range(5):  # turns of the loop
        daemon.control()
    assert 25 <= daemon.descriptors() - before <= 33
    for connection in waiting:
        connection.close()


def test_a_client_that_dribbles_is_cut_off(start, path):
    """However regularly it sends a byte: a request has its time, not each byte of it."""
    start()
    connection = Connection(path)
    connection.connect()
    connection.sock.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    deadline = time.monotonic() + DEADLINE
    try:
        while not select.select([connection.sock], [], [], 0.2)[0]:
            assert time.monotonic() < deadline, "it is still listened to"
            connection.sock.sendall(b"y")
        assert connection.sock.recv(100) == b""
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.close()

"""/metrics: what is counted, what is never named, and what a scrape costs."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import DEADLINE, confidential
from harness.clients import NO, YES, LengthClient, LineClient, auth, isuser
from harness.daemon import SANITIZED
from harness.minter import Key, steady
from harness.web import Connection, get, metrics, parse_metrics, value

ALICE, BOB = "alice@example.org", "bob@example.org"


@pytest.fixture
def path(configuration):
    configuration.set("http", listen=f"unix:{configuration.directory / 'h.sock'}")
    return configuration.directory / "h.sock"


def verdicts(samples):
    """{(question, host, reason): count} of those that occurred."""
    return {tuple(dict(labels)[name] for name in ("question", "host", "reason")): count
            for (name, labels), count in samples.items() if name == "xmpp_authd_verdicts_total" and count > 0}


def test_verdicts_are_counted_by_question_host_section_and_reason(start, configuration, path):
    key, other = configuration.key, Key()
    retired = Key()
    configuration.host("chat.example", other, isuser="never").host("*", Key())
    configuration.set("key example.org old", **retired.settings(), accept_until="2020-01-01T00:00:00Z")
    daemon = start().expect("clock")
    now = steady(30)
    token = key.mint(ALICE)
    questions = [
        (auth(ALICE, token), YES), (auth(ALICE, token), NO), (auth(BOB, key.mint(BOB)), YES),
        (auth(ALICE, other.mint(ALICE)), NO), (auth(ALICE, key.mint(ALICE, now - 600)), NO), (auth(ALICE, key.mint(ALICE, now + 600)), NO),
        (auth(ALICE, retired.mint(ALICE)), NO), (auth(ALICE, "nonsense"), NO), (auth("x@chat.example", other.mint("x@chat.example")), YES),
        (auth("x@unknown.example", other.mint("x@unknown.example")), NO), (isuser(ALICE), YES), (isuser("x@chat.example"), NO),
        (b"setpass:alice:example.org:12345678", NO), (b"nonsense", NO),
    ]
    assert [daemon.ask(question) for question, _ in questions] == [answer for _, answer in questions]
    samples = metrics(path)
    assert verdicts(samples) == {
        ("auth", "example.org", "allowed"): 2, ("auth", "example.org", "replayed"): 1, ("auth", "example.org", "forged"): 1,
        ("auth", "example.org", "expired"): 1, ("auth", "example.org", "early"): 1, ("auth", "example.org", "key-retired"): 1,
        ("auth", "example.org", "malformed"): 1, ("auth", "chat.example", "allowed"): 1, ("auth", "*", "forged"): 1,
        ("isuser", "example.org", "allowed"): 1, ("isuser", "chat.example", "unknown-user"): 1,
        ("auth", "", "unsupported"): 1, ("auth", "", "malformed"): 1,
    }
    assert value(samples, "xmpp_authd_decision_duration_seconds_count") == len(questions)


def test_keys_are_counted_by_name_and_fingerprint(start, configuration, path):
    second = Key()
    configuration.set("key example.org 2027a", **second.settings(), accept_until="2100-01-01T00:00:00Z")
    daemon = start()
    for number in range(3):
        jid = f"user{number}@example.org"
        assert daemon.ask(auth(jid, second.mint(jid))) == YES
    samples = metrics(path)
    uses = {labels: count for (name, labels), count in samples.items() if name == "xmpp_authd_key_uses_total"}
    assert {dict(labels)["key"]: count for labels, count in uses.items()} == {"": 0, "2027a": 3}
    assert all(re.fullmatch("[0-9a-f]{16}", dict(labels)["fingerprint"]) for labels in uses)
    (labels,) = [labels for labels in uses if dict(labels)["key"] == "2027a"]
    assert abs(samples["xmpp_authd_key_last_use_timestamp_seconds", labels] - time.time()) < DEADLINE
    assert samples["xmpp_authd_key_accept_until_timestamp_seconds", labels] == 4102444800


def test_a_weak_keys_fingerprint_is_not_told(start, configuration, path):
    configuration.host("weak.example", Key(seed="XVGR73KMZH2M4XMY", secret="JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7"), allow_weak_secrets="yes")
    start().expect("configuration")
    assert value(metrics(path), "xmpp_authd_key_uses_total", host="weak.example", key="", fingerprint="") == 0


def test_the_histogram_is_one(start, path):
    daemon = start()
    daemon.ask(*[isuser(ALICE)] * 100)
    samples = metrics(path)
    buckets = [(dict(labels)["le"], count) for (name, labels), count in samples.items() if name.endswith("_bucket")]
    bounds = [float(bound) for bound, _ in buckets]
    counts = [count for _, count in buckets]
    assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
    assert counts == sorted(counts) and counts[-1] == value(samples, "xmpp_authd_decision_duration_seconds_count") == 100
    assert 0 < value(samples, "xmpp_authd_decision_duration_seconds_sum") < DEADLINE * 100


def test_connections_pending_bytes_and_records(start, configuration, path):
    daemon = start()
    samples = metrics(path)
    assert value(samples, "xmpp_authd_connections") == value(samples, "xmpp_authd_pending_bytes") == 0
    with LineClient(daemon.socket) as slow, LengthClient(daemon.socket) as quick:
        slow.send(b"isuser:half a quest")
        slow.await_taken()
        assert quick.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES
        samples = metrics(path)
        assert value(samples, "xmpp_authd_connections") == value(samples, "xmpp_authd_connections_accepted_total") == 2
        assert value(samples, "xmpp_authd_connections_max") == 1024
        assert value(samples, "xmpp_authd_pending_bytes") == len(b"isuser:half a quest")
        assert value(samples, "xmpp_authd_replay_records") == 1
        assert value(samples, "xmpp_authd_replay_memory_bytes") > 0


def test_denials_and_users_seen(start, configuration, path):
    configuration.host(isuser="seen").set("state", dir=configuration.directory / "state")
    daemon = start()
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES
    daemon.control(b"deny bob@example.org\n")
    assert daemon.ask(auth(BOB, configuration.key.mint(BOB))) == NO
    samples = metrics(path)
    assert value(samples, "xmpp_authd_users_seen") == value(samples, "xmpp_authd_users_denied") == 1
    assert verdicts(samples)["auth", "example.org", "revoked"] == 1


def test_readiness_and_store_errors(start, configuration, path):
    redis = configuration.directory / "r.sock"
    configuration.set("replay", store=f"redis+unix:{redis}").set("state", dir=configuration.directory / "state")
    daemon = start().expect("store-failed", "record-incomplete")
    daemon.await_event("store-failed")
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == NO
    samples = metrics(path)
    assert value(samples, "xmpp_authd_ready") == 0
    assert value(samples, "xmpp_authd_store_failing") == value(samples, "xmpp_authd_store_errors_total") == 1
    assert verdicts(samples) == {("auth", "example.org", "store-error"): 1}


def test_reloads_are_counted_and_what_was_counted_stays(start, configuration, path):
    configuration.host("gone.example", Key())
    daemon = start().expect("configuration", "reload-failed")
    daemon.ask(auth(ALICE, "nonsense"), isuser("x@gone.example"))
    del configuration.sections["host gone.example"]
    assert daemon.reload() == "reloaded"
    configuration.server(max_connections="nonsense")
    assert daemon.reload() == "reload-failed"
    samples = metrics(path)
    assert value(samples, "xmpp_authd_reloads_total", result="reloaded") == 1
    assert value(samples, "xmpp_authd_reloads_total", result="refused") == 1
    assert value(samples, "xmpp_authd_last_reload_failed") == 1
    assert verdicts(samples) == {("auth", "example.org", "malformed"): 1}
    configuration.server(max_connections=None)
    assert daemon.reload() == "reloaded"
    assert value(metrics(path), "xmpp_authd_last_reload_failed") == 0


# --- what is not in it


def test_nothing_that_a_peer_names_is_in_it_and_nothing_secret(start, configuration, path):
    daemon = start()
    token = configuration.key.mint("very-peculiar-user@example.org")
    daemon.ask(auth("very-peculiar-user@example.org", token), auth("very-peculiar-user@example.org", token),
               auth("very-peculiar-user@invented-domain.example", token), isuser('x@a"} 1\\nxmpp_authd_hosts{b="c'), b"very-peculiar-question")
    _, text = get(path, "/metrics")
    assert "peculiar" not in text and "invented" not in text and 'b="c' not in text
    assert not confidential.traces(text.encode())
    assert not confidential.traces(get(path, "/readyz")[1].encode())


def test_invented_domains_make_no_series(start, path):
    daemon = start()
    before = len(metrics(path))
    with LengthClient(daemon.socket) as client:
        for number in range(200):
            client.ask(isuser(f"x@invented-{number}.example"), auth(f"x@invented-{number}.example", "x"))
    assert len(metrics(path)) == before


# --- the format


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's prometheus has promtool")
def test_promtool_has_nothing_to_say(start, configuration, path):
    for number, domain in enumerate(('quo"ted.example', "back\\slash.example", "b\u00fccher.example", "{}=,.example", "end\\")):
        configuration.host(domain, Key())
        configuration.set(f"key {domain} k{number}", **Key().settings())
    daemon = start()
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE)), isuser('x@quo"ted.example'), isuser("x@unknown"))
    _, text = get(path, "/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    hosts = {dict(labels)["host"] for (name, labels) in parse_metrics(text) if name == "xmpp_authd_minter_clock_offset_seconds"}
    assert hosts == {"example.org", 'quo"ted.example', "back\\slash.example", r"b\xc3\xbccher.example", "{}=,.example", "end\\"}


def test_its_type_is_the_formats(start, path):
    start()
    for method in ("GET", "HEAD"):
        connection = Connection(path)
        connection.request(method, "/metrics")
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        assert (answer.read() == b"") == (method == "HEAD")
        connection.close()


def test_an_old_client_gets_all_of_it(start, path):
    """Without chunks, up to the connection's end."""
    start()
    connection = Connection(path)
    connection.connect()
    connection.sock.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    text = connection.sock.makefile("rb").read().decode()
    connection.close()
    assert set(parse_metrics(text.split("\r\n\r\n", 1)[1])) == set(metrics(path))


# --- with thousands of hosts

HOSTS = 300 if SANITIZED else 3000


@pytest.fixture
def many_hosts(configuration, path):
    """One key for all of them, for the daemon refuses no host for that."""
    for number in range(HOSTS):
        configuration.host(f"host-{number}.customers.example", configuration.key)
    return path


def begin_scrape(path):
    """A scrape whose client has a small buffer and does not read yet."""
    connection = Connection(path)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.settimeout(DEADLINE)
    connection.sock.connect(str(path))
    connection.sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection.sock


def rest(stream):
    text = b""
    try:
        while piece := stream.recv(65536):
            text += piece
            if text.endswith(b"\r\n0\r\n\r\n"):
                break
    except ConnectionResetError:
        pass
    return text


def test_every_host_is_there_and_logins_are_answered_meanwhile(start, configuration, many_hosts):
    daemon = start()
    with begin_scrape(many_hosts) as stream, LengthClient(daemon.socket) as client:
        text = stream.recv(1000)
        for number in range(20):
            jid = f"user{number}@host-{number}.customers.example"
            assert client.ask(auth(jid, configuration.key.mint(jid))) == YES
            text += stream.recv(1000)
        assert text.count(b"xmpp_authd_minter_clock_offset_seconds{") == 0, "the scrape was over before it was read"
        text += rest(stream)
    assert text.endswith(b"\r\n0\r\n\r\n")
    samples = metrics(many_hosts)
    assert sum(name == "xmpp_authd_minter_clock_offset_seconds" for name, _ in samples) == HOSTS + 1
    assert len(verdicts(samples)) == 20


def test_a_reload_ends_a_scrape_rather_than_mixing_hosts(start, many_hosts):
    daemon = start()
    with begin_scrape(many_hosts) as stream:
        stream.recv(1000)
        assert daemon.reload() == "reloaded"
        assert not rest(stream).endswith(b"\r\n0\r\n\r\n")
    assert sum(name == "xmpp_authd_minter_clock_offset_seconds" for name, _ in metrics(many_hosts)) == HOSTS + 1


def test_scrapers_that_do_not_read_cost_little_and_are_cut_off(start, many_hosts):
    daemon = start()
    before = daemon.resident()
    streams = [begin_scrape(many_hosts) for _ in range(30)]
    assert get(many_hosts, "/healthz") == (200, "ok\n")
    if not SANITIZED:
        assert daemon.resident() - before < 30 * 200
    for stream in streams[:10]:
        stream.close()
    ends = [rest(stream) for stream in streams[10:] if not time.sleep(0) and wait_end(stream)]
    assert not any(text.endswith(b"\r\n0\r\n\r\n") for text in ends)


def wait_end(stream):
    """Until the daemon has closed the connection, without reading from it."""
    import select

    poll = select.poll()
    poll.register(stream, select.POLLHUP | select.POLLRDHUP)
    assert poll.poll(DEADLINE * 1000), "still connected"
    return True


def test_a_stopping_daemon_drops_its_scrapers(start, many_hosts):
    daemon = start()
    with begin_scrape(many_hosts) as stream:
        stream.recv(1000)
        daemon.signal(signal.SIGTERM)
        assert daemon.await_end() == 0
        rest(stream)

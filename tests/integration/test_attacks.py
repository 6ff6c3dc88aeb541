"""The attacks that other verifiers of these tokens let through (docs/design.md), each on the wire."""

import base64
import random
import re
import time

import pytest

from harness import confidential
from harness.clients import NO, YES, LengthClient, LineClient, auth, isuser
from harness.daemon import run
from harness.minter import Key, random_digits

ALICE = "alice@example.org"
SAMPLE_SEED, SAMPLE_SECRET = "XVGR73KMZH2M4XMY", "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


# --- 1. account takeover by moving a digit


def move_digits(token, count, digits):
    """The same signed bytes with the first digits of the user name as the last ones of the nonce, or the other way round."""
    numbers, signature = token.split(" ")
    return (numbers + digits if count > 0 else numbers[:count]) + " " + signature


@pytest.mark.parametrize("own, digits", [("1admin", "1"), ("007admin", "007"), ("12345678901234567890admin", "12345678901234567890")])
def test_moving_digits_from_the_user_name_to_the_nonce_logs_nobody_in_as_somebody_else(daemon, configuration, framing, own, digits):
    token = configuration.key.mint(f"{own}@example.org")
    moved = move_digits(token, len(digits), digits)
    confidential.release(own.encode())  # a name, and so in the log, is a part of this password
    with framing(daemon.socket) as client:
        assert client.ask(auth("admin@example.org", moved)) == NO
        assert daemon.verdict("admin@example.org")["reason"] == "malformed"
        assert client.ask(auth(f"{own}@example.org", token)) == YES


def test_moving_a_digit_from_the_nonce_to_the_user_name_neither(daemon, configuration):
    nonce = random_digits(31) + "1"
    token = configuration.key.mint("admin@example.org", nonce=nonce)
    assert daemon.ask(auth("1admin@example.org", move_digits(token, -1, "1")), auth("admin@example.org", token)) == [NO, YES]


def test_hosts_that_share_a_secret_and_differ_in_lengths_open_no_way_from_one_to_the_other(configuration, start):
    key = configuration.key
    configuration.host("example.net", Key(key.seed, key.secret, digits=6))
    configuration.host("example.com", Key(key.seed, key.secret, nonce_digits=33))
    daemon = start()
    for own in ("1admin", "11admin", "admin"):
        token = key.mint(f"{own}@example.org")
        for count, digits in ((1, "1"), (2, "11"), (-1, ""), (-2, "")):
            moved = move_digits(token, count, digits)
            for domain in ("example.org", "example.net", "example.com"):
                assert daemon.ask(auth(f"admin@{domain}", moved)) == NO


@pytest.mark.parametrize("setting, value", [("nonce_digits", 31), ("nonce_digits", 33), ("otp_digits", 6), ("otp_digits", 9)])
def test_a_reload_that_changes_the_lengths_under_the_same_secret_is_refused(configuration, start, setting, value):
    daemon = start().expect("otp_digits or nonce_digits changed under an unchanged token_secret", "reload-failed")
    own = configuration.key.mint("1admin@example.org")
    configuration.host(**{setting: value})
    assert daemon.reload() == "reload-failed"
    assert daemon.ask(auth("admin@example.org", move_digits(own, 1, "1")), auth("1admin@example.org", own)) == [NO, YES]


# --- 2. a spent token works again


def test_spent_a_then_b_then_a_again(daemon, configuration, framing):
    now = time.time()
    a, b = configuration.key.mint(ALICE, now - 30), configuration.key.mint(ALICE, now)
    with framing(daemon.socket) as client:
        first = client.ask(auth(ALICE, a))
        assert client.ask(auth(ALICE, b)) == YES
        assert client.ask(auth(ALICE, a), auth(ALICE, b), auth(ALICE, a)) == [NO] * 3
    # The step before may have ended between minting and asking; spent or late, it was never allowed twice.
    assert first == YES or daemon.verdict(ALICE)["reason"] == "expired"


def test_spent_on_one_connection_is_spent_on_every_other_and_in_the_other_framing(daemon, configuration):
    token = configuration.key.mint(ALICE)
    with LineClient(daemon.socket) as one, LengthClient(daemon.socket) as other:
        assert one.ask(auth(ALICE, token)) == YES
        assert other.ask(auth(ALICE, token)) == NO
    with LineClient(daemon.socket) as later:
        assert later.ask(auth(ALICE, token)) == NO


def test_spent_twice_in_one_write_by_many_clients_is_spent_once(daemon, configuration):
    tokens = [configuration.key.mint(ALICE) for _ in range(50)]
    clients = [LengthClient(daemon.socket) for _ in range(20)]
    for client in clients:
        client.write(*[auth(ALICE, token) for token in tokens])
    answers = [client.answers(50) for client in clients]
    assert [column.count(YES) for column in zip(*answers)] == [1] * 50
    for client in clients:
        client.close()


def spellings(token):
    """Other ways to write the same signature, for a decoder that is not strict."""
    numbers, signature = token.split(" ")
    body = signature.rstrip("=")
    last = ALPHABET.index(body[-1])
    for leftover in range(1, 4):  # 43 characters hold 258 bits of a signature's 256
        yield f"{numbers} {body[:-1]}{ALPHABET[last ^ leftover]}="
    yield f"{numbers} {body}"
    yield f"{numbers} {body}=="
    yield f"{numbers} {signature}\t"
    yield f"{numbers} {signature[:20]} {signature[20:]}"
    yield f"{numbers} {signature.replace('+', '-').replace('/', '_')}x"
    yield f"{numbers}  {signature}"
    yield f"{numbers} {base64.b64decode(signature).hex()}"


def test_another_spelling_of_a_spent_signature_is_no_other_token(daemon, configuration, framing):
    with framing(daemon.socket) as client:
        token = configuration.key.mint(ALICE)
        assert client.ask(auth(ALICE, token)) == YES
        for spelling in spellings(token):
            assert client.ask(auth(ALICE, spelling)) == NO, spelling
        # Nor does another spelling come first and leave the usual one unspent.
        token = configuration.key.mint(ALICE)
        answers = [client.ask(auth(ALICE, spelling)) for spelling in (*spellings(token), token, token)]
        assert answers == [NO] * (len(answers) - 2) + [YES, NO]


def test_spent_stays_spent_across_reloads(configuration, start):
    daemon = start()
    token = configuration.key.mint(ALICE)
    assert daemon.ask(auth(ALICE, token)) == YES
    for change in ({"otp_window": 5}, {"otp_window": 0}, {"otp_window": 10}, {"isuser": "never"}):
        configuration.host(**change)
        assert daemon.reload() == "reloaded"
        assert daemon.ask(auth(ALICE, token)) == NO
    # The host gone and back again.
    del configuration.sections["host example.org"]
    configuration.host("*", configuration.key)
    assert daemon.reload() == "reloaded"
    assert daemon.ask(auth(ALICE, token)) == NO
    assert daemon.status()["replay"]["spent"] == "1"


def test_a_spent_token_is_refused_for_as_long_as_it_passes_the_time_check(configuration, start):
    configuration.key.interval = 1
    configuration.host(key=configuration.key, otp_window=1)
    daemon = start()
    token = configuration.key.mint(ALICE)
    reasons = []
    with LengthClient(daemon.socket) as client:
        client.ask(auth(ALICE, token))
        while "expired" not in reasons:
            assert client.ask(auth(ALICE, token)) == NO
            reasons = [record["reason"] for record in daemon.events("verdict")]
            reasons += [record["reason"] for record in daemon.events("verdicts-summed")]
    assert set(reasons) <= {"allowed", "replayed", "expired"} and reasons.count("allowed") <= 1


# --- 3. a malformed password is an error in the verifier


def test_any_bytes_as_a_password_get_a_clean_deny(daemon, configuration, framing):
    chance = random.Random(3)
    token = configuration.key.mint(ALICE).encode()
    passwords = [b"", b" ", b":", b"%s%n%x", b"\xff" * 85, b"\xc0\x80" * 40, b"0" * 85, b"=" * 85, b"0" * 40 + b" " + b"=" * 44]
    passwords += [bytes(chance.choice(range(0x80, 0x100)) for _ in range(size)) for size in range(1, 200)]
    passwords += [token[:length] for length in range(len(token))]
    passwords += [token[:at] + bytes([byte]) + token[at + 1 :] for at in range(85) for byte in (0x20, 0x2F, 0x3A, 0x7E, 0x80, 0xFF) if token[at] != byte]
    with framing(daemon.socket) as client:
        assert client.ask(*[auth(ALICE, password) for password in passwords]) == [NO] * len(passwords)
        assert client.ask(auth(ALICE, token)) == YES


# --- 4. memory without bound


def test_tokens_that_are_not_genuine_leave_nothing_behind(daemon, configuration):
    before = daemon.status()["replay"]
    stranger = Key()
    for start in range(0, 3000, 500):
        daemon.ask(*[auth(f"u{n}@example.org", stranger.mint(f"u{n}@example.org")) for n in range(start, start + 500)])
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE, time=time.time() - 5000)))
    assert daemon.status()["replay"] == before


def test_spent_tokens_are_forgotten_when_their_window_is_over(configuration, start):
    configuration.key.interval = 1
    configuration.host(key=configuration.key, otp_window=1)
    daemon = start()
    jids = [f"u{n}@example.org" for n in range(2000)]
    answers = daemon.ask(*[auth(jid, configuration.key.mint(jid)) for jid in jids])
    assert answers.count(YES) > 0
    empty = daemon.await_status(lambda status: status["replay"]["spent"] == "0")
    assert empty["replay"]["bytes"] == "0" and empty["replay"]["steps"] == "0"


# --- 5. the OTP checked before the signature


def test_a_forged_token_learns_nothing_about_the_otp(daemon, configuration):
    key, stranger = configuration.key, Key()
    for name, otp in (("right", key.otp()), ("late", key.otp(time.time() - 3000)), ("wrong", stranger.otp())):
        jid = f"{name}@example.org"
        assert daemon.ask(auth(jid, stranger.mint(jid, otp=otp))) == NO
        assert daemon.verdict(jid)["reason"] == "forged"


# --- 6. one unanswered question blocks the server


def test_a_client_that_dawdles_delays_nobody(configuration, start, framing):
    daemon = start()
    dawdlers = [framing(daemon.socket) for _ in range(50)]
    for client in dawdlers:
        client.send(framing.encode(isuser(ALICE))[:-1])
        client.await_taken()
    with framing(daemon.socket) as client:
        assert client.ask(*[isuser(ALICE)] * 100) == [YES] * 100
    for client in dawdlers:
        client.send(framing.encode(isuser(ALICE))[-1:])
        assert client.answers(1) == [YES]
        client.close()


# --- 7. nothing says why a login failed


def test_every_denial_says_why_in_the_log_and_in_the_status(configuration, start):
    configuration.host(isuser="never")
    configuration.set("key example.org old", **Key().settings())
    old = Key()
    configuration.set("key example.org old", **old.settings(), accept_until="2020-01-01T00:00:00Z")
    daemon = start()
    key, now = configuration.key, time.time()
    spent = key.mint("replayed@example.org")
    daemon.ask(auth("replayed@example.org", spent))
    questions = {
        "malformed": auth("malformed@example.org", "correct horse"),
        "unknown-host": auth("unknown-host@else.where", key.mint("unknown-host@else.where")),
        "forged": auth("forged@example.org", Key().mint("forged@example.org")),
        "wrong-otp": auth("wrong-otp@example.org", key.mint("wrong-otp@example.org", otp=Key().otp())),
        "expired": auth("expired@example.org", key.mint("expired@example.org", now - 1000)),
        "early": auth("early@example.org", key.mint("early@example.org", now + 1000)),
        "key-retired": auth("key-retired@example.org", old.mint("key-retired@example.org")),
        "replayed": auth("replayed@example.org", spent),
        "unsupported": b"setpass:unsupported:example.org:new password",
        "unknown-user": isuser("unknown-user@example.org"),
    }
    for reason, question in questions.items():
        assert daemon.ask(question) == NO
        record = daemon.await_event("verdict", user=reason, reason=reason)
        assert record["verdict"] == "deny"
    counted = daemon.status()["verdicts"]
    assert counted.pop(("isuser", "unknown-user")) == 1
    assert counted == {("auth", reason): 1 for reason in [*questions, "allowed"] if reason != "unknown-user"}


# --- 8. a wrong clock looks like a wrong password


@pytest.mark.parametrize("hours, named", [(1, 3600), (-2, -7200), (5.5, 19800), (-12, -43200), (0.6, None), (-1.25, None), (24, 86400)])
def test_a_genuine_token_tells_how_wrong_its_minters_clock_is(configuration, start, hours, named):
    daemon = start().expect("event=minter-clock ")
    offset = int(hours * 3600)
    for user in ("bob", "alice", "bob", "alice"):
        jid = f"{user}@example.org"
        assert daemon.ask(auth(jid, configuration.key.mint(jid, time=time.time() + offset))) == NO
    record = daemon.verdict(ALICE)
    assert record["reason"] == ("early" if hours > 0 else "expired")
    assert abs(int(record["clock_offset_s"]) - offset) <= 60
    assert "time_zone_bug_s" not in record  # that takes several tokens, of two users
    alert = daemon.await_event("minter-clock", host="example.org")
    assert abs(int(alert["clock_offset_s"]) - offset) <= 60
    assert alert.get("time_zone_bug_s") == (None if named is None else str(named))


# --- 9. the published sample keys


@pytest.mark.parametrize("seed, secret", [(SAMPLE_SEED, SAMPLE_SECRET), (SAMPLE_SEED, None), (None, SAMPLE_SECRET),
                                          (SAMPLE_SEED.lower(), SAMPLE_SECRET.lower())])
def test_the_published_sample_keys_are_refused(configuration, directory, seed, secret):
    path = directory / "x.conf"
    path.touch(0o600)
    configuration.host(key=Key(seed, secret))
    path.write_text(configuration.text())
    result = run("-c", path, "--check-config")
    assert result.returncode == 1
    for line in result.stderr.decode().splitlines():
        assert re.search(r"x\.conf:\d+: the \w+ of example\.org is the published sample.*xmpp-authctl keygen", line)
    assert len(result.stderr.splitlines()) == (seed is not None) + (secret is not None)


def test_who_must_keep_them_is_warned_at_every_start(configuration, start):
    key = Key(SAMPLE_SEED, SAMPLE_SECRET)
    configuration.host(key=key, allow_weak_secrets="yes")
    daemon = start().expect("the (otp_seed|token_secret) of example.org is the published sample.*allow_weak_secrets lets it through")
    assert len(daemon.events("configuration", level="warning")) == 2
    assert daemon.ask(auth(ALICE, key.mint(ALICE))) == YES

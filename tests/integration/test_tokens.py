"""Which tokens are allowed, and the one reason for each that is not: in the log, in the status, never on the wire."""

import base64
import calendar
import hashlib
import hmac
import time

import pytest

from harness import DEADLINE
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, auth, isuser
from harness.configuration import HOST
from harness.minter import Key, hotp, random_digits, steady

ALICE = "alice@example.org"


def test_a_token_is_allowed_once(daemon, configuration, framing):
    token = configuration.key.mint(ALICE)
    with framing(daemon.socket) as client:
        assert client.ask(*[auth(ALICE, token)] * 3) == [YES, NO, NO]
    assert daemon.verdict(ALICE)["reason"] == "allowed"
    assert daemon.verdict(ALICE, 2)["reason"] == "replayed"


def test_a_token_as_plone_mints_it(daemon, configuration):
    otp = hotp(base64.b32decode(configuration.key.seed), int(time.time()) // 30, 8, "sha1")
    nonce = random_digits(32)
    signature = hmac.new(configuration.key.secret.encode(), (otp + nonce + ALICE).encode(), hashlib.sha256).digest()
    token = "{} {}".format(otp + nonce, base64.b64encode(signature).decode())
    assert len(token) == 85
    assert daemon.ask(auth(ALICE, token)) == YES


def test_every_login_of_many_users_is_its_own(daemon, configuration, framing):
    tokens = {f"user{number}@example.org": None for number in range(300)}
    for jid in tokens:
        tokens[jid] = configuration.key.mint(jid)
    with framing(daemon.socket) as client:
        assert client.ask(*[auth(jid, token) for jid, token in tokens.items()]) == [YES] * 300
        assert client.ask(*[auth(jid, token) for jid, token in tokens.items()]) == [NO] * 300
    assert daemon.status()["replay"]["spent"] == "300"


# --- reasons


def wrong_signature(key):
    token = key.mint(ALICE)
    return token[:41] + ("A" if token[41] != "A" else "B") + token[42:]


def reason_of(daemon, password, jid=ALICE):
    """Asks once; the verdict's record in the log, which agrees with the answer and with the status."""
    answer = daemon.ask(auth(jid, password))
    record = daemon.verdict(jid)
    assert record["question"] == "auth"
    assert (answer == YES) == (record["verdict"] == "allow")
    assert daemon.status()["verdicts"] == {("auth", record["reason"]): 1}
    return record


REASONS = {
    "allowed": lambda key: key.mint(ALICE),
    "forged": wrong_signature,
    "wrong-otp": lambda key: key.mint(ALICE, otp=Key().otp()),
    "expired": lambda key: key.mint(ALICE, time=time.time() - 3000),
    "early": lambda key: key.mint(ALICE, time=time.time() + 3000),
    "malformed": lambda key: key.mint(ALICE)[:-1],
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_verdict_has_its_reason(daemon, configuration, reason):
    assert reason_of(daemon, REASONS[reason](configuration.key))["reason"] == reason


def test_a_host_that_is_not_served_is_unknown(daemon, configuration):
    jid = "alice@elsewhere.example"
    assert reason_of(daemon, configuration.key.mint(jid), jid)["reason"] == "unknown-host"


@pytest.mark.parametrize("name, change", {
    "empty": lambda token: "",
    "one short": lambda token: token[:-1],
    "one long": lambda token: token + "A",
    "no space": lambda token: token.replace(" ", "0"),
    "a tab for the space": lambda token: token.replace(" ", "_"),
    "two spaces": lambda token: token[:39] + "  " + token[41:],
    "a letter in the otp": lambda token: "a" + token[1:],
    "a letter in the nonce": lambda token: token[:20] + "f" + token[21:],
    "a sign": lambda token: "-" + token[1:],
    "no padding": lambda token: token[:-1] + "A",
    "a character outside of base64": lambda token: token[:50] + "!" + token[51:],
    "base64 for addresses": lambda token: token[:50] + "-" + token[51:],
    "trailing blank": lambda token: token + " ",
    "leading blank": lambda token: " " + token,
    "the longest that fits": lambda token: (token * 100)[:8000],
    "digits of another script": lambda token: token[:39] + "٣" + token[41:],
}.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_whatever_is_no_token_is_malformed(daemon, configuration, name, change):
    assert reason_of(daemon, change(configuration.key.mint(ALICE)))["reason"] == "malformed"


def test_a_token_counts_for_no_other_user_or_host(configuration, start):
    configuration.host("example.net", configuration.key)
    daemon = start()
    token = configuration.key.mint(ALICE)
    for jid in ("bob@example.org", "alice@example.net", "alic@example.org", "alicee@example.org", "Alice@example.org"):
        assert daemon.ask(auth(jid, token)) == NO
        assert daemon.verdict(jid)["reason"] == "forged"
    assert daemon.ask(auth(ALICE, token)) == YES


def test_a_denied_token_is_not_spent(daemon, configuration):
    token = configuration.key.mint(ALICE)
    assert daemon.ask(auth("bob@example.org", token), auth(ALICE, token + "x"), auth(ALICE, token)) == [NO, NO, YES]


def test_the_wire_says_the_same_for_every_reason(configuration, start, framing):
    configuration.set("replay", after_restart="refuse")
    daemon = start()
    answers = set()
    with framing(daemon.socket) as client:
        for mint in REASONS.values():
            client.write(auth(ALICE, mint(configuration.key)))
            answers.add(client.receive(client.answer_size))
    assert len(answers) == 1, answers  # `starting` too, for who did not ask to be told


# --- the time window


@pytest.mark.parametrize("window", [0, 1, 3])
def test_the_window_is_so_many_steps_either_side_and_no_more(configuration, start, window):
    configuration.key.interval = 100
    configuration.host(key=configuration.key, otp_window=window)
    daemon = start()
    now = steady(100)
    with LengthClient(daemon.socket) as client:
        for steps in range(-window - 2, window + 3):
            jid = f"user{steps}@example.org"
            answer = client.ask(auth(jid, configuration.key.mint(jid, time=now + steps * 100)))
            assert answer == (YES if abs(steps) <= window else NO), steps
            expected = "allowed" if abs(steps) <= window else "expired" if steps < 0 else "early"
            assert daemon.verdict(jid)["reason"] == expected


@pytest.mark.parametrize("format", [
    {"digits": 6},
    {"digits": 10},
    {"interval": 1, "nonce_digits": 16},
    {"interval": 60},
    {"otp_hash": "sha256"},
    {"otp_hash": "sha512"},
    {"signature_hash": "sha512"},
    {"nonce_digits": 16},
    {"nonce_digits": 64},
    {"digits": 6, "interval": 45, "nonce_digits": 20, "otp_hash": "sha256", "signature_hash": "sha512"},
], ids=lambda format: ",".join(f"{name}={value}" for name, value in format.items()))
def test_every_format_is_told_by_settings(configuration, start, format):
    key = Key(**format)
    configuration.host(key=key, otp_window=7)
    daemon = start()
    token = key.mint(ALICE)
    assert daemon.ask(auth(ALICE, token), auth(ALICE, token)) == [YES, NO]
    assert daemon.verdict(ALICE, 2)["reason"] == "replayed"


def test_hosts_have_formats_of_their_own(configuration, start):
    key = Key(digits=6, nonce_digits=20, signature_hash="sha512")
    configuration.host("example.net", key)
    daemon = start()
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE)), auth("a@example.net", key.mint("a@example.net"))) == [YES, YES]
    assert daemon.ask(auth(ALICE, key.mint(ALICE)), auth("a@example.net", configuration.key.mint("a@example.net"))) == [NO, NO]


def test_a_seed_in_lower_case_and_without_padding_is_the_same_seed(configuration, start):
    configuration.host(otp_seed=configuration.key.seed.rstrip("=").lower())
    assert start().ask(auth(ALICE, configuration.key.mint(ALICE))) == YES


# --- several keys


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_every_key_of_a_host_counts_and_is_named_in_the_log(configuration, start):
    keys = {"2026a": Key(), "2026b": Key()}
    for name, key in keys.items():
        configuration.set(f"key {HOST} {name}", **key.settings())
    daemon = start()
    for name, key in keys.items():
        jid = f"{name}@example.org"
        token = key.mint(jid)
        assert daemon.ask(auth(jid, token), auth(jid, token)) == [YES, NO]
        assert daemon.verdict(jid)["key"] == name
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES
    assert "key" not in daemon.verdict(ALICE)


@pytest.mark.parametrize("dates, reason", [
    ({"accept_from": -100}, "allowed"),
    ({"accept_from": 100}, "key-retired"),
    ({"accept_until": 100}, "allowed"),
    ({"accept_until": -100}, "key-retired"),
    ({"accept_from": -100, "accept_until": 100}, "allowed"),
    ({"accept_from": -200, "accept_until": -100}, "key-retired"),
    ({"accept_from": 100, "accept_until": 200}, "key-retired"),
])
def test_a_key_counts_between_its_dates(configuration, start, dates, reason):
    key = Key()
    configuration.set(f"key {HOST} dated", **key.settings(), **{name: at(seconds) for name, seconds in dates.items()})
    daemon = start()
    record = reason_of(daemon, key.mint(ALICE))
    assert (record["reason"], record["key"]) == (reason, "dated")


def test_seed_of_one_key_and_secret_of_another_are_no_key(configuration, start):
    other = Key()
    configuration.set(f"key {HOST} other", **other.settings())
    daemon = start()
    assert reason_of(daemon, configuration.key.mint(ALICE, otp=other.otp()))["reason"] == "wrong-otp"


# --- starting


def test_an_empty_record_refuses_what_was_minted_before_the_start(configuration, start):
    configuration.set("replay", after_restart=None)  # refusing is the default
    daemon = start()
    record = reason_of(daemon, configuration.key.mint(ALICE))
    assert (record["reason"], record["verdict"]) == ("starting", "try-again")
    assert "refuses_tokens_minted_before" in daemon.events("ready")[0]
    assert daemon.status()["replay"]["state"] == "starting"


def test_the_record_of_a_restarted_daemon_vouches_for_later_tokens_and_for_no_earlier(configuration, start):
    key = configuration.key
    key.interval = 2
    configuration.host(key=key, otp_window=2)
    configuration.set("replay", after_restart="refuse")
    first = start()
    first.kill()
    daemon = start()
    opens = time.strptime(daemon.events("ready")[0]["refuses_tokens_minted_before"], "%Y-%m-%dT%H:%M:%SZ")
    with LengthClient(daemon.socket) as client:
        assert client.ask(b"features:tryagain") == YES
        token = key.mint(ALICE)
        assert client.ask(auth(ALICE, token)) == TRY_AGAIN
        daemon.await_status(lambda status: status["replay"]["state"] == "open")
        assert calendar.timegm(opens) <= time.time()
        # Now as before the early token is not known to be unspent, if it is still in time at all.
        assert client.ask(auth(ALICE, token)) in (TRY_AGAIN, NO)
        fresh = key.mint(ALICE)
        assert client.ask(auth(ALICE, fresh), auth(ALICE, fresh)) == [YES, NO]


def test_told_to_accept_it_accepts_at_once(daemon, configuration):
    assert "refuses_tokens_minted_before" not in daemon.events("ready")[0]
    assert daemon.status()["replay"]["state"] == "open"
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE))) == YES


# --- isuser


def test_isuser_is_answered_yes_unless_told_otherwise(daemon):
    assert daemon.ask(isuser(ALICE), isuser("anybody@example.org"), isuser("a@else.where")) == [YES, YES, NO]
    assert daemon.status()["verdicts"] == {("isuser", "allowed"): 2, ("isuser", "unknown-host"): 1}


def test_isuser_never(configuration, start):
    configuration.host(isuser="never")
    daemon = start()
    assert daemon.ask(isuser(ALICE), auth(ALICE, configuration.key.mint(ALICE))) == [NO, YES]
    assert daemon.status()["verdicts"] == {("isuser", "unknown-user"): 1, ("auth", "allowed"): 1}


def test_isuser_by_a_file_that_a_reload_reads_again(configuration, start):
    users = configuration.directory / "users"
    users.write_text("# friends\nalice\n\n  Bob  \r\n\tcarol@example.org\ndave@example.net\n#eve\n")
    configuration.host(isuser=f"file:{users}")
    daemon = start()
    listed = ("alice@example.org", "bob@example.org", "carol@example.org")
    others = ("dave@example.org", "eve@example.org", "#eve@example.org", "Bob@example.org", "friends@example.org")
    with LengthClient(daemon.socket) as client:
        assert client.ask(*map(isuser, listed)) == [YES] * 3
        assert client.ask(*map(isuser, others)) == [NO] * 5
        users.write_text("eve\n")
        assert client.ask(isuser("eve@example.org")) == NO  # not before it is told to
        assert daemon.reload() == "reloaded"
        assert client.ask(isuser("eve@example.org"), isuser(ALICE)) == [YES, NO]


def test_the_host_star_stands_for_all_others(configuration, start):
    any_key = Key()
    configuration.host("*", any_key, isuser="never")
    daemon = start()
    assert daemon.ask(auth("a@else.where", any_key.mint("a@else.where"))) == YES
    assert daemon.ask(auth(ALICE, any_key.mint(ALICE)), isuser(ALICE)) == [NO, YES]  # it has a section of its own
    assert daemon.ask(isuser("a@else.where")) == NO
    # "*" is no domain that anybody can be asked about.
    assert daemon.ask(auth("a@*", any_key.mint("a@*")), isuser("a@*")) == [NO, NO]
    assert daemon.verdict("a@*")["reason"] == "unknown-host"


# --- the log


def test_a_flood_of_verdicts_is_summed_up(daemon, configuration):
    daemon.ask(*[auth(ALICE, configuration.key.mint("bob@example.org"))] * 1000)
    assert daemon.status()["verdicts"] == {("auth", "forged"): 1000}
    deadline = time.monotonic() + DEADLINE
    while (lines := len(daemon.events("verdict"))) + sum(int(record["count"]) for record in daemon.events("verdicts-summed")) < 1000:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert daemon.events("verdicts-summed", verdict="deny", reason="forged")
    assert lines < 1000


def test_one_hosts_flood_neither_drowns_anothers_lines_nor_is_mixed_with_its_sums(start, configuration):
    configuration.host("flooded.example", Key()).host("quiet.example", Key())
    daemon = start()
    daemon.ask(*[auth("x@flooded.example", "x")] * 1000, *[auth(f"u{i}@nowhere.example", "x") for i in range(1000)],
               auth("carol@quiet.example", "x"))
    deadline = time.monotonic() + DEADLINE
    while sum(int(record["count"]) for record in daemon.events("verdicts-summed")) + len(daemon.events("verdict")) < 2001:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sums = {(record.get("section"), record["reason"]) for record in daemon.events("verdicts-summed")}
    assert sums >= {("flooded.example", "malformed"), (None, "unknown-host")}
    assert daemon.events("verdict", user="carol")


def test_names_in_the_log_are_harmless(daemon):
    for user in ('" level=error event=fake x="', "\u009b2J", "ü" * 500, "back\\slash", "a=b", "x" * 4000):
        daemon.ask(isuser(user + "@example.org"))
    daemon.await_event("verdict", 6)
    assert not daemon.events("fake")
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in b"".join(daemon.raw))

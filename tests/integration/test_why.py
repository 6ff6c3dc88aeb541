"""xmpp-authctl why: what an operator is told at night of a user who can't log in."""

import re
import subprocess
import time

import pytest

from harness import DEADLINE, confidential
from harness.clients import NO, YES, auth, isuser
from harness.daemon import BUILD, REPORTS, environment
from harness.minter import Key

ALICE = "alice@example.org"


def why(daemon, jid, status):
    """What it says, with the exit status that it must have."""
    result = subprocess.run([BUILD / "xmpp-authctl", "why", jid, "--control", daemon.directory / "control.sock"],
                            capture_output=True, timeout=DEADLINE, env=environment(), check=False)
    written = result.stdout + result.stderr
    assert result.returncode == status, written.decode()
    assert not REPORTS.search(written) and not confidential.traces(written)
    return result.stdout.decode()


def reasons(text):
    """The reasons that it names, the latest first."""
    return re.findall(r"^20\S+Z  ((?:isuser: |other: )?[a-z-]+)", text, re.M)


def test_every_reason_is_shown_with_what_to_do(start, configuration):
    configuration.host(isuser="never")
    old = Key()
    configuration.set("key example.org old", **old.settings(), accept_until="2020-01-01T00:00:00Z")
    daemon, key, now = start(), configuration.key, time.time()
    spent = key.mint(ALICE)
    for question in (
        auth(ALICE, spent),
        auth(ALICE, spent),
        auth(ALICE, "correct horse"),
        auth(ALICE, Key().mint(ALICE)),
        auth(ALICE, key.mint(ALICE, otp=Key().otp())),
        auth(ALICE, key.mint(ALICE, now - 1000)),
        auth(ALICE, key.mint(ALICE, now + 1000)),
        auth(ALICE, old.mint(ALICE)),
        b"setpass:alice:example.org:new password",
        isuser(ALICE),
    ):
        daemon.ask(question)
    text = why(daemon, ALICE, 1)
    assert reasons(text) == ["isuser: unknown-user", "other: unsupported", "key-retired", "early", "expired", "wrong-otp", "forged",
                             "malformed", "replayed", "allowed"]
    assert text.startswith("alice@example.org, judged by [host example.org]\n")
    assert re.search(r"key-retired, key old [0-9a-f]{16}\n    Genuine, but its key", text)
    assert re.search(r"expired, by a clock -(990|1020) s off", text)


def test_the_exit_status_is_that_of_the_last_login(daemon, configuration):
    assert "no login is remembered" in why(daemon, ALICE, 2)
    daemon.ask(auth(ALICE, "x"))
    why(daemon, ALICE, 1)
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE)))
    daemon.ask(isuser(ALICE))
    assert reasons(why(daemon, ALICE, 0)) == ["isuser: allowed", "allowed", "malformed"]
    assert "no login is remembered" in why(daemon, "bob@example.org", 2)


def test_an_unknown_domain_is_named(daemon):
    daemon.ask(auth("alice@else.where", "x"))
    text = why(daemon, "alice@else.where", 1)
    assert "there is no section for this domain" in text and reasons(text) == ["unknown-host"]


@pytest.mark.parametrize("domain", [".".join(["department"] * 14) + ".example.org", "m\u00fcnchen.example.org"])
def test_a_domain_of_any_length_and_spelling_is_known(configuration, start, domain):
    configuration.host(domain, Key())
    daemon, jid = start(), f"alice@{domain}"
    daemon.ask(auth(jid, "x"))
    spelt = domain.encode().replace(b"\xc3\xbc", rb"\xc3\xbc").decode()
    assert why(daemon, jid, 1).startswith(f"alice@{spelt}, judged by [host {spelt}]\n")


def test_repeats_are_one_entry_with_their_number(daemon, configuration):
    spent = configuration.key.mint(ALICE)
    daemon.ask(*[auth(ALICE, spent)] * 201)
    text = why(daemon, ALICE, 1)
    assert reasons(text) == ["replayed", "allowed"] and "replayed, 200 times since" in text


@pytest.mark.parametrize("flood", ["forged for others", "forged for her", "replayed by another", "stale by another"])
def test_a_flood_flushes_nobodys_history(start, configuration, flood):
    daemon, key, now = start(), configuration.key, time.time()
    daemon.ask(auth(ALICE, key.mint(ALICE, now - 300)))
    spent = key.mint("mallory@example.org")
    make = {
        "forged for others": lambda i: auth(f"user{i}@example.org", "x" * (i % 50 + 1)),
        "forged for her": lambda i: auth(ALICE, "x" * (i % 50 + 1)),
        "replayed by another": lambda i: auth("mallory@example.org", spent),
        "stale by another": lambda i: auth("mallory@example.org", key.mint("mallory@example.org", now - 60 - i)),
    }[flood]
    for i in range(0, 6000, 200):
        daemon.ask(*[make(number) for number in range(i, i + 200)])
    assert "expired" in reasons(why(daemon, ALICE, 1))


def test_it_is_kept_over_a_reload_and_its_memory_is_bounded(daemon, configuration):
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE)))
    assert daemon.reload() == "reloaded"
    assert reasons(why(daemon, ALICE, 0)) == ["allowed"]
    recorder = daemon.status()["recorder"]
    assert (recorder["users"], recorder["unproven_users"]) == ("1", "0") and int(recorder["max_bytes"]) < 2 << 20


def test_the_user_is_looked_for_under_the_name_that_servers_ask_about(daemon, configuration):
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE)))
    assert why(daemon, "Alice@Example.ORG", 0).startswith("alice@example.org")


def test_a_denial_and_the_start_are_named(start, configuration):
    configuration.set("replay", after_restart="refuse")
    daemon = start()
    daemon.ask(auth(ALICE, configuration.key.mint(ALICE)))
    daemon.control(b"deny alice@example.org\n")
    text = why(daemon, ALICE, 1)
    assert "now: denied by the operator" in text and "refuses tokens minted before" in text
    assert reasons(text) == ["starting"] or reasons(text) == ["revoked"]


@pytest.mark.parametrize("request_line", [b"why\n", b"why alice\n", b"why @example.org\n", b"why a b\n", b"why a@b@c\n", b"why a@b/c\n"])
def test_what_is_no_user_is_refused(daemon, request_line):
    assert daemon.control(request_line)[0].startswith("error=")

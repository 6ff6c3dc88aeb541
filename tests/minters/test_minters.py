"""The minters of docs/examples/minters: byte by byte what is published, unpredictable, and let in once by the real daemon."""

import collections
import csv
import re

import pytest
from harness import confidential
from harness.clients import NO, YES, LengthClient, auth
from harness.configuration import HOST

from languages import LANGUAGES, MINTERS, TREE

DEFAULTS = {"otp_digits": "8", "interval": "30", "nonce_digits": "32", "otp_hash": "sha1", "signature_hash": "sha256"}
with open(TREE / "tests" / "vectors" / "token-v1.tsv", encoding="utf-8", newline="") as file:
    ROWS = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if DEFAULTS.items() <= row.items()]

SECRETS = {"XMPP_OTP_SEED": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
           "XMPP_TOKEN_SECRET": "test.vectors+only/never=use_them~elsewhere,2026"}
MANY = 10_000
# Chi-square of ten digits: a right minter exceeds it once in 10^9 runs. A random byte modulo 10 gives 117 on average.
TOO_UNEVEN = 62


def test_the_published_vectors(program):
    calls = [("token", f"{row['user']}@{row['host']}", row["otp_seed"], row["token_secret"], int(row["time"]) // 30, row["nonce"])
             for row in ROWS]
    minted = dict(zip((row["name"] for row in ROWS), program.tokens(calls)))
    assert minted == {row["name"]: row["token"] for row in ROWS}


def secrets_of(key):
    return {"XMPP_OTP_SEED": key.seed, "XMPP_TOKEN_SECRET": key.secret}


def test_the_daemon_lets_a_fresh_token_in_once(program, daemon):
    users = ("alice", "1admin", "jürgen")
    tokens = program.tokens([("mint", f"{user}@{HOST}") for user in users], secrets_of(daemon.configuration.key))
    questions = [auth(f"{user}@{HOST}", token) for user, token in zip(users, tokens)]
    with LengthClient(daemon.socket) as client:
        assert client.ask(*questions) == [YES] * len(users)
        assert client.ask(*questions) == [NO] * len(users)
    daemon.await_event("verdict", count=2 * len(users))
    assert [record["reason"] for record in daemon.events("verdict")] == ["allowed"] * len(users) + ["replayed"] * len(users)


def test_a_fresh_token_is_for_one_user_only(program, daemon):
    [token] = program.tokens([("mint", f"alice@{HOST}")], secrets_of(daemon.configuration.key))
    confidential.keep_token(token)
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth(f"bob@{HOST}", token)) == NO
    assert daemon.verdict(f"bob@{HOST}")["reason"] == "forged"


def test_nonces_are_32_digits_each_new_and_no_digit_favoured(program):
    tokens = program.tokens([("mint", f"alice@{HOST}")] * MANY, SECRETS)
    assert all(re.fullmatch(r"[0-9]{40} [A-Za-z0-9+/]{43}=", token) for token in tokens)
    nonces = [token[8:40] for token in tokens]
    assert len(set(nonces)) == MANY
    for digits in ("".join(nonces), "".join(nonce[0] for nonce in nonces), "".join(nonce[-1] for nonce in nonces)):
        expected = len(digits) / 10
        counts = collections.Counter(digits)
        assert sum((counts[digit] - expected) ** 2 / expected for digit in "0123456789") < TOO_UNEVEN, counts


@pytest.mark.parametrize("name", SECRETS)
def test_without_its_secrets_it_mints_nothing(program, name):
    result = program.call([("mint", f"alice@{HOST}")], {other: value for other, value in SECRETS.items() if other != name})
    assert result.returncode != 0 and result.stdout == ""
    assert SECRETS["XMPP_OTP_SEED"] not in result.stderr and SECRETS["XMPP_TOKEN_SECRET"] not in result.stderr


CODE = r"(?!\s*(?:$|//|/\*\*|#|\"\"\"|(?:from|import|using)\s+[\w{*]|\"[\w/]+\"$))"


@pytest.mark.parametrize("name", LANGUAGES)
def test_it_is_short_and_takes_no_secret_from_its_command_line(name):
    text = (MINTERS / LANGUAGES[name].minter).read_text()
    code = [line for line in text.splitlines() if re.match(CODE, line)]
    assert len(code) < 30
    assert max(map(len, text.splitlines())) <= 130
    assert not re.search(r"argv|os\.Args|main\(", text)


def test_every_minter_is_in_the_specification():
    page = (TREE / "docs" / "token.md").read_text()
    for path in MINTERS.iterdir():
        assert f"(examples/minters/{path.name})" in page
    assert (MINTERS / "mint.py").read_text() in page

"""The published vectors: made anew, by pyotp, by the recipe in the field, in the specification, and by xmpp-authctl.

The C library is held to the same file by tests/unit/test_token_vectors.c.
"""

import csv
import hashlib
import hmac
import os
import pathlib
import re
import subprocess
from base64 import b64encode

import pyotp
import pytest

import make_vectors

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()
CTL = BUILD / "xmpp-authctl"
SPECIFICATION = TREE / "docs/token.md"

with open(make_vectors.FILE, encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

DEFAULTS = {"otp_digits": "8", "interval": "30", "nonce_digits": "32", "otp_hash": "sha1", "signature_hash": "sha256"}
DEFAULT_ROWS = [row for row in ROWS if DEFAULTS.items() <= row.items()]


def each(rows):
    return pytest.mark.parametrize("row", rows, ids=[row["name"] for row in rows])


def jid(row):
    return f"{row['user']}@{row['host']}"


def otp(row):
    return row["token"][: int(row["otp_digits"])]


def test_making_them_anew_gives_exactly_the_checked_in_file():
    assert make_vectors.tsv().encode() == make_vectors.FILE.read_bytes()


def test_there_are_enough_and_each_has_a_name_of_its_own():
    assert len(ROWS) >= 20
    assert len({row["name"] for row in ROWS}) == len(ROWS)


def test_they_hold_what_the_specification_promises():
    assert any(row["user"] != row["user"].encode().decode("ascii", "ignore") for row in ROWS)
    assert any(otp(row).startswith("0") for row in ROWS)
    for column, values in (("otp_digits", {"6", "8", "10"}), ("nonce_digits", {"16", "32", "64"}),
                           ("interval", {"30", "60"}), ("otp_hash", {"sha1", "sha256", "sha512"}),
                           ("signature_hash", {"sha256", "sha512"})):
        assert values <= {row[column] for row in ROWS}


@pytest.mark.parametrize("name, hash_name, expected", [
    # RFC 6238, appendix B: the generator is itself held to what is published.
    ("rfc6238-59", "sha1", "94287082"),
    ("rfc6238-1111111109-leading-zero", "sha1", "07081804"),
    ("rfc6238-1111111111", "sha1", "14050471"),
    ("rfc6238-1234567890", "sha1", "89005924"),
    ("rfc6238-2000000000", "sha1", "69279037"),
    ("rfc6238-20000000000-beyond-32-bits", "sha1", "65353130"),
    ("rfc6238-sha256-59", "sha256", "46119246"),
    ("rfc6238-sha512-59", "sha512", "90693936"),
    ("rfc6238-sha256-1111111109", "sha256", "68084774"),
    ("rfc6238-sha512-1111111109", "sha512", "25091201"),
    ("rfc6238-sha256-1234567890", "sha256", "91819424"),
    ("rfc6238-sha512-1234567890", "sha512", "93441116"),
    ("rfc6238-sha256-20000000000", "sha256", "77737706"),
    ("rfc6238-sha512-20000000000", "sha512", "47863826"),
])
def test_the_otps_are_those_of_rfc_6238(name, hash_name, expected):
    [row] = [row for row in ROWS if row["name"] == name]
    assert row["otp_hash"] == hash_name
    assert otp(row) == expected


@each(ROWS)
def test_pyotp_makes_the_same_otp(row):
    totp = pyotp.TOTP(row["otp_seed"], digits=int(row["otp_digits"]), interval=int(row["interval"]),
                      digest=getattr(hashlib, row["otp_hash"]))
    assert totp.generate_otp(int(row["time"]) // int(row["interval"])) == otp(row)


@each(DEFAULT_ROWS)
def test_the_recipe_in_the_field_makes_the_same_token(row):
    otp_service = pyotp.TOTP(row["otp_seed"], digits=8, interval=30)
    one_time = otp_service.generate_otp(int(row["time"]) // 30)
    nonce = row["nonce"]
    signature = hmac.new(row["token_secret"].encode(), (one_time + nonce + jid(row)).encode(), hashlib.sha256).digest()
    assert "{} {}".format(one_time + nonce, b64encode(signature).decode()) == row["token"]


def test_a_token_with_the_default_settings_is_85_bytes():
    assert DEFAULT_ROWS
    assert {len(row["token"]) for row in DEFAULT_ROWS} == {85}


def test_the_specifications_table_is_the_beginning_of_the_file():
    lines = SPECIFICATION.read_text(encoding="utf-8").splitlines(keepends=True)
    table = "".join(line for line in lines if line.startswith(("| name |", "|---|---|---|", "| `")) and line.count("|") > 8)
    assert table == make_vectors.table()
    assert len(table.splitlines()) == 2 + make_vectors.TABLE_ROWS


def test_the_specifications_python_minter_makes_the_same_tokens():
    text = SPECIFICATION.read_text(encoding="utf-8")
    [minter] = [block for block in re.findall(r"```python\n(.*?)```", text, re.S) if "def token(" in block]
    names = {}
    exec(compile(minter, str(SPECIFICATION), "exec"), names)  # what the specification shows is run as it stands
    for row in DEFAULT_ROWS:
        step = int(row["time"]) // 30
        assert names["token"](jid(row), row["otp_seed"], row["token_secret"], step, row["nonce"]) == row["token"]


def test_the_specifications_worked_example_is_the_first_vector():
    text = SPECIFICATION.read_text(encoding="utf-8")
    row = ROWS[0]
    example = text[text.index("## A token, step by step"):]
    example = example[: example.index("\n## ")]
    mac = hmac.new(row["token_secret"].encode(), (otp(row) + row["nonce"] + jid(row)).encode(), hashlib.sha256)
    for shown in (row["otp_seed"], row["token_secret"], row["time"], otp(row), row["nonce"], row["token"],
                  otp(row) + row["nonce"] + jid(row), str(int(row["time"]) // 30), mac.hexdigest()):
        assert shown in example


def write_secrets(row, path):
    path.write_text(f"[any]\notp_seed = {row['otp_seed']}\ntoken_secret = {row['token_secret']}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def write_configuration(row, path):
    window = 0 if int(row["interval"]) > 300 else 1  # the whole window is at most 15 minutes
    path.write_text(
        f"[host {row['host']}]\notp_seed = {row['otp_seed']}\ntoken_secret = {row['token_secret']}\n"
        f"otp_digits = {row['otp_digits']}\notp_interval = {row['interval']}\notp_window = {window}\n"
        f"nonce_digits = {row['nonce_digits']}\notp_hash = {row['otp_hash']}\n"
        f"signature_hash = {row['signature_hash']}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def authctl(*words, stdin=""):
    return subprocess.run([CTL, *map(str, words)], input=stdin.encode(), capture_output=True, timeout=30, check=False)


def other_user(row):
    return f"{'z' if row['user'][0] != 'z' else 'y'}{row['user'][1:]}@{row['host']}"


def check_both_ways(row, *keys):
    minted = authctl("mint", jid(row), "--time", row["time"], "--nonce", row["nonce"], *keys)
    assert (minted.returncode, minted.stdout.decode()) == (0, row["token"] + "\n"), minted.stderr
    checked = authctl("check", jid(row), "--time", row["time"], *keys, stdin=row["token"] + "\n")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.startswith(b"allow allowed: ")
    checked = authctl("check", other_user(row), "--time", row["time"], *keys, stdin=row["token"] + "\n")
    assert checked.returncode == 1
    assert checked.stdout.startswith(b"deny forged: ")


@each(DEFAULT_ROWS)
def test_xmpp_authctl_mints_and_allows_it_with_a_secrets_file(row, tmp_path):
    check_both_ways(row, "--secrets", write_secrets(row, tmp_path / "secrets.cfg"))


@each(ROWS)
def test_xmpp_authctl_mints_and_allows_it_with_a_configuration(row, tmp_path):
    check_both_ways(row, "-c", write_configuration(row, tmp_path / "xmpp-authd.conf"))

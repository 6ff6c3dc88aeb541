"""The published key fingerprints: made anew, by the specification's own lines, and by the daemon and xmpp-authctl."""

import csv
import os
import pathlib
import re
import subprocess

import pytest

import make_fingerprints

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()

with open(make_fingerprints.FILE, encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
BY_NAME = {row["name"]: row["fingerprint"] for row in ROWS}


def run(*words, text=None):
    return subprocess.run(list(map(str, words)), input=text, stdout=subprocess.PIPE, text=True, timeout=30, check=False)


def specified():
    """The function that docs/token.md gives, as it stands there."""
    specification = (TREE / "docs/token.md").read_text(encoding="utf-8")
    code = next(code for code in re.findall(r"```python\n(.*?)```", specification, re.S) if "def fingerprint" in code)
    names = {}
    exec(code, names)
    return names["fingerprint"]


def test_making_them_anew_gives_exactly_the_checked_in_file():
    assert make_fingerprints.tsv().encode() == make_fingerprints.FILE.read_bytes()


@pytest.mark.parametrize("row", ROWS, ids=BY_NAME)
def test_the_specifications_own_lines_give_them(row):
    assert specified()(row["otp_seed"], row["token_secret"]) == row["fingerprint"]


@pytest.mark.parametrize("row", ROWS, ids=BY_NAME)
def test_the_daemon_dumps_them_for_a_hosts_key_and_for_further_ones(row, tmp_path):
    key = f"otp_seed = {row['otp_seed']}\ntoken_secret = {row['token_secret']}\n"
    path = tmp_path / "authd.conf"
    path.write_text(f"[host example.org]\nallow_weak_secrets = yes\n{key}[host other.example]\nallow_weak_secrets = yes\n"
                    f"[key other.example 2027a]\n{key}[server]\nlisten = {tmp_path}/auth.sock\n")
    path.chmod(0o600)
    dump = run(BUILD / "xmpp-authd", "-c", path, "--dump-config")
    assert dump.returncode == 0
    line = f"# key fingerprint {row['fingerprint']}\n"
    assert f"[host example.org]\n{line}" in dump.stdout
    assert f"[key other.example 2027a]\n{line}" in dump.stdout
    assert dump.stdout.count("fingerprint") == 2
    # The dump is a file like any other: with the fingerprints in it, it is read as the same.
    (tmp_path / "again.conf").write_text(dump.stdout.replace("otp_seed = (secret)\ntoken_secret = (secret)\n", key))
    (tmp_path / "again.conf").chmod(0o600)
    assert run(BUILD / "xmpp-authd", "-c", tmp_path / "again.conf", "--dump-config").stdout == dump.stdout


def test_the_spelling_of_the_seed_makes_no_difference_and_that_of_the_secret_does():
    assert BY_NAME["seed-padded"] == BY_NAME["the-same-seed-lower-case-unpadded"]
    assert BY_NAME["secret-of-hexadecimal"] != BY_NAME["the-same-secret-in-upper-case"]
    assert BY_NAME["border"] != BY_NAME["border-a-byte-on"]


def test_keygen_prints_the_fingerprint_of_the_key_that_it_made():
    printed = run(BUILD / "xmpp-authctl", "keygen", "example.org").stdout
    values = dict(re.findall(r"^(\w+) = (\S+)$", printed, re.M))
    fingerprint = make_fingerprints.fingerprint(values["otp_seed"], values["token_secret"])
    assert re.findall(r"\b[0-9a-f]{16}\b", printed) == [fingerprint]


def test_check_names_the_key_that_fits_or_those_that_do_not(tmp_path):
    secrets = tmp_path / "secrets.cfg"
    secrets.write_text(f"prosody_otp_seed = {ROWS[0]['otp_seed']}\nprosody_token_secret = {ROWS[0]['token_secret']}\n")
    secrets.chmod(0o600)
    minted = run(BUILD / "xmpp-authctl", "mint", "alice@example.org", "--secrets", secrets).stdout
    for user, verdict in (("alice", "allow allowed"), ("bob", "deny forged")):
        said = run(BUILD / "xmpp-authctl", "check", f"{user}@example.org", "--secrets", secrets, text=minted).stdout
        assert said.startswith(f"{verdict}: ")
        assert re.findall(r"\b[0-9a-f]{16}\b", said) == [ROWS[0]["fingerprint"]]

"""The published vectors of v2 and of JSXC's tokens: made anew, by the specification's own lines, and both ways by xmpp-authctl;
and no kind ever passes for another."""

import csv
import os
import pathlib
import re
import subprocess

import pytest

import make_kinds
import make_vectors

TREE = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve() / "xmpp-authctl"


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


V2, JSXC = rows(make_kinds.V2_FILE), rows(make_kinds.JSXC_FILE)


def each(table):
    return pytest.mark.parametrize("row", table, ids=[row["name"] for row in table])


def run(*words, text=None):
    result = subprocess.run([CTL, *map(str, words)], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            timeout=30, check=False)
    return result.stdout.rstrip("\n")


@pytest.fixture
def config(tmp_path):
    """config(row, **settings): the file of a daemon with the row's keys that judges every host."""

    def write(row, **settings):
        settings = {"otp_seed": row.get("otp_seed", make_vectors.SEED_SHA1),
                    "token_secret": row.get("token_secret", make_vectors.SECRET_BASE32),
                    "jsxc_secret": row.get("jsxc_secret", make_vectors.SECRET_HEX + "00"), "accept": "v1, v2, jsxc",
                    "allow_weak_secrets": "yes", **settings}
        path = tmp_path / "authd.conf"
        path.touch(0o600)
        path.write_text(f"[server]\nlisten = {tmp_path}/a.sock\n[host *]\n" + "".join(
            f"{name} = {value}\n" for name, value in settings.items() if value))
        return path

    return write


def check(path, row, token, at, user=None, host=None):
    return run("-c", path, "check", f"{user or row['user']}@{host or row['host']}", "--time", at, text=token + "\n")


def specified(name):
    specification = (TREE / "docs/token.md").read_text(encoding="utf-8")
    code = next(code for code in re.findall(r"```python\n(.*?)```", specification, re.S) if f"def {name}(" in code)
    names = {}
    exec("\n".join(code for code in re.findall(r"```python\n(.*?)```", specification, re.S) if "def fingerprint" in code), names)
    exec(code, names)
    return names[name]


def test_making_them_anew_gives_exactly_the_checked_in_files():
    for path, text in make_kinds.files().items():
        assert path.read_bytes() == text.encode()


def test_they_hold_what_the_specification_promises():
    assert all(len(row["token"].encode()) < 200 and re.fullmatch(r"[A-Za-z0-9._-]+", row["token"]) for row in V2)
    assert all(len(row["token"]) == 31 for row in JSXC)
    assert {sign for row in JSXC for sign in row["token"]} >= set("-$%") and not {*"OIl"} & {*"".join(r["token"] for r in JSXC)}
    assert len({row["token"] for row in [*V2, *JSXC]}) == len([*V2, *JSXC])


@each(V2)
def test_the_specifications_own_lines_give_the_v2_token(row):
    assert specified("mint_v2")(row["otp_seed"], row["token_secret"], row["user"], row["host"], int(row["lifetime"]),
                                int(row["issued"]), bytes.fromhex(row["nonce"])) == row["token"]


@each(V2)
def test_xmpp_authctl_mints_v2_to_the_letter(config, row):
    assert run("-c", config(row), "mint", "--v2", f"{row['user']}@{row['host']}", "--time", row["issued"], "--lifetime",
               row["lifetime"], "--nonce", row["nonce"]) == row["token"]


@each(V2)
def test_v2_is_allowed_in_its_time_for_its_user_at_its_host(config, row):
    path, issued = config(row, max_lifetime="15m", otp_window=1), int(row["issued"])
    good_for = min(int(row["lifetime"]), 900)
    verdicts = {at: check(path, row, row["token"], issued + at).partition(":")[0]
                for at in (-31, -30, good_for - 1, good_for) if issued + at >= 0 and issued + at < 253402300800}
    assert verdicts == {at: "deny early" if at == -31 else "deny expired" if at == good_for else "allow allowed" for at in verdicts}
    assert check(path, row, row["token"], issued, user="z" + row["user"][1:]).startswith("deny forged")
    assert check(path, row, row["token"], issued, host="z" + row["host"][1:]).startswith("deny forged")


@each(JSXC)
def test_jsxc_is_allowed_in_its_time_for_its_user_at_its_host(config, row):
    path, expiry = config(row, otp_window=1), int(row["expiry"])
    verdicts = {at: check(path, row, row["token"], expiry + at).partition(":")[0]
                for at in (-3631, -3630, -1, 0) if expiry + at >= 0}
    assert verdicts == {at: "deny early" if at == -3631 else "deny expired" if at == 0 else "allow allowed" for at in verdicts}
    assert check(path, row, row["token"], expiry - 1, user="z" + row["user"][1:]).startswith("deny forged")
    assert check(path, row, row["token"], expiry - 1, host="z" + row["host"][1:]).startswith("deny forged")


ALL = [(V2[0], V2[0]["issued"], "v2"), (JSXC[4], int(JSXC[4]["expiry"]) - 1, "jsxc")]


@pytest.mark.parametrize("row, at, kind", ALL, ids=["v2", "jsxc"])
def test_every_changed_byte_is_seen(config, row, at, kind):
    path = config(row, accept=kind, jsxc_secret=row.get("jsxc_secret"))
    token = row["token"]
    for i, byte in enumerate(token):
        said = check(path, row, token[:i] + chr(ord(byte) ^ 1) + token[i + 1 :], at)
        assert said.startswith(("deny forged", "deny malformed")), (i, said)


@pytest.mark.parametrize("row, at, kind", ALL, ids=["v2", "jsxc"])
def test_shorter_longer_and_differently_spelled_ones_are_malformed(config, row, at, kind):
    path = config(row, accept=kind, jsxc_secret=row.get("jsxc_secret"))
    token = row["token"]
    others = [token[:-1], token + "=", token + "A", " " + token, token + ".", token.swapcase()]
    others += [token[:-1] + chr(ord(token[-1]) + 1)]  # the same bytes, for a decoder that ignores the bits left over
    if kind == "v2":
        fields = token.split(".")
        others += [".".join([*fields[:2], "0" + fields[2], *fields[3:]]), ".".join([*fields[:3], "060", *fields[4:]]),
                   ".".join([*fields[:3], "0", *fields[4:]]), ".".join([*fields[:3], "3601", *fields[4:]]),
                   ".".join([*fields[:3], "-60", *fields[4:]]), ".".join(["v3", *fields[1:]]),
                   token.replace(fields[1], fields[1].upper())]
    for other in others:
        assert check(path, row, other, at).startswith("deny malformed"), other


@pytest.mark.parametrize("accept", ["v1", "v2", "jsxc", "v1, v2", "v2 jsxc", "v1 jsxc", "jsxc, v2, v1"])
def test_each_kind_is_taken_where_it_is_accepted_and_nowhere_else(config, accept):
    """All under secrets that differ as little as they may."""
    row = {**V2[0], "jsxc_secret": JSXC[4]["jsxc_secret"]}
    kinds = re.findall(r"\w+", accept)
    path = config(row, accept=accept, jsxc_secret=row["jsxc_secret"] if "jsxc" in kinds else None, jsxc_max_lifetime="3h")
    at = int(row["issued"])
    tokens = {"v1": make_vectors.mint(row["otp_seed"], row["token_secret"], "alice", "example.org", at, "1" * 32, 8, 30, "sha1",
                                      "sha256"),
              "v2": row["token"], "jsxc": JSXC[4]["token"]}
    for kind, token in tokens.items():
        assert check(path, row, token, at).startswith("allow allowed" if kind in kinds else "deny malformed"), kind


def test_signatures_of_one_kind_are_none_of_another(config):
    """One secret for everything, as no configuration could have it: each kind's signed text is outside of what the others sign."""
    secret = make_vectors.SECRET
    row = {**V2[0], "jsxc_secret": secret + "x"}
    path = config(row)
    at, otp_seed = int(row["issued"]), row["otp_seed"]
    v1 = make_vectors.mint(otp_seed, secret, "alice", "example.org", at, "1" * 32, 8, 30, "sha1", "sha256")
    mac_v1 = make_kinds.url(__import__("base64").b64decode(v1.split(" ")[1]))
    fields = row["token"].split(".")
    for forged in (".".join([*fields[:5], mac_v1]), ".".join([*fields[:4], mac_v1[:22], mac_v1])):
        assert check(path, row, forged, at).startswith(("deny forged", "deny malformed"))
    mac_v2 = __import__("base64").b64encode(__import__("base64").urlsafe_b64decode(fields[5] + "=")).decode()
    assert check(path, row, v1.split(" ")[0] + " " + mac_v2, at).startswith("deny forged")


def test_a_shared_secret_is_refused(config):
    path = config({**V2[0], "jsxc_secret": V2[0]["token_secret"]})
    assert run("-c", path, "check", "a@b", text="x\n") == ""


@pytest.mark.parametrize("names", ["border-of-names", "border-of-numbers"])
def test_no_byte_moves_from_one_field_to_the_next(names):
    one, other = ([row for row in V2 if row["name"] == name][0] for name in (names, f"{names}-a-{'byte' if 'names' in names else 'digit'}-on"))
    assert one["token"].rsplit(".", 1)[1] != other["token"].rsplit(".", 1)[1]

"""docs/migrate.md: what it tells operators to write is what the programs accept."""

import re
import subprocess

import pytest

from document_code import ROOT, code, prosodys_findings

HOST = "chat.example.org"
LONG_SEED, SHORT_SEED, SECRET = "QKHO4WJZ7GVBTX2NQKHO4WJZ7GVBTX2N", "QKHO4WJZ7GVBTX2N", "6NPLQ3ZKH7WTV5YDXEBM2RJA4OFSGUCI"
PLONE_SECRETS = "[prosody.cfg.lua]\nprosody_otp_seed = {}\nprosody_token_secret = " + SECRET + "\n"
AFTER = [text for _, label, text in code("docs/migrate.md", "ini") if label == "After"]


def configure(directory, text, seed=LONG_SEED):
    """The configuration with its paths moved to the directory."""
    for path in set(re.findall(r"/(?:run|etc|srv)/[\w./-]*", text)):
        text = text.replace(path, f"{directory}/{path.rsplit('/', 1)[1]}")
    for name, content in {"secrets.cfg": PLONE_SECRETS.format(seed), "users": "alice\n", "xmpp-authd.conf": text}.items():
        (directory / name).touch(0o600)
        (directory / name).write_text(content)
    return directory / "xmpp-authd.conf"


def check_configuration(build, path):
    return subprocess.run([build / "xmpp-authd", "-c", path, "--check-config"], capture_output=True, text=True)


def test_there_is_a_configuration_for_each_of_the_four():
    headings = {heading for heading, label, _ in code("docs/migrate.md", "ini") if label == "After"}
    assert len(headings) == 4


@pytest.mark.parametrize("text", AFTER)
def test_each_configuration_is_accepted_and_silently(build, tmp_path, text):
    checked = check_configuration(build, configure(tmp_path, text))
    if "allow_weak_secrets" not in text:
        assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.returncode == 0


def test_a_seed_of_80_bits_is_refused_unless_it_is_allowed(build, tmp_path):
    plain, allowing = AFTER[:2]
    checked = check_configuration(build, configure(tmp_path, plain, SHORT_SEED))
    assert checked.returncode == 1 and "shorter than 128 bits" in checked.stderr
    checked = check_configuration(build, configure(tmp_path, allowing, SHORT_SEED))
    assert checked.returncode == 0 and "shorter than 128 bits" in checked.stderr


def test_new_secrets_stand_beside_the_old_while_the_application_changes(build, tmp_path):
    made = subprocess.run([build / "xmpp-authctl", "keygen"], capture_output=True, text=True, check=True).stdout
    pairs = "".join(line + "\n" for line in made.splitlines() if re.match(r"(otp_seed|token_secret) =", line))
    path = configure(tmp_path, AFTER[1] + f"[key {HOST} new]\n{pairs}", SHORT_SEED)
    assert check_configuration(build, path).returncode == 0
    (tmp_path / "new.cfg").touch(0o600)
    (tmp_path / "new.cfg").write_text(pairs)
    for secrets in ("secrets.cfg", "new.cfg"):
        assert check_token(build, path, mint(build, tmp_path / secrets)).startswith("allow"), secrets


def mint(build, secrets, *options):
    command = [build / "xmpp-authctl", "mint", f"alice@{HOST}", "--secrets", secrets, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def check_token(build, configuration, token):
    command = [build / "xmpp-authctl", "-c", configuration, "check", f"alice@{HOST}"]
    return subprocess.run(command, input=token, capture_output=True, text=True).stdout


def test_the_python_3_trap_is_malformed(build, tmp_path):
    configuration = configure(tmp_path, AFTER[0])
    digits, signature = mint(build, tmp_path / "secrets.cfg").split(" ")
    assert check_token(build, configuration, f"{digits} b'{signature}'").startswith("deny malformed")


def test_the_naive_clock_is_named(build, tmp_path):
    configuration = configure(tmp_path, AFTER[0])
    now = int(subprocess.run(["date", "+%s"], capture_output=True, text=True).stdout)
    said = check_token(build, configuration, mint(build, tmp_path / "secrets.cfg", "--time", str(now - 7200)))
    assert said.startswith("deny expired") and "utcnow" in said


@pytest.mark.parametrize("text", [text for _, label, text in code("docs/migrate.md", "lua") if label == "After" and "VirtualHost" in text])
def test_prosody_accepts_its_part(tmp_path, text):
    assert 'authentication = "xmpp_authd"' in text
    assert prosodys_findings(tmp_path, text) == ""


@pytest.mark.parametrize("text", [text for _, label, text in code("docs/migrate.md", "yaml") if label == "After"])
def test_ejabberds_part_is_what_the_sample_has(text):
    """The sample is what ejabberd runs with in other tests."""
    sample = (ROOT / "conf/ejabberd/ejabberd.yml.example").read_text().splitlines()
    assert text.splitlines() and set(text.splitlines()) <= set(sample)

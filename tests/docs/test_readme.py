"""What README.md tells a reader to do works, and what it shows is what is there."""

import importlib.util
import re
import time

import pyotp
import pytest

from documents import README, ROOT, fences, keygen, run, write_configuration
from walks import outputs, walk as walk_through

EXAMPLE = ROOT / "docs" / "examples" / "mint.py"


@pytest.fixture(name="minter", scope="module")
def load_minter():
    specification = importlib.util.spec_from_file_location("mint", EXAMPLE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(name="configuration")
def make_configuration(tmp_path):
    return write_configuration(tmp_path / "xmpp-authd.conf", keygen("example.org"))


def secrets_of(configuration):
    return re.findall(r"^(?:otp_seed|token_secret) = (\w+)$", configuration.read_text(), flags=re.MULTILINE)


def test_the_python_in_readme_is_the_example():
    assert fences(README, "python") == [EXAMPLE.read_text()]


def test_tokens_of_the_example_are_allowed(minter, configuration):
    for user in ("alice", "1admin", "günther"):
        token = minter.mint(user, "example.org", *secrets_of(configuration))
        result = run("xmpp-authctl", "-c", configuration, "check", f"{user}@example.org", input=token + "\n")
        assert result.returncode == 0 and result.stdout.startswith("allow allowed:"), result


def test_tokens_of_the_example_are_good_for_one_user_only(minter, configuration):
    token = minter.mint("alice", "example.org", *secrets_of(configuration))
    result = run("xmpp-authctl", "-c", configuration, "check", "bob@example.org", input=token + "\n")
    assert result.returncode == 1 and result.stdout.startswith("deny forged:"), result


@pytest.mark.parametrize("seconds", [0, 59, 1_111_111_109, 20_000_000_000])
@pytest.mark.parametrize("seed", ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojqge", "GEZDGNBVGY3TQOJQGE======"])
def test_one_time_passwords_of_the_example_are_pyotps(minter, seed, seconds):
    assert minter.one_time_password(seed, seconds) == pyotp.TOTP(seed, digits=8).at(seconds)


def test_the_pyotp_line_in_readme_is_right(minter):
    line = re.search(r"`(pyotp\.TOTP\(.*?\)\.now\(\))`", README.read_text())[1]
    otp_seed = pyotp.random_base32(52)
    before = time.time()
    otp = eval(line, {"pyotp": pyotp, "otp_seed": otp_seed})  # pylint: disable=eval-used
    assert otp in (minter.one_time_password(otp_seed, before), minter.one_time_password(otp_seed, time.time()))


def test_the_make_targets_in_readme_exist():
    targets = set(re.findall(r"`make ([a-z-]+)`|^(?:sudo )?make ([a-z-]+)$", README.read_text(), flags=re.MULTILINE))
    names = {one or other for one, other in targets}
    assert {"demo", "check", "run", "install"} <= names
    for name in names:
        assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE), name


def test_readme_has_ejabberds_settings_as_the_example_configuration_has_them():
    (yaml,) = fences(README, "yaml")
    example = (ROOT / "conf" / "ejabberd" / "ejabberd.yml.example").read_text()
    for setting in ("auth_method", "extauth_program", "auth_use_cache", "disable_sasl_mechanisms", "max_stanza_size"):
        (in_readme,) = re.findall(rf"^ *{setting}: .*$", yaml, flags=re.MULTILINE)
        (in_example,) = re.findall(rf"^ *{setting}: .*$", example, flags=re.MULTILINE)
        assert in_readme == in_example
    assert "auth_use_cache: false\n" in yaml and "max_stanza_size: 65536\n" in yaml


def commands():
    return [line for block in fences(README, "sh") for line in block.splitlines()]


RELAY_QUESTION = """
/usr/bin/python3 - <<'RELAY'
import subprocess
question = b"isuser:alice:example.org"
relay = subprocess.Popen(["sudo", "-u", "ejabberd", "/bin/sh", "-c", "exec %s"], stdin=-1, stdout=-1)
relay.stdin.write(len(question).to_bytes(2, "big") + question)
relay.stdin.flush()
print(relay.stdout.read(4).hex())
relay.stdin.close()
raise SystemExit(relay.wait(10))
RELAY
"""


def walk_steps():
    """README's commands in its order; then the same query with a daemon that does not refuse the tokens from before its
    start, and a question through the relay as ejabberd runs it."""
    again = next(command for command in commands() if "query auth" in command)
    (program,) = re.findall(r'^extauth_program: "(.*)"$', fences(README, "yaml")[0], flags=re.MULTILINE)
    steps = [
        f"xmpp-authctl mint alice@example.org | {command}" if "authctl check" in command else command
        for command in commands()
    ]
    return steps + [
        "sed -i 's/^after_restart = refuse$/after_restart = accept/' /etc/xmpp-authd/xmpp-authd.conf",
        "systemctl restart xmpp-authd",
        again,
        RELAY_QUESTION % program,
        "stat -c '%a %U %G' /etc/xmpp-authd/xmpp-authd.conf /run/xmpp-authd/auth.sock /var/lib/xmpp-authd",
        "systemctl stop xmpp-authd",
    ]


@pytest.fixture(name="walk", scope="module")
def run_walk(tmp_path_factory):
    """(command, output, status) of each step."""
    return walk_through(tmp_path_factory.mktemp("walk"), walk_steps())


def test_every_command_of_readme_works(walk):
    for command, output, status in walk:
        expected = 2 if output.endswith("try-again\n") else 0
        assert status == expected, f"{command}\n{output}"


def test_readmes_configuration_check_is_silent(walk):
    assert outputs(walk, "--check-config") == [""]


def test_ejabberds_user_may_ask_as_readme_says(walk):
    assert outputs(walk, "query isuser") == ["yes\n"]


def test_readmes_query_says_try_again_right_after_the_start_and_then_yes(walk):
    first, later = outputs(walk, "query auth")
    assert first.endswith("\ntry-again\n") and later == "yes\n"


def test_readmes_check_allows(walk):
    (output,) = outputs(walk, "authctl check")
    assert output.startswith("allow allowed:")


def test_readmes_log_command_shows_the_reason(walk):
    (output,) = outputs(walk, "journalctl")
    assert "reason=starting" in output


def test_readmes_extauth_program_answers_ejabberds_user(walk):
    assert outputs(walk, "relay.stdin") == ["00020001\n"]


def test_what_readme_installs_belongs_to_whom_it_should(walk):
    (output,) = outputs(walk, "stat -c")
    assert output.split("\n")[:3] == [
        "640 root xmpp-authd", "660 xmpp-authd xmpp-authd-clients", "700 xmpp-authd xmpp-authd"
    ]

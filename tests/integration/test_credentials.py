"""Secrets that the service manager hands over: `secrets_file = credential:NAME`, from $CREDENTIALS_DIRECTORY."""

import os
import subprocess

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, YES, auth
from harness.configuration import HOST
from harness.daemon import BINARY, environment, run
from harness.minter import Key

ALICE = f"alice@{HOST}"


def write_credential(directory, key, name="example", mode=0o400):
    """As systemd lays it out: a directory for the service's user alone, a file that nobody can write."""
    credentials = directory / "credentials"
    credentials.mkdir(mode=0o700, exist_ok=True)
    path = credentials / name
    path.unlink(missing_ok=True)
    path.write_text(f"otp_seed = {key.seed}\ntoken_secret = {key.secret}\n")
    path.chmod(mode)
    return {"CREDENTIALS_DIRECTORY": str(credentials)}


@pytest.fixture(name="more")
def credential(configuration):
    """The daemon's environment, and a configuration that takes its secrets from there."""
    configuration.host(otp_seed=None, token_secret=None, secrets_file="credential:example")
    return write_credential(configuration.directory, configuration.key)


def check(configuration, **more):
    """What --check-config says, and its exit status."""
    path = configuration.directory / "checked.conf"
    path.touch(0o600)
    path.write_text(configuration.text())
    result = subprocess.run([BINARY, "-c", path, "--check-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                            env={name: value for name, value in {**environment(), **more}.items() if value is not None})
    return result.returncode, result.stderr


def test_the_secrets_of_a_credential_count(configuration, start, more):
    daemon = start(more=more)
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE)), auth(ALICE, Key().mint(ALICE))) == [YES, NO]


def test_a_reload_reads_them_again(configuration, start, more):
    daemon = start(more=more)
    other = Key()
    write_credential(configuration.directory, other)
    assert daemon.reload() == "reloaded"
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE)), auth(ALICE, other.mint(ALICE))) == [NO, YES]


def test_the_dump_names_the_credential(configuration, more):
    path = configuration.directory / "dumped.conf"
    path.touch(0o600)
    path.write_text(configuration.text())
    result = subprocess.run([BINARY, "-c", path, "--dump-config"], capture_output=True, text=True, timeout=DEADLINE, check=True,
                            env={**environment(), **more})
    assert "secrets_file = credential:example\n" in result.stdout and configuration.key.secret not in result.stdout


@needs_root
def test_a_group_in_its_mode_is_the_access_control_list_of_the_daemons_user(configuration, more):
    """0440 root:root is how systemd's mode looks where the right is the user's; for any other file it is a group that may read."""
    configuration.server(group=0)
    write_credential(configuration.directory, configuration.key, mode=0o440)
    assert check(configuration, **more) == (0, "")
    configuration.host(secrets_file=configuration.directory / "credentials" / "example")
    status, said = check(configuration, **more)
    assert status == 1 and "can be read by the group that may open" in said


@pytest.mark.parametrize("mode, said", [(0o404, "everybody can read it"), (0o420, "others than its owner can write it")])
def test_a_credential_that_others_can_read_or_write_is_refused(configuration, more, mode, said):
    write_credential(configuration.directory, configuration.key, mode=mode)
    status, problem = check(configuration, **more)
    assert status == 1 and said in problem


@pytest.mark.parametrize("where", [None, "", "credentials"])
def test_without_a_service_manager_it_says_where_credentials_come_from(configuration, more, where):
    status, said = check(configuration, **{**more, "CREDENTIALS_DIRECTORY": where})
    assert status == 1 and "LoadCredential=" in said and "/run/credentials/xmpp-authd.service" in said
    assert said.count("\n") == 1 and "checked.conf:" in said


def test_a_credential_that_was_not_handed_over_is_told_from_one_that_was(configuration, more):
    configuration.host(secrets_file="credential:other")
    status, said = check(configuration, **more)
    assert status == 1 and "handed over no credential of this name" in said


@pytest.mark.parametrize("name", ["", ".", "..", "../credentials/example", "/etc/shadow", "a/b", "a b", "a:b", "ä", "credential:a"])
def test_a_name_leads_nowhere_but_into_the_directory(configuration, more, name):
    configuration.host(secrets_file=f"credential:{name}")
    status, said = check(configuration, **more)
    assert status == 1 and "takes a credential's name" in said


@pytest.mark.parametrize("name", ["x", "example.org", "chat.example.org_2027-a", "user@host+1", "..."])
def test_names_of_letters_digits_and_a_few_signs(configuration, more, name):
    configuration.host(secrets_file=f"credential:{name}")
    write_credential(configuration.directory, configuration.key, name)
    assert check(configuration, **more) == (0, "")


def test_the_command_line_finds_it_where_the_error_says(configuration, more, tmp_path):
    path = tmp_path / "xmpp-authd.conf"
    path.touch(0o600)
    path.write_text(configuration.text())
    result = subprocess.run([BINARY.with_name("xmpp-authctl"), "-c", path, "mint", ALICE], capture_output=True, timeout=DEADLINE,
                            check=False, env={**os.environ, **more})
    assert result.returncode == 0 and len(result.stdout.strip()) == 85, result.stderr
    assert run("--check-config", "-c", path).returncode == 1

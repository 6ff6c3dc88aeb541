"""What docs/operations.md tells an operator to do works: every command of its `sh` blocks, in the document's order, on one
machine (see sandbox). A section's commands may need something that a document does not say, or end otherwise than with 0:
that stands in the tables below, beside the reason."""

import re

import pytest

from documents import ROOT
from walks import commands_of, outputs, walk

OPERATIONS = ROOT / "docs" / "operations.md"

# An application whose clock is an hour behind; and alice, whom it shuts out.
AN_HOUR_BEHIND = """for user in alice bob carol; do
    xmpp-authctl mint $user@example.org --time $(($(date +%s) - 3600)) | xmpp-authctl query auth $user@example.org || true
done"""
REDIS = "/run/scaling-out.sock"

# Shell script that is run before a section's first command, by the section's heading.
BEFORE = {
    "Clock trouble": AN_HOUR_BEHIND,
    # The daemon was started anew since.
    "Reading an incident": AN_HOUR_BEHIND,
    "Scaling out": f"""redis-server --port 0 --unixsocket {REDIS} --unixsocketperm 777 --dir /run --daemonize yes --logfile /dev/null \\
    --maxmemory-policy noeviction --appendonly yes --appendfsync always --min-replicas-max-lag 2
cp -p /etc/xmpp-authd/xmpp-authd.conf /run/alone.conf
sed -i 's|^store = .*|store = redis+unix:{REDIS}|' /etc/xmpp-authd/xmpp-authd.conf
sudo systemctl restart xmpp-authd
sleep 1""",
}

# Shell script that is run after its last one.
AFTER = {
    "Installing": "journalctl -u xmpp-authd | grep event=listen",
    "Scaling out": f"""redis-cli -s {REDIS} SHUTDOWN NOSAVE
cp -p /run/alone.conf /etc/xmpp-authd/xmpp-authd.conf
sudo systemctl restart xmpp-authd""",
}

# A command that can't be run as it stands (it waits for a person, or never ends): what is run in its place.
ASKED = ["CONFIG GET maxmemory-policy", "CONFIG GET appendonly", "CONFIG GET appendfsync", "CONFIG GET 'min-replicas-*'",
         "GET xmpp-authd:record"]
INSTEAD = {f"redis-cli {words}": f"redis-cli -s {REDIS} {words}" for words in ASKED}

# Commands that do not end with 0: the status that they end with.
STATUS = {"sudo xmpp-authctl why alice@example.org": 1}  # her last login was refused


def sections():
    """(heading, its commands) in the document's order."""
    pieces = re.split(r"^## (.+)$", OPERATIONS.read_text(), flags=re.MULTILINE)[1:]
    blocks = [re.findall(r"^```sh\n(.*?)^```$", body, flags=re.DOTALL | re.MULTILINE) for body in pieces[1::2]]
    return [
        (heading, [command for block in of_section for command in commands_of(block)])
        for heading, of_section in zip(pieces[::2], blocks)
    ]


def steps():
    """(heading, command as it stands or None, what is run)"""
    for heading, commands in sections():
        if heading in BEFORE:
            yield heading, None, BEFORE[heading]
        for command in commands:
            yield heading, command, INSTEAD.get(command, command)
        if heading in AFTER:
            yield heading, None, AFTER[heading]
    yield "", None, "sudo systemctl stop xmpp-authd"


@pytest.fixture(name="walked", scope="module")
def walk_through(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("operations"), [step for _, _, step in steps()])


@pytest.mark.parametrize("heading", [heading for heading, _ in sections()])
def test_every_command_of_a_section_works(walked, heading):
    for (of_section, command, _), (step, output, status) in zip(steps(), walked):
        if of_section == heading:
            assert status == STATUS.get(command, 0), f"{step}\n{output}"


def test_the_tables_name_what_is_in_the_document():
    commands = {command for _, of_section in sections() for command in of_section}
    assert {*BEFORE, *AFTER} <= {heading for heading, _ in sections()} and {*INSTEAD, *STATUS} <= commands


def test_no_command_is_hidden_in_another_kind_of_block():
    opening = re.findall(r"^```(\w*)$", OPERATIONS.read_text(), flags=re.MULTILINE)[::2]
    assert set(opening) <= {"sh", "ini", "text", "yaml"}


# --- Installing


def test_the_configuration_check_is_silent(walked):
    assert outputs(walked, "--check-config")[0] == ""


def test_the_status_is_that_of_a_running_daemon(walked):
    assert re.match(r"xmpp-authd \S+: (ready|starting), for ", outputs(walked, "xmpp-authctl status")[0])


def test_systemd_holds_the_socket_after_its_unit_was_enabled(walked):
    (output,) = outputs(walked, "event=listen")
    assert "listener-differs" not in output
    origins = dict(re.findall(r'listener=(\w+) .*from="the ([^"]+)"', output))
    assert origins == {"server": "service manager", "control": "configuration"}


# --- Rotating keys


def test_the_next_key_counts_after_the_reload_and_its_secrets_are_not_shown(walked):
    first, second = outputs(walked, "xmpp-authctl keys example.org")
    fingerprints = [re.findall(r"^[0-9a-f]{16}\b", shown, flags=re.MULTILINE) for shown in (first, second)]
    assert (len(fingerprints[0]), len(fingerprints[1])) == (1, 2) and fingerprints[1][0] == fingerprints[0][0]
    plan = outputs(walked, "rotate example.org --write")[0]
    assert re.findall(r"\b[0-9a-f]{16}\b", plan)[0] == fingerprints[1][1] and "otp_seed = " not in plan
    assert "the daemon does not have it yet" not in second


# --- Clock trouble, Reading an incident


def test_the_minters_clock_is_named_with_its_time_zone(walked):
    [warning] = outputs(walked, "event=minter-clock")
    assert "clock_offset_s=-3600" in warning or "clock_offset_s=-3630" in warning
    assert "time_zone_bug_s=-3600" in warning


def test_why_says_what_shut_alice_out(walked):
    [said] = outputs(walked, "xmpp-authctl why")
    assert re.search(r"expired, by a clock -36\d\d s off", said) and "now: the minters' clock is -36" in said


# --- Scaling out


def test_redis_is_set_as_the_table_says_and_the_daemon_has_begun_its_record(walked):
    answers = [outputs(walked, f"redis-cli -s {REDIS} {words}")[0].split() for words in ASKED]
    assert answers[0] == ["maxmemory-policy", "noeviction"]
    assert answers[1] == ["appendonly", "yes"] and answers[2] == ["appendfsync", "always"]
    assert dict(zip(answers[3][::2], answers[3][1::2])) == {"min-replicas-to-write": "0", "min-replicas-max-lag": "2"}
    version, run_id, *_ = answers[4]
    assert version == "1" and len(run_id) == 40
    assert any("store redis" in status and ": starting" in status for status in outputs(walked, "xmpp-authctl status"))

"""What docs/quickstart-*.md tell a new user to do, line by line on one machine, leads to a login with the real server and a
stock client, and to one only. And the servers' configurations are as those who know would have them."""

import re

import pytest

from documents import ROOT, fences
from walks import commands_of, outputs, walk

CLIENT = f"/usr/bin/python3 {ROOT}/tests/docs/first_login.py alice@example.org"
MINT = "sudo xmpp-authctl mint alice@example.org"

# Behind the document's commands: the same login a minute and a half later, which no test waits for; the token once more,
# and one of nobody.
LATER = [
    "sed -i 's/^after_restart = refuse$/after_restart = accept/' /etc/xmpp-authd/xmpp-authd.conf; systemctl restart xmpp-authd",
    f"{MINT} >token; {CLIENT} <token # once",
    f"{CLIENT} <token # twice",
    f"echo password | {CLIENT} # no token",
    "journalctl -u xmpp-authd | grep event=verdict",
    "rm -f token ejabberd.patch; systemctl stop xmpp-authd",
]


def commands(page):
    return [command for block in fences(ROOT / "docs" / page, "sh") for command in commands_of(block)]


@pytest.fixture(name="ejabberd", scope="module")
def walk_with_ejabberd(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("ejabberd"), commands("quickstart-ejabberd.md") + LATER, servers=True)


@pytest.fixture(name="prosody", scope="module")
def walk_with_prosody(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("prosody"), commands("quickstart-prosody.md") + LATER, servers=True)


@pytest.fixture(name="walked", params=["ejabberd", "prosody"])
def either(request):
    return request.getfixturevalue(request.param)


def test_every_command_works(walked):
    for command, output, status in walked:
        # The doctor has warnings about Debian's file, and says so.
        assert status == (1 if re.search(r"xmpp-authctl doctor(?! --fix \| tee ejabberd.patch$)", command) else 0), f"{command}\n{output}"


def test_the_configuration_check_is_silent(walked):
    assert outputs(walked, "--check-config") == [""]


def test_a_fresh_token_logs_in_once(walked):
    assert [output.splitlines()[-1] for output in outputs(walked, "first_login")] == [
        "logged in as alice@example.org", "not-authorized", "not-authorized"
    ]


def test_the_log_has_the_reasons(walked):
    [log] = outputs(walked, "grep event=verdict")
    reasons = [re.search(r"reason=(\S+)", line)[1] for line in log.splitlines() if "question=auth" in line]
    assert reasons == ["allowed", "replayed", "malformed"]


def test_the_doctor_finds_no_error_in_what_it_has_mended(ejabberd):
    [patch, report] = outputs(ejabberd, "xmpp-authctl doctor")
    assert "+auth_use_cache: false" in patch
    assert not re.search(r"^error", report, re.MULTILINE), report
    # The daemon of this walk has just started: no login is tried.
    assert set(re.findall(r"^\S+ (\S+)", report, re.MULTILINE)) <= {"open-door", "clock", "could-not-judge"}


def test_prosodys_user_may_ask(prosody):
    assert outputs(prosody, "query isuser") == ["yes\n"]

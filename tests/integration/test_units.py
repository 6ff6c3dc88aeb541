"""The units as systemd itself reads them: no word is unknown to it, the service is as closed as it is meant to be, and the
users and directories come into being."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.daemon import BINARY, TREE

SYSTEMD = TREE / "systemd"
UNITS = ("xmpp-authd.service", "xmpp-authd.socket", "xmpp-authd@prosody.socket")


def tool(*arguments):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)


@pytest.fixture(name="units")
def copy_units(tmp_path):
    """The units in a directory, with a program that is there, and one of the template."""
    for unit in SYSTEMD.glob("xmpp-authd*.s*t"):
        shutil.copy(unit, tmp_path)
    service = (SYSTEMD / "xmpp-authd.service").read_text().replace("=/usr/sbin/xmpp-authd", f"={BINARY}")
    (tmp_path / "xmpp-authd.service").write_text(service)
    shutil.copy(SYSTEMD / "xmpp-authd@.socket", tmp_path / "xmpp-authd@prosody.socket")
    return tmp_path


def verify(units):
    return tool("systemd-analyze", "verify", "--man=no", *(units / unit for unit in UNITS))


def test_systemd_has_nothing_to_say_about_the_units(units):
    result = verify(units)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("unit, line", [("xmpp-authd.service", "Typ=notify"), ("xmpp-authd.socket", "ListenStreem=/run/x"),
                                        ("xmpp-authd.service", "SystemCallFilter=@no-such-group")])
def test_a_mistyped_unit_is_found(units, unit, line):
    section = "[Socket]" if unit.endswith("socket") else "[Service]"
    (units / unit).write_text((units / unit).read_text().replace(section, f"{section}\n{line}"))
    assert line.partition("=")[0] in verify(units).stderr or "no-such-group" in verify(units).stderr


def drop_ins():
    """What docs/operations.md has an operator add to the service, by its first setting."""
    text = (TREE / "docs" / "operations.md").read_text()
    blocks = re.findall(r"^```ini\n(\[Service\]\n.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return {block.splitlines()[1].partition("=")[0]: block for block in blocks}


@pytest.mark.parametrize("name", drop_ins())
def test_systemd_has_nothing_to_say_about_what_the_documents_add(units, name):
    (units / "xmpp-authd.service.d").mkdir()
    (units / "xmpp-authd.service.d" / "override.conf").write_text(drop_ins()[name])
    result = verify(units)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def exposure(units):
    result = tool("systemd-analyze", "security", "--offline=true", "--no-pager", units / "xmpp-authd.service")
    return float(re.search(r"Overall exposure level.*: ([\d.]+) ", result.stdout)[1])


def test_systemd_rates_the_service_at_1_or_lower(units):
    assert exposure(units) <= 1.0


def test_a_service_that_is_less_closed_is_rated_higher(units):
    service = units / "xmpp-authd.service"
    service.write_text(re.sub(r"^(SystemCallFilter|CapabilityBoundingSet)=.*\n", "", service.read_text(), flags=re.MULTILINE))
    assert exposure(units) > 1.0


@pytest.fixture(name="root")
def make_root(tmp_path):
    """A directory that the two tools take for a machine's root."""
    (tmp_path / "etc" / "xmpp-authd").mkdir(parents=True)
    (tmp_path / "etc" / "xmpp-authd" / "xmpp-authd.conf").touch(0o644)
    for command, kind in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        options = ["--create"] if kind == "tmpfiles" else []
        result = tool(command, f"--root={tmp_path}", *options, SYSTEMD / f"xmpp-authd.{kind}")
        assert result.returncode == 0, result.stderr
        assert "Failed" not in result.stderr and "nvalid" not in result.stderr, result.stderr
    return tmp_path


def entries(path):
    return {line.split(":")[0]: line.split(":") for line in path.read_text().splitlines()}


@needs_root
def test_the_daemon_has_a_user_without_a_login_and_its_clients_a_group_that_it_is_in(root):
    user = entries(root / "etc" / "passwd")["xmpp-authd"]
    groups = entries(root / "etc" / "group")
    assert user[6].endswith("/nologin") and user[2] != "0"
    assert groups["xmpp-authd-clients"][3] == "xmpp-authd" and groups["xmpp-authd"][2] == user[3]


@needs_root
def test_the_directories_belong_to_whom_they_should(root):
    user = int(entries(root / "etc" / "passwd")["xmpp-authd"][2])
    found = {}
    for name in ("run/xmpp-authd", "etc/xmpp-authd", "etc/xmpp-authd/xmpp-authd.conf"):
        status = os.stat(root / name)
        found[name] = (oct(status.st_mode & 0o7777), status.st_uid, status.st_gid)
    assert found == {"run/xmpp-authd": ("0o755", user, user), "etc/xmpp-authd": ("0o2750", 0, user),
                     "etc/xmpp-authd/xmpp-authd.conf": ("0o640", 0, user)}


# --- the units and the daemon's own words


def values(unit):
    return dict(re.findall(r"^(\w+)=(.*)$", (SYSTEMD / unit).read_text(), flags=re.MULTILINE))


def test_the_socket_units_make_the_sockets_of_the_default_configuration():
    sample = (TREE / "conf" / "xmpp-authd.conf").read_text()
    for unit, path in (("xmpp-authd.socket", "listen"), ("xmpp-authd@.socket", "#path")):
        socket = values(unit)
        assert f"\n{path} = {socket['ListenStream'].replace('%i', 'prosody')}\n" in sample
        assert f"\nmode = {socket['SocketMode']}\n" in sample
        assert socket["SocketGroup"] == "xmpp-authd-clients" and "Accept" not in socket
    assert values("xmpp-authd.socket")["FileDescriptorName"] == "server"
    assert values("xmpp-authd@.socket")["FileDescriptorName"] == "%i"


def test_the_service_waits_to_be_told_and_watches():
    service = values("xmpp-authd.service")
    assert service["Type"] == "notify" and service["NotifyAccess"] == "main" and "WatchdogSec" in service
    assert service["ConditionPathExists"] == "/etc/xmpp-authd/xmpp-authd.conf"
    assert service["StateDirectory"] == service["RuntimeDirectory"] == pathlib.Path("/var/lib/xmpp-authd").name

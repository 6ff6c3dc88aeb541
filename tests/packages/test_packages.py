"""The Debian packages: clean by lintian's rules; installed, used, upgraded, removed and purged in a fresh Debian."""

import asyncio
import contextlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile


import pytest

from conftest import OLDER
from debian import BUILD, TREE

sys.path.append(str(TREE / "tests" / "prosody"))  # a client

from slixmpp_login import slixmpp_login

NAMES = ("prosody-mod-auth-xmpp-authd", "xmpp-authd", "xmpp-extauth")
INSTALL = "dpkg -i /packages/*.deb"
CONFIGURATION = "/etc/xmpp-authd/xmpp-authd.conf"
UNIT = "/lib/systemd/system/xmpp-authd.service"
README = TREE / "packaging" / "debian" / "xmpp-authd.README.Debian"
HOST = "example.org"  # as README.Debian has it
DEADLINE = 60


def test_lintian_finds_neither_errors_nor_warnings(packages):
    assert sorted(packages) == sorted(NAMES)
    [changes] = (BUILD / "deb").glob("*.changes")
    command = ["lintian", "--allow-root", "--pedantic", "--display-info", "--fail-on", "error,warning", changes]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not re.search(r"^[EW]:", result.stdout, re.MULTILINE)


def test_no_rule_of_lintian_is_overridden():
    assert not list((TREE / "packaging" / "debian").rglob("*lintian-overrides*"))


def contents(package):
    """The package's files and what is in them."""
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as files:
        return {member.name.lstrip("."): files.extractfile(member).read() for member in files if member.isfile()}


@pytest.mark.parametrize("name", NAMES)
def test_a_package_brings_no_configuration_and_no_key(packages, name):
    files = contents(packages[name])
    assert files and not [path for path in files if path.startswith(("/etc/", "/var/", "/run/"))]
    samples = [text for path, text in files.items() if path.endswith((".conf", ".example"))]
    keys = re.compile(rb"^\s*#?(?:otp_seed|token_secret|secrets_file) *= *(\S+)", re.MULTILINE)
    assert samples and not any(keys.search(text) for text in samples)


def facts(machine, *paths):
    return machine.run("stat -c '%a %U %G' " + " ".join(paths)).splitlines()


def condition_holds(machine):
    """What systemd itself says to the unit's conditions: where they don't hold, the unit is skipped and does not fail."""
    conditions = re.findall(r"^(Condition\w+=.*)$", machine.path(UNIT).read_text(), re.MULTILINE)
    assert f"ConditionPathExists={CONFIGURATION}" in conditions
    arguments = " ".join(f"'{condition}'" for condition in conditions)
    return machine.run(f"systemd-analyze condition {arguments} >/dev/null 2>&1 && echo yes || echo no") == "yes\n"


def test_installed_it_waits_for_a_configuration(machine, version):
    machine.run(INSTALL)
    assert machine.run("dpkg --audit; dpkg --verify " + " ".join(NAMES)) == ""
    for program in ("xmpp-authd", "xmpp-authctl", "xmpp-extauth"):
        assert machine.run(f"{program} --version") == f"{program} {version}\n"
    assert facts(machine, "/etc/xmpp-authd") == ["2750 root xmpp-authd"]
    assert list(machine.path("/etc/xmpp-authd").iterdir()) == []
    assert machine.run("id -Gn xmpp-authd; id -Gn prosody") == "xmpp-authd xmpp-authd-clients\nprosody\n"
    assert machine.run("systemctl is-enabled xmpp-authd.service xmpp-authd.socket || true") == "enabled\ndisabled\n"
    assert not condition_holds(machine)
    machine.run(f"cp /usr/share/doc/xmpp-authd/examples/xmpp-authd.conf {CONFIGURATION}")
    assert condition_holds(machine)


def readme_commands():
    """The commands of README.Debian up to the removal, without the remarks beside them."""
    text = README.read_text().partition("Removing the package")[0]
    return [re.sub(r" {2,}\(.*", "", line) for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]


# Does with the unit's words what systemd would.
START = f"""
value() {{ sed -n "s/^$1=//p" {UNIT} | head -n 1; }}
user=$(value User)
install -d -o $user -g $user -m $(value RuntimeDirectoryMode) /run/$(value RuntimeDirectory)
install -d -o $user -g $user -m $(value StateDirectoryMode) /var/lib/$(value StateDirectory)
setpriv --reuid=$user --regid=$(value Group) --init-groups $(value ExecStart) >/dev/null 2>/log &
daemon=$!
trap 'kill $daemon' EXIT
tries=300
until grep -q event=ready /log; do
    tries=$((tries - 1)); [ $tries -gt 0 ] || {{ cat /log; exit 1; }}
    sleep 0.1
done
"""
AS = "setpriv --reuid={0} --regid={0} --init-groups"
# A question as ejabberd asks it, and its answer in hexadecimal.
RELAY = "printf '\\000\\030isuser:alice:example.org' | %s xmpp-extauth | od -An -tx1" % AS.format("ejabberd")


def test_the_commands_of_its_readme_lead_to_a_running_daemon(machine):
    machine.run(INSTALL + "; useradd --system --user-group ejabberd")
    commands = readme_commands()
    assert any("keygen" in command for command in commands) and "systemctl start xmpp-authd" in commands
    script = "\n".join(commands).replace("systemctl start xmpp-authd", START + "cd /")
    output = machine.run(script + f"""
echo @
{AS.format("prosody")} xmpp-authctl query isuser alice@{HOST} --socket /run/xmpp-authd/auth.sock
{RELAY}
stat -c '%a %U %G' {CONFIGURATION} /run/xmpp-authd/auth.sock /var/lib/xmpp-authd
! {AS.format("nobody").replace("regid=nobody", "regid=nogroup")} cat {CONFIGURATION} 2>&1
""")
    assert output.rpartition("@\n")[2].splitlines() == [
        "yes", " 00 02 00 01", "640 root xmpp-authd", "660 xmpp-authd xmpp-authd-clients", "700 xmpp-authd xmpp-authd",
        f"cat: {CONFIGURATION}: Permission denied",
    ]


PROSODY = """
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
modules_enabled = {{ "saslauth", "tls" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
log = {{ debug = "*console" }}
VirtualHost "{host}"
    authentication = "xmpp_authd"
"""


@contextlib.contextmanager
def running(machine, script):
    """The script in the background, once it has said that it is ready; all that it has started ends with it."""
    with subprocess.Popen(machine.command(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True) as process:
        try:
            output = []
            for line in process.stdout:
                output.append(line)
                if re.search(r"Activated service 'c2s' on", line):
                    break
            else:
                pytest.fail("".join(output))
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_prosody_lets_a_token_in_by_the_module_once(machine):
    port = free_port()
    machine.run(f"""{INSTALL}
cp /usr/share/doc/xmpp-authd/examples/xmpp-authd.conf {CONFIGURATION}
chown root:xmpp-authd {CONFIGURATION}; chmod 640 {CONFIGURATION}
sed -i 's/^after_restart = refuse/after_restart = accept/' {CONFIGURATION}
xmpp-authctl keygen {HOST} >>{CONFIGURATION}
adduser prosody xmpp-authd-clients; install -d -o prosody /run/prosody""")
    machine.path("/etc/prosody/prosody.cfg.lua").write_text(PROSODY.format(port=port, host=HOST))
    token = machine.run(f"xmpp-authctl mint alice@{HOST}").strip()
    with running(machine, START + AS.format("prosody") + " prosody -F"):
        assert asyncio.run(slixmpp_login(port, f"alice@{HOST}", token, "PLAIN")) == f"alice@{HOST}"
        assert asyncio.run(slixmpp_login(port, f"alice@{HOST}", token, "PLAIN")) == "not-authorized"


KEYS = "cd /etc/xmpp-authd; umask 027; xmpp-authctl keygen example.org >xmpp-authd.conf; chgrp xmpp-authd xmpp-authd.conf"
STATE = "install -d -o xmpp-authd -g xmpp-authd -m 700 /var/lib/xmpp-authd; echo spent >/var/lib/xmpp-authd/journal"
SUMS = "cd /; find etc/xmpp-authd var/lib/xmpp-authd -exec stat -c '%n %a %U %G %Y' {} + ; cat etc/xmpp-authd/* var/lib/xmpp-authd/*"


def test_an_upgrade_leaves_configuration_and_state_as_they_are(older_packages, machine, version):
    assert sorted(older_packages) == sorted(NAMES)
    machine.run("dpkg -i /older/*.deb")
    assert machine.run("xmpp-authd --version") == f"xmpp-authd {OLDER}\n"
    machine.run(f"{KEYS}; {STATE}")
    before = machine.run(SUMS)
    machine.run(INSTALL)
    assert machine.run("xmpp-authd --version") == f"xmpp-authd {version}\n"
    assert machine.run(SUMS) == before
    assert machine.run("dpkg --audit; dpkg --verify " + " ".join(NAMES)) == ""
    assert not [name for name in machine.files() if re.search(r"\.dpkg-\w+$", name) and "xmpp" in name]
    assert machine.run("systemctl is-enabled xmpp-authd.service") == "enabled\n"


def test_a_service_that_the_operator_disabled_stays_so(older_packages, machine):
    machine.run("dpkg -i /older/*.deb; systemctl disable xmpp-authd.service; " + INSTALL)
    assert machine.run("systemctl is-enabled xmpp-authd.service || true") == "disabled\n"


def test_removed_it_leaves_configuration_and_state(machine):
    machine.run(f"{INSTALL}; {KEYS}; {STATE}")
    before = machine.run(SUMS)
    machine.run("dpkg -r " + " ".join(NAMES))
    assert machine.run(SUMS) == before and not machine.path("/usr/sbin/xmpp-authd").exists()
    machine.run(INSTALL)
    assert machine.run(SUMS) == before


# What any package with a user of its own leaves: the account tools' lock and their copies of the files before.
OF_ACCOUNTS = {"etc/.pwd.lock", "etc/group-", "etc/gshadow-", "etc/passwd-", "etc/shadow-", "etc/subuid-", "etc/subgid-"}


def test_purged_it_leaves_nothing_but_its_user_and_groups(machine):
    before = machine.files()
    machine.run(f"{INSTALL}; {KEYS}; {STATE}; mkdir /etc/xmpp-authd/more; install -d /run/xmpp-authd")
    machine.run("systemctl enable xmpp-authd.socket xmpp-authd@prosody.socket")
    machine.run("dpkg -P " + " ".join(NAMES))
    assert machine.files() - OF_ACCOUNTS == before - OF_ACCOUNTS
    assert machine.run("id -Gn xmpp-authd") == "xmpp-authd xmpp-authd-clients\n"
    assert machine.run("dpkg -l | grep -c xmpp || true") == "0\n"


def test_its_readme_removes_the_user_and_the_groups_too(machine):
    [command] = re.findall(r"^    (deluser .*)$", README.read_text(), re.MULTILINE)
    before = machine.run("getent passwd; getent group")
    machine.run(INSTALL)
    machine.run("dpkg -P " + " ".join(NAMES) + "; " + command)
    assert machine.run("getent passwd; getent group") == before

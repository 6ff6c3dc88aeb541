"""What the doctor finds in a prosody.cfg.lua, and that running one harms nobody, whatever stands in it."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

from site_files import BUILD, ROOT, SANITIZED, names

GOOD = """\
-- Prosody at example.org
plugin_paths = { "{modules}" }

modules_enabled = {
    "disco"; "saslauth"; "tls"; -- and others
}

c2s_require_encryption = true
sql = { driver = "SQLite3", password = "not for the doctor" }
limits = { c2s = { rate = "10kb/s" } }

VirtualHost "example.org"
    authentication = "xmpp_authd" -- one-time tokens
    xmpp_authd_socket = "{socket}"
    xmpp_authd_connections = 4

Component "conference.example.org" "muc"
    modules_enabled = { "muc_mam" }

Include "conf.d/*.cfg.lua"
"""

PATCHED, BY_HAND = True, False
AUTH = 'authentication = "xmpp_authd" -- one-time tokens'

# name: (what stands in the good file, what stands there now, the finding, the start of its line, how it is mended)
BROKEN = {
    "another provider": (AUTH, "authentication = 'internal_hashed';", "auth-method", "    auth", PATCHED),
    "another provider for all": (
        f"    {AUTH}\n", "", "auth-method", 'VirtualHost "example.org"', PATCHED),
    "PLAIN disabled": (AUTH, AUTH + '\n    disable_sasl_mechanisms = { "PLAIN" }', "mechanisms", "    disable", BY_HAND),
    "PLAIN disabled as a set": (AUTH, AUTH + "\n    disable_sasl_mechanisms = { PLAIN = true }", "mechanisms", "    disable", BY_HAND),
    "PLAIN not offered": (AUTH, AUTH + '\n    xmpp_authd_mechanisms = { "X-TOKEN" }', "mechanisms", "    xmpp", BY_HAND),
    "PLAIN without encryption": (
        "encryption = true", "encryption = false\nallow_unencrypted_plain_auth = true", "encryption", "c2s_require", PATCHED),
    "X-TOKEN without encryption": (
        "encryption = true", "encryption = false\nxmpp_authd_allow_unencrypted = true", "encryption", "c2s_require", PATCHED),
    "one connection": ("connections = 4", "connections = 1", "pool-size", "    xmpp_authd_connections", PATCHED),
    "connections in words": ("connections = 4", 'connections = "four"', "pool-size", "    xmpp_authd_connections", PATCHED),
    "too many connections": ("connections = 4", "connections = 65", "pool-size", "    xmpp_authd_connections", PATCHED),
    "another socket": ('"{socket}"', '"{socket}2"', "socket-path", "    xmpp_authd_socket", BY_HAND),
    "a socket that systemd hides": ('"{socket}"', '"/home/a.sock"', "socket-path", "    xmpp_authd_socket", BY_HAND),
    "no module": ('"{modules}"', '"/usr/share"', "module-missing", "plugin_paths", BY_HAND),
    "no plugin paths": ('plugin_paths = { "{modules}" }', "", "module-missing", "VirtualHost", BY_HAND),
    "no saslauth": ('"saslauth"; ', "", "module-missing", "", BY_HAND),
    "tls disabled": ('"tls";', '"tls" }\nmodules_disabled = { "tls"', "module-missing", "", BY_HAND),
    "a host that the daemon does not serve": (
        "Component", 'VirtualHost "example.com"\n    authentication = "xmpp_authd"\n    xmpp_authd_socket = "{socket}"\nComponent',
        "host-not-served", 'VirtualHost "example.com"', BY_HAND),
    "a host that Prosody does not have": ('"example.org"', '"example.com"', "host-not-asked host-not-served", "VirtualHost", BY_HAND),
    "a host that is not enabled": (AUTH, "enabled = false", "auth-method host-not-asked", None, BY_HAND),
    "no Lua": (AUTH, "authentication = = 1", "server-configuration", "    auth", BY_HAND),
    "an included file that is not there": ("conf.d/*.cfg.lua", "more.cfg.lua", "server-configuration", "Include", BY_HAND),
    "an included directory that is not there": ("conf.d/*", "conf.e/*", "server-configuration", "Include", BY_HAND),
    "a file that includes itself": ("conf.d/*.cfg.lua", "prosody.cfg.lua", "could-not-judge", "Include", BY_HAND),
    "the terminal route": (
        AUTH, 'authentication = "external"\n    external_auth_command = "{script}"', "terminal-route", "    auth", BY_HAND),
    "the terminal route without a program": (
        AUTH, 'authentication = "external"', "relay-program terminal-route", "    auth", BY_HAND),
    "the terminal route with arguments": (
        AUTH, 'authentication = "external"\n    external_auth_command = "{relay} {socket}"', "relay-program terminal-route", "    auth", BY_HAND),
    "the terminal route with ejabberd's framing": (
        AUTH, 'authentication = "external_insecure"\n    external_auth_command = "{script}"\n    external_auth_protocol = "ejabberd"',
        "relay-program terminal-route", "    auth", BY_HAND),
    "the terminal route with a program that is not there": (
        AUTH, 'authentication = "external"\n    external_auth_command = "{relay}.py"', "relay-program terminal-route", "    auth", BY_HAND),
}

# name: what stands in the place of the good file's provider: only Prosody itself could say.
UNJUDGED = {
    "a variable of the environment": 'authentication = ENV_PROVIDER or "xmpp_authd"',
    "a program's output": 'authentication = io.popen("id"):read("*a")',
    "a test of what only Prosody knows": AUTH + '\n    if os.getenv("X") == "y" then log = "info" end',
    "a method of a text": AUTH + '\n    log = ("%s.log"):format("prosody")',
    "a script": AUTH + '\n    RunScript "more.lua"',
    "SASL's library": 'authentication = "cyrus"',
    "an endless loop": AUTH + "\n    while true do end",
    "an endless loop of calls": AUTH + "\n    local function f() return f() end f()",
    "an endless recursion": AUTH + "\n    local function f() return 1 + f() end f()",
    "an endless loop over what is not known": AUTH + "\n    for k in pairs(os) do end",
    "a huge text": AUTH + '\n    local s = "x" while true do s = s .. s end',
    "a huge table": AUTH + "\n    local t = {} for i = 1, 1e9 do t[i] = i end",
    "a table within tables": AUTH + "\n    plugin_paths = {} plugin_paths[1] = plugin_paths",
    "an error": AUTH + "\n    local x = nil + 1",
    "a host without a name": AUTH + "\n    VirtualHost(nil)",
    "a host whose name is a number": AUTH + "\n    VirtualHost(1)",
}


@pytest.fixture
def prosody(site):
    """The site with Prosody's modules and a script for the terminal route; the function writes the file."""
    modules = site.directory / "modules"
    modules.mkdir()
    shutil.copy(ROOT / "conf" / "prosody" / "mod_auth_xmpp_authd.lua", modules)
    shutil.copytree(ROOT / "conf" / "prosody" / "auth_xmpp_authd", modules / "auth_xmpp_authd")
    for path in modules.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (site.directory / "conf.d").mkdir()
    script = site.write("ask", f"#!{site.relay} {site.socket}\n")
    script.chmod(0o755)
    site.configuration.server(group="prosody")
    site.write_configuration()
    words = {"{modules}": modules, "{socket}": site.socket, "{relay}": site.relay, "{script}": script}

    def write(old="", new="", text=GOOD):
        assert old in text
        text = text.replace(old, new, 1)
        for word, value in words.items():
            text = text.replace(word, str(value))
        return site.write("prosody.cfg.lua", text)

    return write


def test_it_has_nothing_to_say_about_a_good_file(site, prosody):
    assert site.doctor("--prosody", prosody()) == ([], 0)


@pytest.mark.parametrize("row", BROKEN)
def test_it_finds(site, prosody, row):
    old, new, finding, start, patched = BROKEN[row]
    path = prosody(old, new)
    findings, status = site.doctor("--prosody", path)
    assert status in (1, 3)
    if finding:
        assert names(findings) == finding.split(), findings
        lines = path.read_text().splitlines()
        for found in findings:
            line = int(found.get("line", 0))
            if finding.split()[-1] == found["finding"]:
                assert (lines[line - 1].startswith(start) if line else start is None), found
    if patched:
        site.fix("--prosody", path)
        assert site.doctor("--prosody", path) == ([], 0), path.read_text()
    prosody()
    assert site.doctor("--prosody", path) == ([], 0)


@pytest.mark.parametrize("row", UNJUDGED)
def test_it_does_not_guess_at(site, prosody, row):
    began = time.monotonic()
    findings, status = site.doctor("--prosody", prosody(AUTH, UNJUDGED[row]))
    assert "could-not-judge" in names(findings) and status in (1, 3), findings
    assert time.monotonic() - began < 50


def test_compiled_lua_is_not_run(site, prosody):
    path = prosody()
    subprocess.run(["luac5.4", "-o", path, path], check=True)
    findings, status = site.doctor("--prosody", path)
    assert (names(findings), status) == (["server-configuration"], 1)
    assert "compiled" in findings[0]["what"]


@pytest.mark.parametrize("harm", ["os.execute([[touch {mark}]])", "io.open([[{mark}]], 'w'):write('x')", "os.remove([[{kept}]])",
                                  "require 'socket'.connect('127.0.0.1', 1)", "package.loadlib('libc.so.6', '*')",
                                  "loadstring('os.execute[[touch {mark}]]')()", "debug.getregistry()", "Include '/etc/shadow'"])
def test_nothing_that_the_file_does_reaches_the_machine(site, prosody, harm):
    mark, kept = site.directory / "mark", site.write("kept", "")
    site.directory.chmod(0o777)
    harm = harm.replace("{mark}", str(mark)).replace("{kept}", str(kept))
    findings, status = site.doctor("--prosody", prosody(AUTH, f"{AUTH}\n    {harm}"))
    assert status != 0 and not mark.exists() and kept.exists()
    assert "root:" not in str(findings)


def test_nothing_of_the_file_that_is_not_looked_for_is_printed(site, prosody):
    path = prosody("c2s_require_encryption = true", "c2s_require_encryption = = hidden_password")
    result = site.run("-c", site.directory / "xmpp-authd.conf", "--offline", "--prosody", path)
    assert "hidden_password" not in result.stdout + result.stderr


def test_included_files_begin_with_the_settings_of_all_hosts(site, prosody):
    path = prosody(f"    {AUTH}\n", "")
    more = site.directory / "conf.d" / "b.cfg.lua"
    more.write_text('authentication = "xmpp_authd"\n')
    assert site.doctor("--prosody", path) == ([], 0)
    (site.directory / "conf.d" / ".c.cfg.lua").write_text("authentication = = 1\n")
    (site.directory / "conf.d" / "c.cfg.lua.bak").write_text("authentication = = 1\n")
    assert site.doctor("--prosody", path) == ([], 0)
    more.write_text('VirtualHost "example.org" {\n    authentication = "internal_plain";\n}\n')
    findings, _ = site.doctor("--prosody", path)
    assert [(found["finding"], found["file"]) for found in findings] == [("auth-method", str(more))]


def test_the_projects_own_example_is_fine(site, prosody):
    text = (ROOT / "conf" / "prosody" / "prosody.cfg.lua.example").read_text()
    site.configuration.sections["host chat.example.org"] = site.configuration.sections.pop("host example.org")
    site.write_configuration()
    path = prosody("/run/xmpp-authd/auth.sock", "{socket}", text.replace("/usr/local/lib/prosody/modules", "{modules}"))
    assert site.doctor("--prosody", path) == ([], 0)


def test_debians_file_needs_what_the_documents_say_and_no_more(site, prosody):
    site.configuration.sections["host localhost"] = site.configuration.sections.pop("host example.org")
    site.write_configuration()
    shutil.copytree("/etc/prosody/conf.d", site.directory / "conf.d", dirs_exist_ok=True, symlinks=False)
    text = pathlib.Path("/etc/prosody/prosody.cfg.lua").read_text()
    path = prosody(text=text)
    findings, _ = site.doctor("--prosody", path)
    assert names(findings) == ["auth-method", "module-missing", "socket-path"]
    text = text.replace("/usr/local/lib/prosody/modules", "{modules}").replace(
        'authentication = "internal_hashed"', 'xmpp_authd_socket = "{socket}"\nauthentication = "internal_hashed"')
    path = prosody(text=text)
    assert names(site.doctor("--prosody", path)[0]) == ["auth-method"]
    site.fix("--prosody", path)
    assert site.doctor("--prosody", path) == ([], 0)


def test_prosodys_user_must_be_able_to_read_the_module(site, prosody):
    path = prosody()
    (site.directory / "modules" / "auth_xmpp_authd").chmod(0o700)
    findings, _ = site.doctor("--prosody", path)
    assert names(findings) == ["module-missing"] and "directory" in findings[0]["what"]


def test_of_two_servers_that_were_not_named_the_one_that_asks_is_examined(site, prosody):
    """In a file system of its own that has both servers' files where Debian has them."""
    path = prosody()
    command = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/prosody && shift && exec "$@"', "sh", site.directory,
               site.directory / "xmpp-authctl", "doctor", "-c", site.directory / "xmpp-authd.conf", "--offline", "--ignore", "clock"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), path


@pytest.mark.skipif(SANITIZED, reason="its runtime needs more than the cage allows")
def test_the_process_that_runs_the_file_is_nobody_and_can_do_nothing(site, prosody):
    """While the file runs without end, its process is looked at from outside."""
    prosody(AUTH, AUTH + "\n    while true do local s = ('x') .. 'y' end")
    arguments = [site.directory / "xmpp-authctl", "doctor", "-c", site.directory / "xmpp-authd.conf", "--offline",
                 "--prosody", site.directory / "prosody.cfg.lua"]
    seen = set()
    for _ in range(40):
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not seen:
                try:
                    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                    for child in children:
                        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{child}/status").read_text().splitlines())
                        descriptors = os.listdir(f"/proc/{child}/fd")
                        if status.get("Seccomp") == "2":
                            seen.add((status["Uid"].split()[0], status["Groups"].strip(), status["NoNewPrivs"], tuple(sorted(descriptors))))
                except (FileNotFoundError, ProcessLookupError, KeyError, ValueError, PermissionError):
                    pass
        if seen:
            break
    assert seen == {("65534", "", "1", ("0", "1", "2", "3"))}, BUILD

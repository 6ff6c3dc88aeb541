"""What the doctor finds in an ejabberd.yml, a row for each way to break one; and that it is silent once that is mended."""

import pathlib
import shutil
import subprocess

import pytest

from site_files import ROOT, SANITIZED, environment, names, parse_logfmt

GOOD = """\
# ejabberd at example.org: Straße
hosts:
  - example.org

certfiles:
  - "/etc/ejabberd/ejabberd.pem"

auth_method: external
extauth_program: "{relay} {socket}"
extauth_pool_size: 4
auth_use_cache: false # not a matter of speed
disable_sasl_mechanisms:
  - "digest-md5"
  - "X-OAUTH2"

listen:
  -
    port: 5222
    ip: "::"
    module: ejabberd_c2s
    max_stanza_size: 65536
    starttls_required: true
  - port: 5223
    module: ejabberd_c2s
    tls: true
    max_stanza_size: 65536
  - {{port: 5224, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 10000}}
  -
    port: 5443
    module: ejabberd_http
    tls: true
    request_handlers:
      /bosh: mod_bosh
  -
    port: 5280
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
      /admin: ejabberd_web_admin

modules:
  mod_bosh: {{}}
  # modüle mit Ümläuten
  mod_ping: {{}}
"""

PATCHED, BY_HAND = True, False

# name: (what stands in the good file, what stands there now, the finding, the start of its line, how it is mended)
BROKEN = {
    "no external method": ("auth_method: external", "auth_method: internal", "auth-method", "auth_method", PATCHED),
    "no method at all": ("auth_method: external\n", "", "auth-method", "  - example.org", PATCHED),
    "another method besides": ("auth_method: external", "auth_method: [internal, external]", "other-methods", "auth_method", PATCHED),
    "the cache is on": ("auth_use_cache: false", "auth_use_cache: true", "auth-cache", "auth_use_cache: true #", PATCHED),
    "the cache is on, in a word": ("auth_use_cache: false", "auth_use_cache: yes", "auth-cache", "auth_use_cache", PATCHED),
    "the cache is not turned off": ("auth_use_cache: false", "#", "auth-cache", None, PATCHED),
    "the cache is on for a host": (
        "auth_use_cache: false", "host_config:\n  example.org:\n    auth_use_cache: true\nauth_use_cache: false", "auth-cache",
        "    auth_use_cache: true", PATCHED),
    "no stanza size": ("    max_stanza_size: 65536\n    starttls", "    starttls", "stanza-size", "    port: 5222", PATCHED),
    "Debian's stanza size": ("65536\n    starttls", "262144\n    starttls", "stanza-size", "    max_stanza_size: 262144", PATCHED),
    "endless stanzas": ("65536\n    starttls", "infinity\n    starttls", "stanza-size", "    max_stanza_size: inf", PATCHED),
    "no stanza size behind a dash": ("    tls: true\n    max_stanza_size: 65536\n", "    tls: true\n", "stanza-size", "  - port", PATCHED),
    "no stanza size in brackets": (", max_stanza_size: 10000", "", "stanza-size", "  - {port", PATCHED),
    "X-OAUTH2 in a list": ('  - "X-OAUTH2"\n', "", "mechanisms", '  - "digest-md5"', PATCHED),
    "X-OAUTH2 in brackets": (
        'mechanisms:\n  - "digest-md5"\n  - "X-OAUTH2"\n', "mechanisms: [digest-md5]\n", "mechanisms", "disable_sasl", PATCHED),
    "X-OAUTH2 with empty brackets": ('mechanisms:\n  - "digest-md5"\n  - "X-OAUTH2"\n', "mechanisms: []\n", "mechanisms", "disable_sasl", PATCHED),
    "X-OAUTH2 beside one": ('mechanisms:\n  - "digest-md5"\n  - "X-OAUTH2"\n', "mechanisms: digest-md5\n", "mechanisms", "disable_", PATCHED),
    "X-OAUTH2 with no list": ('disable_sasl_mechanisms:\n  - "digest-md5"\n  - "X-OAUTH2"\n', "", "mechanisms", None, PATCHED),
    "PLAIN disabled": ('  - "X-OAUTH2"\n', '  - "X-OAUTH2"\n  - plain\n', "mechanisms", '  - "digest-md5"', BY_HAND),
    "no encryption": ("    starttls_required: true\n", "", "encryption", "    port: 5222", PATCHED),
    "encryption as one likes": ("required: true", "required: false", "encryption", "    starttls_required", PATCHED),
    "BOSH without encryption": ("module: ejabberd_http\n    tls: true", "module: ejabberd_http", "encryption", "    port: 5443", BY_HAND),
    "a websocket": ("      /bosh: mod_bosh", "      /ws: ejabberd_http_ws", "open-door", "      /ws", BY_HAND),
    "an open API": ('    ip: "127.0.0.1"\n    module: ejabberd_http', "    module: ejabberd_http\n    tls: true", "open-door", "      /a", BY_HAND),
    "MQTT": ("\nmodules:", "  - {{port: 1883, module: mod_mqtt}}\n\nmodules:", "open-door", "  - {port: 1883", BY_HAND),
    "one relay": ("extauth_pool_size: 4", "extauth_pool_size: 1", "pool-size", "extauth_pool_size", PATCHED),
    "more relays than connections": ("pool_size: 4", "pool_size: 2000", "pool-size", "  - example.org", BY_HAND),
    "no program": ('extauth_program: "{relay} {socket}"\n', "", "relay-program", "  - example.org", PATCHED),
    "a program that is not there": ("{relay} {socket}", "{relay}.py {socket}", "relay-program", "extauth_program", BY_HAND),
    "a program without its path": ("{relay} {socket}", "xmpp-extauth {socket}", "relay-program", "extauth_program", BY_HAND),
    "a directory as the program": ("{relay} {socket}", "/usr/bin {socket}", "relay-program", "extauth_program", BY_HAND),
    "another socket": ("{relay} {socket}", "{relay} {socket}2", "socket-path", "extauth_program", BY_HAND),
    "a socket that systemd hides": ("{relay} {socket}", "{relay} /tmp/a.sock", "socket-path", "extauth_program", BY_HAND),
    "a host that the daemon does not serve": (
        "  - example.org", "  - example.org\n  - example.com", "host-not-served", "  - example.com", BY_HAND),
    "a host that ejabberd does not have": ("  - example.org", "  - chat.example.org", "host-not-asked host-not-served", "  - chat", BY_HAND),
    "a setting twice": ("extauth_pool_size: 4", "extauth_pool_size: 4\nauth_method: external", "duplicate-setting", "auth_method", BY_HAND),
    "a tab": ("  - example.org", "\t- example.org", "server-configuration", "\t- example.org", BY_HAND),
    "a list in place of settings": ("# ejabberd at example.org: Straße\n", "- a\n", "server-configuration", "hosts:", BY_HAND),
}

# name: (what stands in the good file, what stands there now): only a running ejabberd could say.
UNJUDGED = {
    "a macro that is not defined": ("auth_use_cache: false", "auth_use_cache: CACHE"),
    "a keyword of newer servers": ("  - example.org", '  - example.org\n  - "@HOST@"'),
    "a program that only a shell can tell": ("{relay} {socket}", "$RELAY {socket}"),
    "another program": ("{relay} {socket}", "/bin/true {socket}"),
    "a relative file": ("certfiles:", "include_config_file: more.yml\ncertfiles:"),
    "settings that are appended": ("certfiles:", "append_host_config:\n  example.org:\n    auth_use_cache: true\ncertfiles:"),
    "a size that is no number": ("max_stanza_size: 10000", 'max_stanza_size: "10000"'),
    "a macro that is itself": ("auth_use_cache: false", "define_macro:\n  LOOP: LOOP\nauth_use_cache: LOOP"),
}


def fill(site, text):
    return text.replace("{relay}", str(site.relay)).replace("{socket}", str(site.socket)).replace("{{", "{").replace("}}", "}")


def write(site, old="", new=""):
    assert old in GOOD
    site.configuration.server(group="ejabberd")
    site.write_configuration()
    return site.write("ejabberd.yml", fill(site, GOOD.replace(old, new, 1)))


def test_it_has_nothing_to_say_about_a_good_file(site):
    assert site.doctor("--ejabberd", write(site)) == ([], 0)


@pytest.mark.parametrize("row", BROKEN)
def test_it_finds(site, row):
    old, new, finding, start, patched = BROKEN[row]
    path = write(site, old, new)
    findings, status = site.doctor("--ejabberd", path)
    assert names(findings) == finding.split(), findings
    assert status == 1
    lines = path.read_text().splitlines()
    for found in findings:
        assert found["mend"] and found["severity"] in ("error", "warning")
        line = int(found.get("line", 0))
        if finding.split()[-1] == found["finding"]:
            assert (lines[line - 1].startswith(start) if line else start is None), found
    if patched:
        site.fix("--ejabberd", path)
        assert site.doctor("--ejabberd", path) == ([], 0), path.read_text()
    else:
        assert site.run("-c", site.directory / "xmpp-authd.conf", "--fix", "--offline", "--ejabberd", path).stdout == ""
    write(site)
    assert site.doctor("--ejabberd", path) == ([], 0)


@pytest.mark.parametrize("row", UNJUDGED)
def test_it_does_not_guess_at(site, row):
    findings, status = site.doctor("--ejabberd", write(site, *UNJUDGED[row]))
    assert names(findings) == ["could-not-judge"], findings
    assert status == 3
    assert site.doctor("--ejabberd", site.directory / "ejabberd.yml", ignore="clock,could-not-judge") == ([], 0)


def test_one_patch_mends_all_at_once(site):
    broken = GOOD
    for row, (old, new, *_, patched) in BROKEN.items():
        if patched and old in broken:
            broken = broken.replace(old, new, 1)
    site.configuration.server(group="ejabberd")
    site.write_configuration()
    path = site.write("ejabberd.yml", fill(site, broken))
    findings, _ = site.doctor("--ejabberd", path)
    assert len(names(findings)) >= 6
    before = path.read_text()
    assert site.run("-c", site.directory / "xmpp-authd.conf", "--fix", "--offline", "--ejabberd", path).returncode == 1
    assert path.read_text() == before, "it changes files by itself"
    site.fix("--ejabberd", path)
    assert site.doctor("--ejabberd", path) == ([], 0), path.read_text()


def test_a_file_without_a_last_line_feed_is_patched(site):
    path = write(site)
    text = path.read_text().replace("auth_method: external\n", "") + "auth_method: internal"
    path.write_text(text)
    site.fix("--ejabberd", path)
    assert site.doctor("--ejabberd", path) == ([], 0)
    assert path.read_text() == text.replace("auth_method: internal", "auth_method: external")


def test_macros_and_included_files_count(site):
    path = write(site, "auth_use_cache: false", "define_macro:\n  CACHE: true\n  SIZE: 262144\nauth_use_cache: CACHE")
    text = path.read_text().replace("max_stanza_size: 10000", "max_stanza_size: SIZE")
    path.write_text(text)
    findings, _ = site.doctor("--ejabberd", path)
    assert names(findings) == ["auth-cache", "stanza-size"]
    more = site.write("more.yml", "auth_use_cache: true\nauth_method: internal\n")
    path.write_text(write(site, "auth_use_cache: false", f"include_config_file:\n  {more}:\n    disallow: [auth_method]").read_text())
    findings, _ = site.doctor("--ejabberd", path)
    assert [(found["finding"], found["file"], found["line"]) for found in findings] == [("auth-cache", str(more), "1")]
    site.fix("--ejabberd", path)
    assert site.doctor("--ejabberd", path) == ([], 0)
    assert more.read_text().startswith("auth_use_cache: false\n")


@pytest.mark.parametrize("name, text", {
    "a billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in zip("abcdefghi", "bcdefghij")),
    "an anchor that holds itself": "a: &a\n  b: *a\n",
    "endless brackets": "a: " + "[" * 5000,
    "a binary file": "\0\1\2\xff" * 100,
    "macros within macros": "define_macro:\n" + "".join(
        f"  M{n}: [{', '.join([f'M{n + 1}'] * 9)}]\n" for n in range(12)) + "hosts: M0\n",
}.items())
def test_hostile_files_end(site, name, text):
    site.write_configuration()
    result = site.run("-c", site.directory / "xmpp-authd.conf", "--offline", "--ejabberd", site.write("ejabberd.yml", text))
    assert result.returncode in (1, 3), name


def test_the_projects_own_example_is_fine(site):
    text = (ROOT / "conf" / "ejabberd" / "ejabberd.yml.example").read_text()
    site.configuration.server(group="ejabberd")
    site.write_configuration()
    path = site.write("ejabberd.yml", text.replace("/usr/local/bin/xmpp-extauth", str(site.relay)).replace(
        "/run/xmpp-authd/auth.sock", str(site.socket)))
    assert site.doctor("--ejabberd", path) == ([], 0)


def test_debians_file_needs_what_the_documents_say_and_no_more(site):
    site.configuration.server(group="ejabberd").host("localhost", site.configuration.key)
    site.configuration.set("host example.org", otp_seed=None, token_secret=None)
    del site.configuration.sections["host example.org"]
    site.write_configuration()
    path = site.write("ejabberd.yml", pathlib.Path("/etc/ejabberd/ejabberd.yml").read_text())
    findings, _ = site.doctor("--ejabberd", path)
    assert names(findings) == ["auth-cache", "auth-method", "open-door", "relay-program", "stanza-size"]
    site.fix("--ejabberd", path)
    findings, _ = site.doctor("--ejabberd", path)
    assert names(findings) == ["open-door"]
    lines = [number for number in range(len(path.read_text().splitlines()) + 1)
             if str(number) in [found["line"] for found in findings]]
    text = path.read_text().splitlines()
    assert [text[number - 1].strip() for number in lines] == [
        "/api: mod_http_api", "/ws: ejabberd_http_ws", "/admin: ejabberd_web_admin", "module: mod_mqtt"]
    kept = [line for number, line in enumerate(text, 1) if number not in lines]
    path.write_text("\n".join(kept).replace("port: 1883\n    ip: \"::\"", "port: 5224\n    ip: \"::\"\n    module: ejabberd_sip"))
    assert site.doctor("--ejabberd", path) == ([], 0)


def test_a_program_that_ejabberds_user_can_not_run(site):
    path = write(site)
    site.relay.chmod(0o700)
    findings, _ = site.doctor("--ejabberd", path)
    assert [(found["finding"], found["mend"]) for found in findings] == [("relay-program", f"chmod 755 {site.relay}")]
    site.relay.chmod(0o755)
    site.directory.chmod(0o700)
    findings, _ = site.doctor("--ejabberd", path)
    assert "relay-program" in names(findings)
    site.directory.chmod(0o711)
    assert site.doctor("--ejabberd", path) == ([], 0)


def test_a_socket_that_ejabberds_user_can_not_open(site):
    path = write(site)
    site.configuration.server(group="root")
    site.write_configuration()
    findings, _ = site.doctor("--ejabberd", path)  # before the daemon was ever started
    assert [(found["finding"], "usermod -aG" in found["mend"]) for found in findings] == [("socket-access", True)]
    site.start()
    assert site.doctor("--ejabberd", path)[0] == findings
    assert site.doctor("--ejabberd", path, "--user", "root") == ([], 0)


def test_a_socket_whose_daemon_turns_ejabberds_user_away(site):
    path = write(site)
    site.configuration.server(group="ejabberd", allow_users="root")
    site.write_configuration()
    findings, _ = site.doctor("--ejabberd", path)
    assert [(found["finding"], found["mend"]) for found in findings] == [("socket-access", "allow_users = ejabberd")]
    for settings in ({"allow_users": "root, ejabberd"}, {"allow_users": None, "allow_groups": "ejabberd"}):
        site.configuration.server(**settings)
        site.write_configuration()
        assert site.doctor("--ejabberd", path) == ([], 0)


def test_a_listener_of_another_protocol(site):
    path = write(site)
    lines = site.configuration.listener("lines", protocol="generic", group="ejabberd")
    site.write_configuration()
    path.write_text(path.read_text().replace(str(site.socket), str(lines)))
    findings, _ = site.doctor("--ejabberd", path)
    assert [(found["finding"], found["mend"]) for found in findings] == [("socket-path", "protocol = auto")]


@pytest.mark.parametrize("groups, expected", [("--clear-groups", ["server-not-restarted"]), ("--groups=4242", [])])
def test_an_ejabberd_that_was_not_restarted_since_its_user_joined_the_group(site, groups, expected):
    """With a group file and processes of this test alone: one has ejabberd's name and user, with or without the new group."""
    path = write(site)
    site.configuration.server(group="4242")
    site.start()
    file = site.write("group", pathlib.Path("/etc/group").read_text() + "clients:x:4242:ejabberd\n")
    server = shutil.copy("/bin/sleep", site.directory / "beam.smp")
    inside = f"""mount --bind {file} /etc/group
        setpriv --reuid=ejabberd --regid=ejabberd {groups} {server} 60 &
        until [ "$(cat /proc/$!/comm)" = beam.smp ]; do :; done
        {site.directory}/xmpp-authctl doctor -c {site.directory}/xmpp-authd.conf --offline --ignore clock --logfmt --ejabberd {path}
        kill $!"""
    output = subprocess.run(["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", inside], capture_output=True, text=True, check=True,
                            env=environment()).stdout
    assert names([parse_logfmt(line) for line in output.splitlines()]) == expected


def test_a_daemons_file_with_an_error_is_said_once(site):
    path = write(site)
    site.configuration.server(modes="0660")
    site.write_configuration()
    findings, status = site.doctor("--ejabberd", path)
    assert (names(findings), status) == (["daemon-configuration"], 1)
    assert f"{site.directory}/xmpp-authd.conf:4: " in findings[0]["what"]


@pytest.mark.parametrize("arguments, complaint", [
    (["x"], "doctor takes options and no more"),
    (["--ignore", "clock,auth-cash"], "--ignore takes names of findings"),
    (["--ignore", ""], "--ignore takes names of findings"),
], ids=["an operand", "a name that is no finding's", "an empty name"])
def test_a_wrong_command_line_ends_in_2(site, arguments, complaint):
    result = site.run(*arguments)
    assert (result.returncode, result.stdout) == (2, "") and complaint in result.stderr


def test_people_read_sentences(site):
    result = site.run("-c", site.write_configuration(), "--offline", "--ignore", "clock", "--ejabberd", write(site, "auth_use_cache: false", ""))
    assert result.stdout.splitlines()[0].startswith("error auth-cache")
    assert result.stdout.splitlines()[2] == "    mend: auth_use_cache: false"


@pytest.mark.skipif(SANITIZED, reason="its runtime has to come first")
@pytest.mark.parametrize("status, expected", [("STA_UNSYNC", ["clock"]), ("0", [])])
def test_the_kernels_word_on_the_clock_counts(site, tmp_path, status, expected):
    source = tmp_path / "clock.c"
    source.write_text(f"#include <sys/timex.h>\nint adjtimex(struct timex *t) {{ t->status = {status}; return 0; }}\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "clock.so", source], check=True)
    result = site.run("-c", site.directory / "xmpp-authd.conf", "--offline", "--logfmt", "--ejabberd", write(site),
                      preload=tmp_path / "clock.so")
    assert names([parse_logfmt(line) for line in result.stdout.splitlines()]) == expected

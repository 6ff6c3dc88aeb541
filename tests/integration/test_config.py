"""Configurations, good and bad, as files in config/: --check-config, --dump-config and the start agree about each."""

import os
import pathlib
import re
import shutil

import pytest

from conftest import needs_root
from harness import confidential
from harness.clients import NO, YES, LengthClient, auth, isuser
from harness.daemon import parse_logfmt, run
from harness.minter import Key

FIXTURES = pathlib.Path(__file__).parent / "config"
BAD = sorted(path.name for path in FIXTURES.glob("bad.*.conf"))
GOOD = sorted(path.name for path in FIXTURES.glob("good.*.conf"))
SECRET = re.compile(rb"^(?:prosody_)?(?:otp_seed|token_secret|jsxc_secret|http_password|admin_password)[ \t]*[=:][ \t]*[\"']?([^;\s\"']{8,})", re.MULTILINE)


@pytest.fixture
def fixture(directory):
    """fixture(name): the file in a place of its own with all that it may name, private to its owner."""

    def prepare(name):
        for source in FIXTURES.iterdir():
            if source.name == name or source.suffix in (".cfg", ".txt"):
                target = directory / source.name
                content = source.read_bytes()
                confidential.keep(*SECRET.findall(content))
                target.touch(0o600)
                target.write_bytes(content.replace(b"@DIR@", str(directory).encode()))
        return directory / name

    return prepare


def expectation(name, directory):
    """The lines that a fixture's .expected file holds: what is said of it, in order."""
    path = FIXTURES / name.replace(".conf", ".expected")
    if not path.exists():
        return []
    return path.read_text().replace("@DIR@", str(directory)).splitlines()


def check(path, option="--check-config"):
    return run("-c", path.name, option, cwd=path.parent)


# --- the fixtures


@pytest.mark.parametrize("name", BAD)
def test_bad_ones_are_refused_with_every_problem(fixture, directory, name):
    path = fixture(name)
    for option in ("--check-config", "--dump-config"):
        result = check(path, option)
        assert result.stderr.decode().splitlines() == expectation(name, directory)
        assert (result.returncode, result.stdout) == (1, b"")


@pytest.mark.parametrize("name", BAD)
def test_bad_ones_do_not_start(fixture, directory, name):
    path = fixture(name)
    result = run("-c", path.name, cwd=directory)
    assert result.returncode == 1
    records = [parse_logfmt(line) for line in result.stderr.decode().splitlines()]
    said = [("warning: " if record["level"] == "warning" else "") + record["problem"] for record in records]
    # A line of the log is cut where it is too long for one.
    assert [line[:200] for line in said] == [line[:200] for line in expectation(name, directory)]
    assert not list(directory.glob("*.sock"))


@pytest.mark.parametrize("name", GOOD)
def test_good_ones_are_good(fixture, directory, name):
    result = check(fixture(name))
    assert result.stderr.decode().splitlines() == expectation(name, directory)
    assert (result.returncode, result.stdout) == (0, b"")


@pytest.mark.parametrize("name", [name for name in GOOD if name != "good.minimal.conf"])
def test_good_ones_start(fixture, directory, start, configuration, name):
    text = fixture(name).read_bytes().decode("utf-8")
    if "[state]" not in text:
        text += f"\n[state]\ndir = {directory}/state\n"
    configuration.text = lambda: text
    warnings = [line.partition(": ")[2].partition(": ")[2] for line in expectation(name, directory)]
    daemon = start(ready="level = warning" not in text).expect("few-descriptors", "record-incomplete", *(each[:100] for each in warnings))
    if "level = warning" in text:
        daemon.await_socket()
    assert daemon.stop() == 0


# --- the dump


def pair(key):
    return f"otp_seed = {key.seed}\ntoken_secret = {key.secret}"


def masked(text):
    text = re.sub(r"(?m)^(otp_seed|token_secret|jsxc_secret|http_password) = .+$", r"\1 = (secret)", text)
    return re.sub(r"(?m)^# key fingerprint [0-9a-f]{16}$", "# key fingerprint ...", text)


DUMPABLE = [name for name in GOOD if name not in ("good.keys-alone.conf", "good.plone-section.conf", "good.plone-buildout.conf",
                                                  "good.shared-secrets.conf")]


@pytest.mark.parametrize("name", DUMPABLE)
def test_a_dump_is_the_same_configuration_with_its_secrets_masked(fixture, name):
    path = fixture(name)
    dump = check(path, "--dump-config").stdout.decode()
    secrets = [value.decode() for value in SECRET.findall(path.read_bytes())]
    assert dump.count("(secret)") == len(re.findall(rb"(?m)^(?:otp_seed|token_secret|jsxc_secret|http_password)\s*[=:]", path.read_bytes()))
    assert all(secret not in dump for secret in secrets)
    # With secrets in the masks' places it loads, and dumps as itself.
    again = path.with_name("again.conf")
    again.touch(0o600)
    filled = re.sub(r"otp_seed = \(secret\)\ntoken_secret = \(secret\)", lambda _: pair(Key()), dump)
    filled = re.sub(r"jsxc_secret = \(secret\)", lambda _: f"jsxc_secret = {Key().secret}", filled)
    again.write_text(filled)
    second = check(again, "--dump-config")
    assert (second.returncode, masked(second.stdout.decode())) == (0, masked(filled))
    assert all(line.startswith("warning: ") for line in second.stderr.decode().splitlines())
    assert second.stdout.count(b"(secret)") == dump.count("(secret)")


def test_a_dump_has_every_setting_and_what_the_file_says(fixture):
    dump = check(fixture("good.every-setting.conf"), "--dump-config").stdout.decode()
    for line in ("mode = 0660", "max_pending = 65536", "request_timeout = 30s", "allow_users = root nobody", "[listen prosody]",
                 "protocol = generic", "group = nogroup", "level = warning", "[host example.org]", "[key example.org 2026b]",
                 "accept_from = 2026-12-01T00:00:00Z", "accept_until = 2026-12-31T23:00:00Z", "after_restart = accept"):
        assert f"\n{line}\n" in dump, line
    assert "\nisuser = file:/" in dump


def test_a_dump_fills_in_the_defaults(fixture):
    dump = check(fixture("good.minimal.conf"), "--dump-config").stdout.decode()
    for line in ("listen = /run/xmpp-authd/auth.sock", "mode = 0660", "max_connections = 1024", "max_request = 8191", "max_pending = 65536",
                 "request_timeout = 30s", "drain_timeout = 5s", "after_restart = refuse", "level = info", "otp_digits = 8",
                 "otp_interval = 30", "otp_window = 1", "otp_hash = sha1", "signature_hash = sha256", "nonce_digits = 32",
                 "isuser = always", "allow_weak_secrets = no"):
        assert f"\n{line}\n" in "\n" + dump, line


# --- files


@pytest.mark.parametrize("mode, problem", [
    (0o600, None), (0o400, None), (0o700, None),
    (0o620, "others than its owner can write it: chmod go-w it"),
    (0o602, "others than its owner can write it: chmod go-w it"),
    (0o660, "others than its owner can write it: chmod go-w it"),
    (0o666, "others than its owner can write it: chmod go-w it"),
    (0o604, "everybody can read it, and it holds secrets: chmod o-r it"),
    (0o644, "everybody can read it, and it holds secrets: chmod o-r it"),
], ids=lambda value: f"{value:04o}" if isinstance(value, int) else "")
def test_who_else_may_read_or_write_a_file_with_secrets(fixture, mode, problem):
    for name, changed in (("good.usual.conf", "good.usual.conf"), ("good.plone-section.conf", "plone-section.cfg")):
        path = fixture(name)
        (path.parent / changed).chmod(mode)
        result = check(path)
        if problem is None:
            assert (result.returncode, result.stderr) == (0, b"")
        else:
            where = f"{name}: " if changed == name else f"{name}:4: {path.parent}/{changed}: "
            assert (result.returncode, result.stderr.decode()) == (1, f"{where}{problem}\n")


@needs_root
@pytest.mark.parametrize("changed", ["good.usual.conf", "plone-section.cfg"])
def test_the_group_that_may_open_the_socket_must_not_read_secrets(fixture, changed):
    name = "good.usual.conf" if changed == "good.usual.conf" else "good.plone-section.conf"
    path = fixture(name)
    text = path.read_text()

    def problem(file_group, file_mode, settings):
        path.write_text(text.replace("[server]\n", "[server]\n" + settings))
        os.chown(path.parent / changed, 0, file_group)
        (path.parent / changed).chmod(file_mode)
        result = check(path)
        assert (result.returncode == 0) == (result.stderr == b"")
        return result.stderr.decode()

    assert "can be read by the group that may open" in problem(65534, 0o640, "group = nogroup\n")
    assert "mint tokens for anybody" in problem(65534, 0o640, "group = 65534\n")
    assert problem(65534, 0o600, "group = nogroup\n") == ""
    assert problem(65534, 0o640, "group = nogroup\nmode = 0600\n") == ""
    assert problem(65534, 0o640, "group = 4001\n") == ""
    other = f"group = 4001\n[listen x]\npath = {path.parent}/x.sock\ngroup = nogroup\n[log]\n"
    path.write_text(text := text.replace(f"listen = {path.parent}/a.sock\n", ""))
    assert "that may open " + str(path.parent / "x.sock") in problem(65534, 0o640, f"listen = {path.parent}/a.sock\n{other}")


@pytest.mark.parametrize("kind, problem", [
    ("missing", "No such file or directory"),
    ("directory", "it is not a regular file"),
    ("fifo", "it is not a regular file"),
    ("device", "it is not a regular file"),
    ("socket in the way", "Not a directory"),
])
@pytest.mark.parametrize("which", ["configuration", "secrets file", "users file"])
def test_what_is_no_file_is_refused_and_never_waited_for(fixture, directory, kind, problem, which):
    target = directory / "target"
    if kind == "directory":
        target.mkdir()
    elif kind == "fifo":
        os.mkfifo(target, 0o600)
    elif kind == "device":
        target = pathlib.Path("/dev/zero")
    elif kind == "socket in the way":
        target.touch()
        target = target / "below"
    if which == "configuration":
        result, where = run("-c", target, "--check-config"), f"{target}: "
    else:
        path = fixture("good.plone-section.conf" if which == "secrets file" else "good.usual.conf")
        text = path.read_text()
        path.write_text(re.sub("secrets_file = .*", f"secrets_file = {target}", text) if which == "secrets file" else text + f"isuser = file:{target}\n")
        result, where = check(path), f"{path.name}:{4 if which == 'secrets file' else 6}: {target}: "
    assert (result.returncode, result.stderr.decode()) == (1, f"{where}{problem}\n")


def test_a_link_to_a_file_is_that_file(fixture, directory):
    path = fixture("good.usual.conf")
    link = directory / "link.conf"
    link.symlink_to(path)
    assert check(link).returncode == 0
    path.chmod(0o644)
    assert check(link).returncode == 1


def test_the_default_path_is_used_where_none_is_given():
    result = run("--check-config")
    assert result.returncode == 0 or result.stderr.startswith(b"/etc/xmpp-authd/xmpp-authd.conf")


# --- Plone's files


@pytest.mark.parametrize("name", ["plone-section.cfg", "plone-buildout.cfg"])
def test_plones_own_secrets_file_works_unmodified(configuration, start, name):
    path = shutil.copy(FIXTURES / name, configuration.directory)
    os.chmod(path, 0o600)
    content = pathlib.Path(path).read_text()
    key = Key(*(re.search(rf"(?m)^(?:prosody_)?{name} = (\S+)$", content)[1] for name in ("otp_seed", "token_secret")))
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    daemon = start()
    token = key.mint("alice@example.org")
    assert daemon.ask(auth("alice@example.org", token), auth("alice@example.org", token)) == [YES, NO]


PLONE = {
    "in a section": "[secrets]\notp_seed = {seed}\ntoken_secret = {secret}\n",
    "in no section": "otp_seed = {seed}\ntoken_secret = {secret}\n",
    "prosody's names in no section": "prosody_otp_seed = {seed}\nprosody_token_secret = {secret}\n",
    "one name of each kind": "[a]\nprosody_otp_seed = {seed}\n[b]\ntoken_secret = {secret}\n",
    "the same value twice": "[a]\notp_seed = {seed}\ntoken_secret = {secret}\n[b]\nprosody_otp_seed = {seed}\nprosody_token_secret = {secret}\n",
    "the value on the next line": "[a]\notp_seed =\n    {seed}\ntoken_secret =\n\t{secret}\n",
    "among values of many lines": "[a]\nparts =\n    one\n    two\notp_seed = {seed}\neggs +=\n    three\ntoken_secret = {secret}\nmore =\n  four\n",
    "among lines that look like settings": "[a]\nvars =\n    x = otp\n    y: none\notp_seed = {seed}\ntoken_secret = {secret}\n",
    "with long lines": "[a]\nlinks = " + "x" * 5000 + "\notp_seed = {seed}\n; " + "y" * 5000 + "\ntoken_secret = {secret}\n",
    "with broken headers": "[a\n[b]]\notp_seed = {seed}\n[]\n[c\ntoken_secret = {secret}\n",
    "with nonsense": "otp_seed = {seed}\nnonsense\n= x\n]\n<<<<<<< HEAD\n=======\ntoken_secret = {secret}\n",
    "with comments": "# otp_seed = not-this\n;token_secret = not-this\notp_seed = {seed} ; until spring\ntoken_secret = {secret}\n",
    "with Windows' line ends": "[a]\r\notp_seed = {seed}\r\ntoken_secret = {secret}\r\n",
    "with a byte order mark": "\ufeff[a]\notp_seed = {seed}\ntoken_secret = {secret}\n",
    "with a byte order mark and no section": "\ufeffotp_seed = {seed}\ntoken_secret = {secret}\n",
    "with other scripts": "[größe]\nname = Jürgen\notp_seed = {seed}\ntoken_secret = {secret}\n",
    "without a final line end": "otp_seed = {seed}\ntoken_secret = {secret}",
    "with an empty value first": "[template]\notp_seed =\ntoken_secret =\n[real]\notp_seed = {seed}\ntoken_secret = {secret}\n",
    "with a colon": "otp_seed: {seed}\ntoken_secret: {secret}\n",
    "with section names beyond inih's": "[" + "n" * 100 + "]\notp_seed = {seed}\n[" + "n" * 100 + "x]\ntoken_secret = {secret}\n",
}


@pytest.mark.parametrize("name", PLONE)
def test_a_secrets_file(directory, configuration, start, name):
    key = configuration.key
    path = directory / "secrets.cfg"
    path.touch(0o600)
    path.write_bytes(PLONE[name].format(seed=key.seed, secret=key.secret).encode())
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    daemon = start()
    with LengthClient(daemon.socket) as client:
        assert client.ask(auth("alice@example.org", key.mint("alice@example.org")), isuser("a@else.where")) == [YES, NO]


@pytest.mark.parametrize("content, problem", [
    ("otp_seed = {other}\notp_seed = {seed}\ntoken_secret = {secret}\n", "secrets.cfg:2: otp_seed has another value here than in line 1: keep one of them"),
    ("[a]\ntoken_secret = {secret}\n[b]\nprosody_token_secret = {other}\nprosody_otp_seed = {seed}\n",
     "secrets.cfg:4: prosody_token_secret has another value here than in line 2: keep one of them"),
    ("otp_seed =\n  {seed}\n  {other}\ntoken_secret = {secret}\n", "secrets.cfg:3: otp_seed goes on over several lines"),
    ("otp_seed = {seed} {other}\ntoken_secret = {secret}\n", "secrets.cfg:1: otp_seed holds a blank or a control character"),
    ("otp_seed = {seed}\ntoken_secret = {secret}x1\ntoken_secret = {secret}x2\n", "secrets.cfg:3: token_secret has another value here than in line 2"),
    ("OTP_SEED = {seed}\nTOKEN_SECRET = {secret}\n", "xmpp-authd.conf:12: @/secrets.cfg has neither otp_seed nor prosody_otp_seed"),
    ("", "xmpp-authd.conf:12: @/secrets.cfg has neither token_secret nor prosody_token_secret"),
])
def test_a_secrets_file_that_does_not_say_what_the_secrets_are(directory, configuration, content, problem):
    key, other = configuration.key, Key()
    path, own = directory / "secrets.cfg", directory / "xmpp-authd.conf"
    for file in (path, own):
        file.touch(0o600)
    path.write_text(content.format(seed=key.seed, secret=key.secret, other=other.seed))
    confidential.keep(key.secret + "x1", key.secret + "x2")
    configuration.host(otp_seed=None, token_secret=None, secrets_file=path)
    own.write_text(configuration.text().replace("[host", "\n\n\n[host"))
    result = check(own)
    assert result.returncode == 1
    assert problem.replace("@", str(directory)) in result.stderr.decode(), result.stderr.decode()

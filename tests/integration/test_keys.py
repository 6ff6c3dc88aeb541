"""Changing keys: `rotate` and what it does to the file, `keys` and what it says, and a whole rotation under load in which no
good token is denied."""

import datetime
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import needs_root
from harness import DEADLINE, confidential
from harness.clients import NO, YES, LengthClient, auth
from harness.configuration import HOST
from harness.daemon import BUILD, environment
from harness.minter import Key

ALICE = f"alice@{HOST}"
FINGERPRINT = re.compile(r"\b[0-9a-f]{16}\b")


def authctl(*words, status=0, **options):
    """Runs xmpp-authctl to its end; (standard output, standard error)."""
    result = subprocess.run([BUILD / "xmpp-authctl", *map(str, words)], capture_output=True, timeout=DEADLINE, text=True,
                            env=environment(), check=False, **options)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout, result.stderr


def key_in(text):
    """The key of the last section of a text."""
    return Key(*(re.findall(rf"^{name} = (\S+)$", text, re.M)[-1] for name in ("otp_seed", "token_secret")))


def seconds(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


@pytest.fixture
def path(directory, configuration):
    """A configuration that nobody runs with yet."""
    path = directory / "xmpp-authd.conf"
    path.touch(0o600)
    path.write_text(configuration.text())
    return path


# --- the plan


def test_rotate_prints_a_section_that_loads_and_steps_with_their_times(path):
    before = int(time.time())
    plan, errors = authctl("-c", path, "rotate", HOST)
    assert errors == "" and "otp_seed" not in path.read_text().partition(f"[key {HOST}")[2]
    year = datetime.datetime.now(datetime.timezone.utc).year
    assert f"\n[key {HOST} {year}a]\n" in plan
    # All that is not the section is a comment: the whole can be pasted.
    path.write_text(path.read_text() + plan)
    shown, _ = authctl("-c", path, "keys", "--control", path.parent / "nobody.sock")
    assert f"{year}a" in shown
    switch, delete = (seconds(re.search(rf"{word} (\S+Z)", plan)[1]) for word in ("At", "Not before"))
    assert 600 <= switch - before <= 600 + DEADLINE
    assert delete - switch == 90 and "90 s" in plan
    # The old key, to be known again, and the new one, for the web side.
    fingerprints = FINGERPRINT.findall(shown)
    assert len(fingerprints) == 2 and set(FINGERPRINT.findall(plan)) == set(fingerprints)


def test_the_time_and_the_name_can_be_given(path):
    plan, _ = authctl("-c", path, "rotate", HOST, "--time", "2030-01-01T00:00:00Z", "--name", "spring.2030")
    assert f"[key {HOST} spring.2030]" in plan
    assert "At 2030-01-01T00:00:00Z" in plan and "Not before 2030-01-01T00:01:30Z" in plan


def test_the_names_are_counted_on(path):
    year = datetime.datetime.now(datetime.timezone.utc).year
    for name in (f"{year}a", f"{year}b", f"{year}c"):
        authctl("-c", path, "rotate", HOST, "--write")
        assert path.read_text().count(f"[key {HOST} {name}]\n") == 1
    path.write_text(path.read_text() + "".join(
        f"[key {HOST} {year}{letter}]\notp_seed = {key.seed}\ntoken_secret = {key.secret}\n"
        for letter, key in ((letter, Key()) for letter in "defghijklmnopqrstuvwxyz")))
    assert f"[key {HOST} {year}a2]" in authctl("-c", path, "rotate", HOST)[0]


def test_a_longer_window_makes_the_plan_longer(configuration, path):
    configuration.host(otp_interval=60, otp_window=5)
    path.write_text(configuration.text())
    plan, _ = authctl("-c", path, "rotate", HOST, "--time", "2030-01-01T00:00:00Z")
    assert "Not before 2030-01-01T00:11:00Z" in plan


def test_long_lived_tokens_make_the_plan_longer(configuration, path):
    configuration.host(accept="v1, v2", max_lifetime="10m")
    path.write_text(configuration.text())
    plan, _ = authctl("-c", path, "rotate", HOST, "--time", "2030-01-01T00:00:00Z")
    assert "Not before 2030-01-01T00:10:30Z" in plan


@pytest.mark.parametrize("words, said", [
    pytest.param(["example.net"], r"has no \[host example.net\]: xmpp-authctl keygen example.net makes its first key", id="no such host"),
    pytest.param([HOST, "--name", "two words"], "--name takes letters, digits, dots, dashes and underscores", id="a blank in the name"),
    pytest.param([HOST, "--name", "x]\n[host *"], "--name takes letters", id="a section in the name"),
    pytest.param([HOST, "--name", ""], "--name takes letters", id="an empty name"),
    pytest.param([HOST, "--name", "x" * 200], "--name takes letters", id="a long name"),
    pytest.param([HOST, "--name", "old"], rf"\[key {HOST} old\] is there already", id="a name that is there"),
    pytest.param([HOST, "--time", "soon"], "--time takes unix seconds", id="no time"),
])
@pytest.mark.parametrize("write", [[], ["--write"]], ids=["print", "write"])
def test_what_can_not_be_rotated_changes_nothing(configuration, path, words, said, write):
    configuration.set(f"key {HOST} old", **Key().settings())
    path.write_text(configuration.text())
    before = path.read_bytes()
    printed, errors = authctl("-c", path, "rotate", *words, *write, status=2)
    assert printed == "" and re.search(said, errors)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_the_key_of_all_other_hosts_is_rotated_by_its_own_name(configuration, path):
    configuration.host("*", Key())
    path.write_text(configuration.text())
    assert "rotate '*'" not in authctl("-c", path, "rotate", HOST)[0]
    assert r"whose keys are those of '*'" in authctl("-c", path, "rotate", "example.net", status=2)[1]
    authctl("-c", path, "rotate", "*", "--write", "--name", "next")
    assert "[key * next]\n" in path.read_text()


# --- what --write does to the file


def test_a_written_key_is_not_printed(path):
    printed, errors = authctl("-c", path, "rotate", HOST, "--write")
    key = key_in(path.read_text())
    assert key.seed not in printed + errors and key.secret not in printed + errors
    assert not confidential.traces((printed + errors).encode())


def test_a_file_without_an_end_of_line_gets_one(path):
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    before = path.read_bytes()
    authctl("-c", path, "rotate", HOST, "--write")
    assert path.read_bytes().startswith(before + b"\n\n[key ")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o1600])
def test_the_mode_stays(path, mode):
    path.chmod(mode)
    if mode == 0o640:
        os.chown(path, -1, 12345) if os.geteuid() == 0 else path.chmod(0o600)
    before = path.stat()
    authctl("-c", path, "rotate", HOST, "--write")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


@needs_root
def test_owner_and_group_stay(path):
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    authctl("-c", path, "rotate", HOST, "--write")
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o7777) == (12345, 23456, 0o640)


@needs_root
def test_who_can_not_keep_the_owner_changes_nothing(configuration, path):
    path.write_text(configuration.server(group="nogroup").text())
    path.parent.chmod(0o777)
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    before = path.read_bytes()
    shutil.copytree(BUILD, path.parent / "build", ignore=lambda _, names: [name for name in names if name != "xmpp-authctl"])
    result = subprocess.run([path.parent / "build/xmpp-authctl", "-c", path, "rotate", HOST, "--write"], capture_output=True,
                            text=True, user=34567, group=23456, extra_groups=[], timeout=DEADLINE, env=environment(), check=False)
    assert result.returncode == 2 and "run this as root, or as the file's owner" in result.stderr
    assert path.read_bytes() == before and not list(path.parent.glob(".xmpp*"))


def access_list(*entries):
    """An access list as the system keeps it: version 2, then tag, permissions and id of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
LIST = access_list((1, 6, NOBODY), (2, 4, 34567), (4, 4, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))


def set_attribute(path, name, value):
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"this file system keeps no {name}: {error}")


def test_access_list_and_attributes_stay(configuration, path):
    path.write_text(configuration.server(group="nogroup").text())
    set_attribute(path, "system.posix_acl_access", LIST)
    set_attribute(path, "user.note", b"kept by the operator")
    before = path.stat().st_mode
    authctl("-c", path, "rotate", HOST, "--write")
    assert os.getxattr(path, "system.posix_acl_access") == LIST
    assert os.getxattr(path, "user.note") == b"kept by the operator"
    assert path.stat().st_mode == before


def test_a_directorys_default_access_list_gives_nobody_the_new_file(path):
    set_attribute(path.parent, "system.posix_acl_default", LIST)
    authctl("-c", path, "rotate", HOST, "--write")
    assert "system.posix_acl_access" not in os.listxattr(path)
    assert path.stat().st_mode & 0o7777 == 0o600


def test_a_symbolic_link_is_not_followed(path, directory):
    link = directory / "link.conf"
    link.symlink_to(path)
    before = path.read_bytes()
    assert "this is a symbolic link: name the file itself with -c" in authctl("-c", link, "rotate", HOST, "--write", status=2)[1]
    assert path.read_bytes() == before and link.is_symlink()


def test_a_second_name_is_not_left_behind_with_the_old_text(path, directory):
    os.link(path, directory / "other.conf")
    assert "another name (a hard link)" in authctl("-c", path, "rotate", HOST, "--write", status=2)[1]
    assert path.samefile(directory / "other.conf")


def test_a_broken_configuration_is_not_added_to(path):
    path.write_text(path.read_text() + "[no such section]\n")
    before = path.read_bytes()
    assert "can't be used" in authctl("-c", path, "rotate", HOST, "--write", status=2)[1]
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_full_disk_changes_nothing(path):
    path.write_text(path.read_text() + "# padding\n" * 1000)
    before = path.read_bytes()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, len(before) + 20))

    _, errors = authctl("-c", path, "rotate", HOST, "--write", status=2, preexec_fn=limit, restore_signals=False)
    assert "writing the new file failed" in errors and "nothing was changed" in errors
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_writers_at_a_time_each_add_their_own(path):
    count = 8
    writers = [subprocess.Popen([BUILD / "xmpp-authctl", "-c", path, "rotate", HOST, "--write", "--name", f"n{i}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()) for i in range(count)]
    results = [(writer.communicate(timeout=DEADLINE)[1], writer.returncode) for writer in writers]
    assert results == [(b"", 0)] * count
    assert sorted(re.findall(rf"^\[key {HOST} (\S+)\]$", path.read_text(), re.M)) == sorted(f"n{i}" for i in range(count))
    assert os.listdir(path.parent) == [path.name]


def test_writers_of_the_same_name_do_not_both_succeed(path):
    writers = [subprocess.Popen([BUILD / "xmpp-authctl", "-c", path, "rotate", HOST, "--write", "--name", "same"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) for _ in range(4)]
    assert sorted(writer.wait(DEADLINE) for writer in writers) == [0, 2, 2, 2]
    assert path.read_text().count(f"[key {HOST} same]") == 1


def test_a_file_that_somebody_keeps_locked_is_left_alone(path):
    import fcntl  # pylint: disable=import-outside-toplevel

    before = path.read_bytes()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "somebody else keeps the file locked" in authctl("-c", path, "rotate", HOST, "--write", status=2)[1]
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_writer_leaves_all_or_nothing(path, number):
    before = path.read_text()
    for delay in (0.0, 0.002, 0.004, 0.008, 0.016):
        writer = subprocess.Popen([BUILD / "xmpp-authctl", "-c", path, "rotate", HOST, "--write"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, env=environment())
        time.sleep(delay)  # anywhere in its work
        writer.send_signal(number)
        writer.wait(DEADLINE)
        assert os.listdir(path.parent) == [path.name]
        assert path.read_text().startswith(before) and path.read_text().count("token_secret") == path.read_text().count("otp_seed")
    authctl("-c", path, "keys", "--control", path.parent / "nobody.sock")


def test_a_secrets_file_gets_a_plan_of_its_own(configuration, path, directory):
    secrets = directory / "secrets.cfg"
    secrets.touch(0o600)
    secrets.write_text(f"[secrets]\nprosody_otp_seed = {configuration.key.seed}\nprosody_token_secret = {configuration.key.secret}\n")
    before = secrets.read_bytes()
    configuration.host(otp_seed=None, token_secret=None, secrets_file=secrets)
    path.write_text(configuration.text())
    plan, _ = authctl("-c", path, "rotate", HOST, "--write")
    assert f"Both belong into {secrets}" in plan and "don't reload the daemon between this step and the next" in plan
    assert "section [key" in plan and secrets.read_bytes() == before


# --- what `keys` says


def table(text):
    """{fingerprint: the row's cells}"""
    rows = [re.split(r" {2,}", line.rstrip()) for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if FINGERPRINT.fullmatch(row[0])}


def test_keys_says_who_is_used(configuration, start, path):
    new = Key()
    configuration.set(f"key {HOST} next", **new.settings())
    configuration.set(f"key {HOST} over", **Key().settings(), accept_until="2020-01-01T00:00:00Z")
    configuration.set(f"key {HOST} early", **Key().settings(), accept_from="2099-01-01T00:00:00Z")
    daemon = start()
    began = int(time.time())
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE)), auth(ALICE, configuration.key.mint(ALICE))) == [YES, YES]
    said, errors = authctl("-c", path, "keys", HOST)
    assert errors == "" and not confidential.traces(said.encode())
    (own, following, over, early) = table(said).values()
    assert own[:3] == ["-", "always", "2"] and began - 1 <= seconds(own[3]) <= time.time()
    assert re.fullmatch(r"no: in use; unused it can go at \S+Z", own[4])
    assert following[:4] == ["next", "always", "0", "-"] and following[4].startswith("no: unused, but counted only since ")
    assert over == ["over", "until 2020-01-01T00:00:00Z", "0", "-", "yes: its dates are over"]
    assert early == ["early", "from 2099-01-01T00:00:00Z", "0", "-", "no: it does not count yet"]
    # The counts go on over a reload, also of a key that moves into the host's own section.
    del configuration.sections[f"key {HOST} next"]
    configuration.set(f"key {HOST} renamed", **new.settings())
    assert daemon.ask(auth(ALICE, new.mint(ALICE))) == YES
    assert daemon.reload() == "reloaded"
    assert [row[2] for row in table(authctl("-c", path, "keys", HOST)[0]).values()] == ["2", "0", "0", "1"]


def test_keys_tells_file_and_daemon_apart(configuration, start, path):
    configuration.set(f"key {HOST} gone", **Key().settings())
    daemon = start()
    del configuration.sections[f"key {HOST} gone"]
    configuration.set(f"key {HOST} added", **Key().settings())
    daemon.write_configuration()
    (own, added, gone) = table(authctl("-c", path, "keys")[0]).values()
    assert own[0] == "-"
    assert added == ["added", "always", "-", "-", "no: the daemon does not have it yet: reload"]
    assert gone[0] == "gone" and gone[4] == "deleted already: reload"
    assert daemon.reload() == "reloaded"
    assert [row[0] for row in table(authctl("-c", path, "keys")[0]).values()] == ["-", "added"]


def test_keys_finds_a_domain_that_is_not_ascii(configuration, start, path):
    domain = "m\u00fcnchen.example.org"
    key = Key()
    configuration.host(domain, key)
    configuration.set(f"key {domain} next", **Key().settings())
    daemon = start()
    assert daemon.ask(auth(f"alice@{domain}", key.mint(f"alice@{domain}"))) == YES
    (own, following) = table(authctl("-c", path, "keys", domain)[0]).values()
    assert own[2] == "1" and own[4].startswith("no: in use") and following[4].startswith("no: unused, but counted")


def test_keys_works_without_a_daemon(configuration, path):
    configuration.set(f"key {HOST} next", **Key().settings())
    configuration.set(f"key {HOST} over", **Key().settings(), accept_until="2020-01-01T00:00:00Z")
    configuration.host("example.net", Key())
    path.write_text(configuration.text())
    said, errors = authctl("-c", path, "keys")
    assert "how often the keys are used is unknown" in errors
    (own, following, over, lonely) = table(said).values()
    assert own[2:] == following[2:] == ["unknown", "unknown", "unknown: no daemon answered"]
    assert over[4] == "yes: its dates are over"
    assert lonely[4] == "no: no other key counts now"
    assert re.findall(r"^\[host (\S+)\]$", said, re.M) == [HOST, "example.net"]


def test_keys_of_a_refused_token_say_so(configuration, start, path):
    configuration.set(f"key {HOST} next", **Key().settings())
    daemon = start()
    assert daemon.ask(auth(ALICE, configuration.key.mint(ALICE, time=time.time() - 600))) == NO
    (own, _) = table(authctl("-c", path, "keys", HOST)[0]).values()
    assert own[2:4] == ["0", "-"] and "; a token of it was refused at " in own[4]


def answering(directory, answer):
    """A control socket that gives one answer, whatever it is asked."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(directory / "fake.sock"))
    listener.listen()

    def serve():
        with listener, listener.accept()[0] as client:
            client.recv(4096)
            client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def line(fingerprint, uses, since, last=None):
    times = {"since": since, **({"last_use": last, "last_genuine": last} if last else {})}
    return f"what=key fingerprint={fingerprint} host={HOST} key=x uses={uses} " + " ".join(
        f"{name}={datetime.datetime.fromtimestamp(at, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}" for name, at in times.items()) + "\n"


def test_a_key_that_nobody_used_for_an_hour_while_another_was_used_can_go(configuration, path, directory):
    configuration.set(f"key {HOST} next", **Key().settings())
    path.write_text(configuration.text())
    old, new = table(authctl("-c", path, "keys", "--control", directory / "nobody.sock")[0])
    now = int(time.time())
    server = answering(directory, (line(old, 70, now - 90000, now - 7200) + line(new, 3, now - 90000, now - 5)).encode())
    said = table(authctl("-c", path, "keys", "--control", directory / "fake.sock")[0])
    server.join(DEADLINE)
    assert said[old][4].startswith("yes: others were used, it was not, since ") and said[old][2] == "70"
    assert said[new][4].startswith("no: in use")


@pytest.mark.parametrize("answer", [b"", b"error=\"unknown command\"\n", b"what=key fingerprint=", b"\n", b"what=key\n" * 3,
                                    b"what=key host=example.org fingerprint=zz uses=1\n", b"\xff\x00\x1b[2J\n"])
def test_a_strange_answer_makes_nothing_safe(configuration, path, directory, answer):
    configuration.set(f"key {HOST} next", **Key().settings())
    path.write_text(configuration.text())
    server = answering(directory, answer)
    said, _ = authctl("-c", path, "keys", "--control", directory / "fake.sock")
    server.join(DEADLINE)
    assert all(not row[4].startswith("yes") for row in table(said).values()) and "\x1b" not in said


# --- a whole rotation


class WebApplication:
    """Mints with the key that it has and logs in with what it minted, again and again, on a connection of its own."""

    HOLD = (0.0, 0.1, 0.4)  # how long a client keeps a token before it uses it

    def __init__(self, daemon, jid, key, good_for):
        self.key, self.jid, self.good_for = key, jid, good_for
        self.logins, self.denied = 0, []
        self.stopping = threading.Event()
        self.socket = daemon.socket
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with LengthClient(self.socket) as client:
            while not self.stopping.is_set():
                key, minted = self.key, time.time()
                token = key.mint(self.jid)
                self.stopping.wait(self.HOLD[self.logins % len(self.HOLD)])
                answer = client.ask(auth(self.jid, token))
                # One that this test was too slow to present in time proves nothing.
                if time.time() - minted < self.good_for:
                    self.logins += 1
                    if answer != YES:
                        self.denied.append((minted, answer))

    def stop(self):
        self.stopping.set()
        self.thread.join(DEADLINE)


def reload(daemon):
    """As the plan says it: the file is what it is."""
    done = len(daemon.events("reloaded"))
    daemon.signal(signal.SIGHUP)
    daemon.await_event("reloaded", done + 1)


def await_time(at):
    while time.time() < at:
        time.sleep(min(0.1, max(0.0, at - time.time())))


def test_following_the_plan_denies_nobody(configuration, start, directory):
    """Three sites at a time: keys in [host], keys in [key], keys in the web application's file. Steps of a second, three either
    side: a token is good for three seconds at the least, and its life is seven."""
    fast = {"otp_interval": 1, "otp_window": 3}
    own, named, filed = (Key(interval=1) for _ in range(3))
    secrets = directory / "secrets.cfg"
    secrets.touch(0o600)
    secrets.write_text(f"otp_seed = {filed.seed}\ntoken_secret = {filed.secret}\n")
    configuration.sections.clear()
    configuration.server(listen=directory / "a.sock").set("replay", store="memory", after_restart="accept")
    configuration.host("own.example", **{**own.settings(), **fast})
    configuration.host("named.example", **fast)
    configuration.set("key named.example old", otp_seed=named.seed, token_secret=named.secret)
    configuration.host("filed.example", secrets_file=secrets, **fast)
    daemon = start().expect("holds this key too")
    conf = daemon.path
    machines = {host: [WebApplication(daemon, f"{user}@{host}", key, 3) for user in ("alice", "bob")]
                for host, key in (("own.example", own), ("named.example", named), ("filed.example", filed))}
    try:
        # 1. The new keys, and a reload.
        plans = {host: authctl("-c", conf, "rotate", host, "--write", "--name", "new", "--time", int(time.time()) + 1)[0]
                 for host in machines}
        reload(daemon)
        new = {host: key_in(conf.read_text().partition(f"[key {host} new]\n")[2].partition("\n[")[0]) for host in machines}
        for key in new.values():
            key.interval = 1
        shown = authctl("-c", conf, "keys")[0]
        assert all(FINGERPRINT.search(plans[host])[0] in shown for host in machines)
        # 2. The web applications, one machine after the other.
        await_time(max(seconds(re.search(r"At (\S+Z)", plan)[1]) for plan in plans.values()))
        secrets.write_text(f"otp_seed = {new['filed.example'].seed}\ntoken_secret = {new['filed.example'].secret}\n")
        for machine in (0, 1):
            for host, both in machines.items():
                both[machine].key = new[host]
            before = {host: both[machine].logins for host, both in machines.items()}
            while any(both[machine].logins < before[host] + 3 for host, both in machines.items()):
                time.sleep(0.05)
        changed = time.time()
        # 3. The old keys, a token's life later.
        waits = {int(re.search(r"which is (\d+) s after", plan)[1]) for plan in plans.values()}
        assert waits == {7}
        await_time(changed + 7)
        text = conf.read_text()
        text = text.replace(f"otp_seed = {own.seed}\ntoken_secret = {own.secret}\n", "")
        text = text.replace(f"[key named.example old]\notp_seed = {named.seed}\ntoken_secret = {named.secret}\n", "")
        conf.write_text(text)
        reload(daemon)
        conf.write_text(re.sub(r"\[key filed.example new\]\n.*\n.*\n", "", text))
        reload(daemon)
        before = {host: both[0].logins for host, both in machines.items()}
        while any(both[0].logins < before[host] + 5 for host, both in machines.items()):
            time.sleep(0.05)
    finally:
        for both in machines.values():
            for machine in both:
                machine.stop()
    for host, both in machines.items():
        assert [machine.denied for machine in both] == [[], []], host
        assert all(machine.logins > 10 for machine in both)
    # The old keys are good for nothing any more.
    for host, key in (("own.example", own), ("named.example", named), ("filed.example", filed)):
        assert daemon.ask(auth(f"alice@{host}", key.mint(f"alice@{host}"))) == NO
        assert daemon.verdict(f"alice@{host}")["reason"] in ("forged", "allowed")


def test_each_of_a_thousand_hosts_has_its_own_keys_and_uses(configuration, start):
    """Told apart though one's name is the beginning of another's, and though the file has them in another order by now."""
    keys = {f"h{number}.example": [Key(), Key()] for number in range(1000)}
    for host, (first, second) in keys.items():
        configuration.host(host, first)
        configuration.set(f"key {host} next", **second.settings())
    daemon = start()
    uses = {"h1.example": 1, "h10.example": 2, "h999.example": 3}
    with LengthClient(daemon.socket) as client:
        asked = [auth(f"a@{host}", keys[host][1].mint(f"a@{host}")) for host, count in uses.items() for _ in range(count)]
        assert client.ask(*asked) == [YES] * len(asked)
    head, *sections = daemon.path.read_text().split("\n[host ")
    daemon.path.write_text("\n[host ".join([head, *reversed(sections)]) + "\n")
    listed, errors = authctl("-c", daemon.path, "keys")
    assert errors == ""
    for block in listed.strip().split("\n\n"):
        host, _, *rows = block.splitlines()
        host = host.removeprefix("[host ").removesuffix("]")
        if host in keys:
            assert [row.split()[1] for row in rows] == ["-", "next"], block
            assert [int(row.split()[3]) for row in rows] == [0, uses.get(host, 0)], block
            del keys[host]
    assert not keys

"""Where the daemon's memory holds secrets, searched byte by byte: in locked memory that no core dump has, and nowhere once they
are not in use."""

import base64
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import needs_root
from harness import DEADLINE
from harness.clients import NO, YES, auth
from harness.configuration import HOST
from harness.daemon import BINARY, SANITIZED, Daemon
from harness.hash_states import sha1_state, sha256_state, states_of_key
from harness.kinds import mint_jsxc, mint_v2, new_jsxc_secret
from harness.minter import Key
from harness.web import free_port

ALICE = f"alice@{HOST}"
# The secrets as the configuration has them, and what every HMAC goes on from.
IN_USE = {"seed as written", "secret", "seed's inner state", "seed's outer state", "secret's inner state", "secret's outer state"}

pytestmark = [needs_root, pytest.mark.skipif(SANITIZED, reason="the sanitizer's own memory is endless")]


def forms(key):
    """The forms in which a key's secrets can stand in memory, by name: as they are written, decoded, as HMAC mixes them into its
    first block (RFC 2104), and as the hashes' states after that block."""
    seed = base64.b32decode(key.seed)
    found = {"seed as written": key.seed.encode(), "seed": seed, "secret": key.secret.encode()}
    for name, value in (("seed", seed), ("secret", key.secret.encode())):
        for pad in (0x36, 0x5C):
            found[f"{name} mixed with {pad:#x}"] = bytes(byte ^ pad for byte in value)
    for name, state, value in (("seed", sha1_state, seed), ("secret", sha256_state, key.secret.encode())):
        found |= {f"{name}'s {which} state": bytes_ for which, bytes_ in zip(("inner", "outer"), states_of_key(state, value))}
    return found


def mappings(pid):
    """(start, end, name, flags) of each readable mapping."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    pattern = r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)\n(?:\w+:.*\n)*?VmFlags: (.*)$"
    for start, end, permissions, name, flags in re.findall(pattern, text, flags=re.MULTILINE):
        if permissions.startswith("r") and name not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
            yield int(start, 16), int(end, 16), name, flags.split()


def search(pid, needles):
    """(needle's name, flags of the mapping) of each place where a needle stands."""
    found = []
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for start, end, mapping, flags in mappings(pid):
            memory.seek(start)
            content = memory.read(end - start)
            assert len(content) == end - start, mapping
            for name, needle in needles.items():
                found += [(name, flags)] * content.count(needle)
    return found


def is_protected(flags):
    """Locked, left out of core dumps, and not for a child process that would write it."""
    return "lo" in flags and "dd" in flags


def use(daemon, key, jid=ALICE):
    """Every verdict that touches a key."""
    now = int(time.time())
    questions = [auth(jid, token := key.mint(jid)), auth(jid, token), auth(jid, key.mint(jid, time=now - 3600)),
                 auth(jid, key.mint(jid, otp="00000000")), auth(jid, Key().mint(jid))]
    assert daemon.ask(*questions) == [YES, NO, NO, NO, NO]


@pytest.fixture(name="keys")
def three_keys(configuration):
    """A host's own key, a further one, and that of a host with a secrets file, as the configuration has them."""
    return put_keys(configuration)


def put_keys(configuration):
    own, further, filed = Key(), Key(), Key()
    configuration.host(key=own)
    configuration.set(f"key {HOST} next", **further.settings())
    secrets_file = configuration.directory / "secrets.cfg"
    secrets_file.touch(0o600)
    secrets_file.write_text(f"[secrets]\nprosody_otp_seed = {filed.seed}\nprosody_token_secret =\n    {filed.secret}\n")
    configuration.set("host filed.example", secrets_file=secrets_file)
    return own, further, filed


def use_all(daemon, keys):
    for key, jid in zip(keys, (ALICE, ALICE, "bob@filed.example")):
        use(daemon, key, jid)


def check_in_use(daemon, keys):
    for key in keys:
        found = search(daemon.process.pid, forms(key))
        assert {name for name, _ in found} == IN_USE
        assert [name for name, flags in found if not is_protected(flags)] == []


def check_gone(daemon, keys):
    for key in keys:
        assert search(daemon.process.pid, forms(key)) == []


def test_secrets_in_use_are_in_locked_memory_that_no_core_dump_has(keys, start):
    daemon = start()
    check_in_use(daemon, keys)
    use_all(daemon, keys)
    check_in_use(daemon, keys)


def test_a_reload_leaves_nothing_of_the_secrets_before_it(configuration, keys, start):
    daemon = start()
    for _ in range(3):
        use_all(daemon, keys)
        before, keys = keys, put_keys(configuration)
        assert daemon.reload() == "reloaded"
        use_all(daemon, keys)
        check_gone(daemon, before)
        check_in_use(daemon, keys)


def test_a_reload_that_fails_leaves_nothing_of_the_secrets_that_it_read(configuration, keys, start):
    daemon = start().expect("configuration", "reload-failed")
    refused = put_keys(configuration)
    configuration.server(max_connections=0)
    assert daemon.reload() == "reload-failed"
    check_gone(daemon, refused)
    for key, jid in zip(keys, (ALICE, ALICE, "bob@filed.example")):
        use(daemon, key, jid)
    check_in_use(daemon, keys)


def test_the_secret_of_another_kind_of_token_and_a_password_are_kept_and_wiped_alike(configuration, start):
    secrets = [new_jsxc_secret(), new_jsxc_secret()]
    passwords = [Key().secret, Key().secret]
    daemon, port = None, free_port()
    for secret, password in zip(secrets, passwords):
        configuration.host(accept="v1 v2 jsxc", jsxc_secret=secret)
        configuration.set("listen web", address=f"127.0.0.1:{port}", protocol="http", http_user="chat", http_password=password)
        if daemon is None:
            daemon = start()
        else:
            assert daemon.reload() == "reloaded"
        assert daemon.ask(auth(ALICE, mint_jsxc(secret, ALICE, time.time() + 600)), auth(ALICE, mint_v2(configuration.key, ALICE))) == [YES, YES]
        found = search(daemon.process.pid, {"secret": secret.encode(), "password": password.encode()})
        assert {name for name, _ in found} == {"secret", "password"} and all(is_protected(flags) for _, flags in found)
    assert search(daemon.process.pid, {"secret": secrets[0].encode(), "password": passwords[0].encode()}) == []


# Stops the process when all that it has to do at its end is done.
AT_THE_END = """
#include <signal.h>
__attribute__((destructor(101))) static void stop(void) { raise(SIGSTOP); }
"""


@pytest.fixture(name="stopping_at_its_end")
def preload(directory):
    source = directory / "at_the_end.c"
    source.write_text(AT_THE_END)
    library = directory / "at_the_end.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


def await_stopped(pid):
    deadline = time.monotonic() + DEADLINE
    while pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
        assert time.monotonic() < deadline, "it does not come to its end"
        time.sleep(0.01)


def test_a_daemon_that_ends_leaves_nothing_of_its_secrets(keys, start, stopping_at_its_end):
    daemon = start(more=stopping_at_its_end)
    use_all(daemon, keys)
    daemon.signal(signal.SIGTERM)
    await_stopped(daemon.process.pid)
    check_gone(daemon, keys)
    daemon.signal(signal.SIGCONT)
    assert daemon.await_end() == 0


def test_a_start_that_fails_leaves_nothing_of_its_secrets(configuration, keys, stopping_at_its_end):
    (configuration.directory / "a.sock").touch()
    daemon = Daemon(configuration).expect("listen-failed")
    daemon.start(ready=False, more=stopping_at_its_end)
    await_stopped(daemon.process.pid)
    check_gone(daemon, keys)
    daemon.signal(signal.SIGCONT)
    assert daemon.await_end() == 1


# --- how much memory


def locked_bytes(pid):
    return sum(end - start for start, end, _, flags in mappings(pid) if "lo" in flags)


def test_ten_thousand_hosts_have_room_also_in_a_reload(configuration, start):
    def settings():
        for number in range(10_000):
            configuration.sections[f"host h{number}.example"] = Key().settings()

    settings()
    daemon = start()
    first = configuration.sections["host h9999.example"]
    assert locked_bytes(daemon.process.pid) <= 8 << 20  # what systemd lets a service lock by default
    settings()
    for _ in range(2):
        assert daemon.reload() == "reloaded"
    key = Key(*(configuration.sections["host h9999.example"][name] for name in ("otp_seed", "token_secret")))
    assert daemon.ask(auth("alice@h9999.example", key.mint("alice@h9999.example"))) == YES
    assert search(daemon.process.pid, forms(Key(first["otp_seed"], first["token_secret"]))) == []


def test_a_reload_that_needs_more_than_was_set_aside_is_refused_and_says_what_to_do(configuration, start):
    daemon = start().expect("reload-failed", "its secrets need more memory than was set aside at the start: restart")
    for number in range(1000):
        configuration.sections[f"host h{number}.example"] = Key().settings()
    assert daemon.reload() == "reload-failed"
    use(daemon, configuration.key)
    for number in range(960):
        del configuration.sections[f"host h{number}.example"]
    assert daemon.reload() == "reloaded"


@pytest.mark.parametrize("limit", [0, 4096])
def test_where_memory_can_not_be_locked_the_daemon_says_so_and_works(configuration, start, limit):
    nobody = 65534
    directory = configuration.directory
    program = directory / "xmpp-authd"
    program.write_bytes(BINARY.read_bytes())
    program.chmod(0o755)
    command = ["/usr/bin/prlimit", f"--memlock={limit}:{limit}", str(program)]
    daemon = start(program=command, owner=nobody).expect("secrets-not-locked")
    (record,) = daemon.events("secrets-not-locked")
    assert "LimitMEMLOCK" in record["advice"] and int(record["kilobytes"]) * 1024 > limit
    use(daemon, configuration.key)
    found = search(daemon.process.pid, forms(configuration.key))
    assert found and all("dd" in flags for _, flags in found)


def test_where_memory_can_be_locked_the_daemon_says_nothing(start):
    assert start().events("secrets-not-locked") == []

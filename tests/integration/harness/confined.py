"""confined.py UNIT DIRECTORY USER GROUP [--without CALL]... -- PROGRAM ARGUMENT...: runs a program in this process as systemd
would by a unit, as far as a machine without systemd lets it: its filter of system calls (resolved by systemd-analyze), no new
privileges, no capabilities, limits, a file system that can't be written but for run/ and state/ in the directory, private /dev,
/tmp, /home and network. Run as root. GROUP is a further group of the user's. What is in the unit is done, nothing else."""

import argparse
import ctypes
import errno
import functools
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys

import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x40000000
NAMESPACES = [CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, 0x80, 0x2000000, 0x10000000, 0x20000000]
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000


def must(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount(source, target, kind=None, flags=0, data=None):
    encoded = [None if text is None else str(text).encode() for text in (source, target, kind, data)]
    must(LIBC.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]))


# --- the unit


def read_unit(path):
    """{name: its values in their order} of the section [Service]; an empty value drops those before it."""
    unit = {}
    service = pathlib.Path(path).read_text(encoding="utf-8").partition("[Service]")[2].partition("\n[")[0]
    for name, value in re.findall(r"^(\w+)=(.*)$", service, flags=re.MULTILINE):
        unit.setdefault(name, []).append(value)
    return unit


def has(unit, name):
    return unit.get(name, ["no"])[-1] not in ("no", "")


@functools.lru_cache
def groups():
    """systemd's groups of system calls: what is in each, further groups too."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True).stdout
    # What it says of the running kernel's calls comes after the groups.
    pieces = re.split(r"^(@[\w-]+)\n", text.partition("\n# ")[0], flags=re.MULTILINE)[1:]
    return {
        name: {line.strip() for line in body.splitlines() if line.strip() and not line.strip().startswith("#")}
        for name, body in zip(pieces[::2], pieces[1::2])
    }


def calls_of(word):
    """The system calls of a group, with those of the groups in it; or the one of this name."""
    return set().union(*map(calls_of, groups()[word])) if word.startswith("@") else {word}


def allowed_calls(unit):
    """systemd.exec(5): a list of allowed calls begins with @default; each line adds to it or takes from it."""
    lines = unit["SystemCallFilter"]
    assert not lines[0].startswith("~"), "a list of what is allowed is expected"
    allowed = calls_of("@default")
    for line in lines:
        calls = set().union(*(calls_of(word) for word in line.lstrip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


# --- its filters


def is_known(call):
    return seccomp.resolve_syscall(seccomp.Arch(), call) >= 0


def call_filter(unit, without):
    number = getattr(errno, unit["SystemCallErrorNumber"][-1])
    rules = seccomp.SyscallFilter(defaction=seccomp.ERRNO(number))
    for call in sorted(allowed_calls(unit) - set(without)):
        if is_known(call):
            rules.add_rule(seccomp.ALLOW, call)
    return rules


def argument_filter(unit):
    """What the unit forbids by a call's arguments."""
    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)

    def deny(number, call, place, mask):
        rules.add_rule(seccomp.ERRNO(number), call, seccomp.Arg(place, seccomp.MASKED_EQ, mask, mask))

    if has(unit, "RestrictAddressFamilies"):
        families = {getattr(socket, word) for word in unit["RestrictAddressFamilies"][-1].split()}
        for family in set(range(64)) - families:
            rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    if has(unit, "MemoryDenyWriteExecute"):
        deny(errno.EPERM, "mmap", 2, PROT_WRITE | PROT_EXEC)
        deny(errno.EPERM, "mprotect", 2, PROT_EXEC)
        deny(errno.EPERM, "pkey_mprotect", 2, PROT_EXEC)
        deny(errno.EPERM, "shmat", 2, SHM_EXEC)
    if has(unit, "RestrictNamespaces"):
        for flag in NAMESPACES:
            deny(errno.EPERM, "clone", 0, flag)
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "unshare")
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "setns")
    if has(unit, "RestrictSUIDSGID"):
        for call, place in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2)):
            for bit in (0o4000, 0o2000):
                if is_known(call):
                    deny(errno.EPERM, call, place, bit)
    if has(unit, "LockPersonality"):
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "personality", seccomp.Arg(0, seccomp.NE, 0))
    return rules


# --- its view of the machine


def unshare(unit):
    flags = CLONE_NEWNS
    for name, flag in (("PrivateNetwork", CLONE_NEWNET), ("PrivateIPC", CLONE_NEWIPC), ("ProtectHostname", CLONE_NEWUTS)):
        flags |= flag if has(unit, name) else 0
    must(LIBC.unshare(flags))
    mount(None, "/", flags=MS_REC | MS_PRIVATE)


def hide(path):
    mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")


def private_devices():
    names = ("null", "zero", "full", "random", "urandom", "tty")
    nodes = [(name, os.open(f"/dev/{name}", os.O_PATH)) for name in names]
    mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755")
    for name, node in nodes:
        pathlib.Path("/dev", name).touch()
        mount(f"/proc/self/fd/{node}", f"/dev/{name}", flags=MS_BIND)


def mount_points():
    lines = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in lines]


def protect(writable):
    """Nothing can be written from here on but what is in these directories."""
    for point in mount_points():
        if point in writable or point.startswith("/dev") and point != "/dev":
            continue
        try:
            mount(None, point, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOENT, errno.EACCES):  # hidden beneath another
                raise


def change_view(unit, directory):
    unshare(unit)
    kept = os.open(directory, os.O_PATH)
    if has(unit, "PrivateDevices"):
        private_devices()
    for place in ("/home", "/root", "/run/user") if has(unit, "ProtectHome") else ():
        if os.path.isdir(place):
            hide(place)
    if has(unit, "PrivateTmp"):
        hide("/tmp")
        hide("/var/tmp")
        directory.mkdir(parents=True)
        mount(f"/proc/self/fd/{kept}", directory, flags=MS_BIND)
    if has(unit, "ProtectProc"):
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, f"hidepid={unit['ProtectProc'][-1]}")
    writable = [str(directory / name) for name in ("run", "state")]
    for path in writable:
        mount(path, path, flags=MS_BIND)
    if has(unit, "ProtectSystem"):
        assert unit["ProtectSystem"][-1] == "strict"
        protect(writable)
    os.close(kept)


# --- who it is


def set_limits(unit):
    for name, number in (("LimitCORE", resource.RLIMIT_CORE), ("LimitNOFILE", resource.RLIMIT_NOFILE),
                         ("LimitMEMLOCK", resource.RLIMIT_MEMLOCK)):
        if has(unit, name):
            text = unit[name][-1]
            limit = int(text.rstrip("M")) << (20 if text.endswith("M") else 0)
            hard = resource.getrlimit(number)[1]
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(number, (limit, limit))


def become(unit, user, group):
    assert unit["CapabilityBoundingSet"] == [""], "no capability is expected"
    last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="utf-8"))
    for capability in range(last + 1):
        must(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
    os.setgroups([group])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if has(unit, "NoNewPrivileges"):
        must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    os.umask(int(unit["UMask"][-1], 8))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("unit")
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("user", type=int)
    parser.add_argument("group", type=int)
    parser.add_argument("--without", action="append", default=[])
    own = sys.argv[1 : sys.argv.index("--")]
    program = sys.argv[sys.argv.index("--") + 1 :]
    options = parser.parse_args(own)
    unit = read_unit(options.unit)
    filters = [argument_filter(unit), call_filter(unit, options.without)]
    change_view(unit, options.directory)
    set_limits(unit)
    become(unit, options.user, options.group)
    for rules in filters:
        rules.load()
    os.execv(program[0], program)


if __name__ == "__main__":
    main()

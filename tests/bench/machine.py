"""The machine that is measured on: its cores, its versions, and the memory of its processes."""

import contextlib
import os
import platform
import re
import resource
import subprocess

LIBRARIES = {"libevent": "libevent", "openssl": "libcrypto", "hiredis": "hiredis", "sqlite": "sqlite3"}
OTHER_DESCRIPTORS = 256


def cores():
    """A core for the server and another for the load; None for both where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else (None, None)


def pin(core):
    """What a child process does before its program starts: it stays on a core, and goes before others where it may."""

    def prepare():
        if core is not None:
            os.sched_setaffinity(0, {core})
        # Only root may; for the others a busy machine is a noisy one.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    return prepare


def _first_match(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1) if found else None


def _output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _kernel():
    """The kernel's version: what a distributor appends to it may name a machine or its owner."""
    return re.match(r"[\d.]*", platform.release()).group().rstrip(".")


def describe():
    """What a figure means nothing without. No name of the machine."""
    virtual = _first_match("/proc/cpuinfo", r"^flags\s*:.*\b(hypervisor)\b") is not None
    return {
        "processor": _first_match("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
        "cores": f"{len(os.sched_getaffinity(0))}{' of a virtual machine' if virtual else ''}",
        "system": _first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]+)') or "unknown",
        "kernel": _kernel(),
        **{library: _output("pkg-config", "--modversion", package) for library, package in LIBRARIES.items()},
        "libc": " ".join(platform.libc_ver()),
        "compiler": f"gcc {_output('gcc', '-dumpfullversion')}",
    }


def raise_descriptor_limit(clients):
    """Lets what is started from here on have so many clients, and some files beside; whether it may."""
    wanted = clients + OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= wanted


def resident_bytes(pid):
    """A process's resident memory: by a walk of its page tables where that may be read, else by the kernel's count."""
    kilobytes = _first_match(f"/proc/{pid}/smaps_rollup", r"^Rss:\s+(\d+)") or _first_match(
        f"/proc/{pid}/status", r"^VmRSS:\s+(\d+)"
    )
    return int(kilobytes) * 1024

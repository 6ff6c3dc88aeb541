"""The machine that is measured on: its cores, its versions, and the memory of its processes."""

import contextlib
import os
import platform
import re
import subprocess


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


def describe():
    """What a figure means nothing without. No name of the machine."""
    return {
        "processor": _first_match("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": _first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]+)') or "unknown",
        "kernel": platform.release(),
        "libevent": _output("pkg-config", "--modversion", "libevent"),
        "openssl": _output("pkg-config", "--modversion", "libcrypto"),
        "libc": " ".join(platform.libc_ver()),
    }


def resident_bytes(pid):
    """A process's resident memory: by a walk of its page tables where that may be read, else by the kernel's count."""
    kilobytes = _first_match(f"/proc/{pid}/smaps_rollup", r"^Rss:\s+(\d+)") or _first_match(
        f"/proc/{pid}/status", r"^VmRSS:\s+(\d+)"
    )
    return int(kilobytes) * 1024

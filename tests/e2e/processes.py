"""Processes: under which account they run, that they end with the tests, and what /proc tells about them."""

import ctypes
import dataclasses
import grp
import os
import pathlib
import pwd
import re
import signal

# For builds with sanitizers. The programs hide their memory from other processes of their own account, and so from the leak
# checker, which is one.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For preexec_fn: the process gets SIGTERM when the tests are killed, so that nothing is ever left over. It does so when
    the thread that started it ends, so start it from the main one."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclasses.dataclass(frozen=True)
class Account:
    """Whom a process runs as. Only root can choose; everybody else runs everything as himself."""

    user: int
    group: int
    more_groups: tuple = ()

    @classmethod
    def own(cls):
        return cls(os.geteuid(), os.getegid())

    @classmethod
    def named(cls, user, more_groups=()):
        if os.geteuid() != 0:
            return cls.own()
        entry = pwd.getpwnam(user)
        return cls(entry.pw_uid, entry.pw_gid, tuple(more_groups))

    @property
    def group_name(self):
        return grp.getgrgid(self.group).gr_name

    def popen_options(self):
        if os.geteuid() != 0:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": list(self.more_groups)}

    def give(self, path):
        if os.geteuid() == 0:
            os.chown(path, self.user, self.group)


def command_lines():
    """(pid, raw argv) of every process there is."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes()
            except OSError:
                pass


def running(program):
    """The pids of the processes that were started as this very path."""
    start = str(program).encode() + b"\0"
    return {pid for pid, arguments in command_lines() if arguments.startswith(start)}


def naps(pid):
    """How often the process went to sleep of its own accord, to wait for something."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1])

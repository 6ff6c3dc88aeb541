"""Calls of a program that are made to fail: which there are, with what errors, and the page in which fault_shim.c is told."""

import collections
import ctypes
import errno
import functools
import mmap
import os
import pathlib
import re
import signal
import subprocess

from harness.daemon import SANITIZED

HERE = pathlib.Path(__file__).resolve().parent
SHIM = pathlib.Path(os.environ.get("XMPP_AUTHD_FAULT_SHIM", "build/faults/fault_shim.so")).resolve()
NAMES = re.findall(r"^(?:CALL|OF_PROGRAM|TRANSFER|WRITTEN_OUT)\((\w+)", (HERE / "fault_calls.def").read_text(), re.M)

# The shim stands before AddressSanitizer's library, which must not mind, nor take what the loader keeps for a leak.
BEHIND_SANITIZER = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:verify_asan_link_order=0:fast_unwind_on_malloc=0",
                    "LSAN_OPTIONS": f"suppressions={HERE}/kept_by_the_loader.txt:print_suppressions=0"}

SHORT, END = "short", "end"
CODES = {SHORT: -1, END: -2}
SQLITE = {"NOMEM": 7, "READONLY": 8, "IOERR": 10, "CORRUPT": 11, "FULL": 13, "CANTOPEN": 14, "BUSY": 5}

# What a call fails with, once for each; EIO where nothing is said.
ERRORS = {
    "malloc calloc realloc aligned_alloc CRYPTO_secure_malloc CRYPTO_secure_malloc_init open_memstream": "ENOMEM",
    "EVP_MD_fetch EVP_MD_CTX_new EVP_MD_CTX_copy_ex EVP_Digest EVP_DigestInit_ex EVP_DigestInit_ex2 EVP_DigestUpdate": "ENOMEM",
    "EVP_DigestFinal_ex event_base_new event_new event_add bufferevent_socket_new": "ENOMEM",
    "evbuffer_new evhttp_new evhttp_accept_socket_with_handle evhttp_add_header": "ENOMEM",
    "redisAsyncConnect redisAsyncConnectUnix redisAsyncCommand": "ENOMEM",
    "read": "EIO EINTR EAGAIN short end",
    "recv": "ECONNRESET ENOMEM EINTR EAGAIN short end",
    "readv": "ECONNRESET EINTR EAGAIN short end",
    "recvfrom": "ECONNRESET EINTR EAGAIN short end",
    "recvmsg": "ECONNRESET EINTR ENOMEM",
    "pread": "EIO short end",
    "write": "ENOSPC EIO ENOMEM EINTR EAGAIN short",
    "send": "EPIPE ENOBUFS EINTR EAGAIN short",
    "writev": "EPIPE ENOBUFS EINTR EAGAIN short",
    "sendto": "ECONNREFUSED ENOBUFS EINTR EAGAIN",
    "sendmsg": "EPIPE ENOBUFS EINTR",
    "pwrite": "ENOSPC EIO EDQUOT short",
    "accept4": "EMFILE ENFILE ENOMEM ECONNABORTED EINTR EAGAIN",
    "socket socketpair eventfd pipe2 epoll_create1 epoll_create": "EMFILE ENFILE ENOMEM",
    "connect": "ECONNREFUSED EAGAIN EACCES",
    "open openat": "EMFILE ENFILE EACCES EIO ENOENT",
    "fopen fdopen opendir fdopendir": "ENOMEM EMFILE",
    "memfd_create fork pthread_create": "EAGAIN ENOMEM",
    "poll ppoll": "EINTR ENOMEM",
    "epoll_wait nanosleep usleep": "EINTR",
    "epoll_ctl": "ENOMEM ENOSPC",
    "waitpid": "EINTR",
    "flock": "EINTR ENOLCK EWOULDBLOCK",
    "fsync fdatasync": "EIO ENOSPC",
    "ftruncate": "EIO ENOSPC",
    "close": "EIO",
    "mkdir renameat": "EIO ENOSPC EACCES",
    "bind": "EADDRINUSE EACCES",
    "getrandom": "EINTR ENOSYS",
    "stat lstat fstatat access": "EIO ENOENT EACCES",
    "sqlite3_open_v2": "CANTOPEN NOMEM CORRUPT",
    "sqlite3_prepare_v2 sqlite3_prepare_v3": "NOMEM IOERR CORRUPT",
    "sqlite3_exec sqlite3_step": "IOERR FULL BUSY NOMEM CORRUPT READONLY",
    "sqlite3_bind_blob sqlite3_bind_int64 sqlite3_bind_int sqlite3_column_blob sqlite3_vfs_find sqlite3_vfs_register": "NOMEM",
}
_by_name = {name: words.split() for names, words in ERRORS.items() for name in names.split()}
assert set(_by_name) <= set(NAMES), set(_by_name) - set(NAMES)

# After these a program goes on as if nothing had been.
HARMLESS = {"EINTR", "EAGAIN", SHORT, "ECONNABORTED"}
# These are about one peer, who knows best that he has gone.
PEER_GONE = {"ECONNRESET", "EPIPE", "ECONNREFUSED", END}


def errors(name, stride=1):
    """What a function is made to fail with; the first alone where the stride is 0."""
    return _by_name.get(name, ["EIO"])[: None if stride else 1]


def code(error):
    return CODES.get(error) or SQLITE.get(error) or getattr(errno, error)


TRACED = 65536


# Of a place in the program that asks for memory again and again the first calls are tried.
OFTEN = 3


def first_of_each_site(sites):
    """The numbers of the calls that are among the first of their site."""
    seen = collections.Counter()
    numbers = []
    for number, site in enumerate(sites, 1):
        seen[site] += 1
        if seen[site] <= OFTEN:
            numbers.append(number)
    return numbers


# glibc ends a process in which a thread finds no memory for what a library keeps for each thread, as nss-systemd does.
NO_THREAD_MEMORY = b"cannot allocate memory for thread-local data"


class Page(ctypes.Structure):
    _fields_ = [("call", ctypes.c_uint), ("countdown", ctypes.c_int), ("failures", ctypes.c_int), ("error", ctypes.c_int),
                ("hits", ctypes.c_int), ("seed", ctypes.c_uint), ("ahead_ns", ctypes.c_int64), ("descriptor", ctypes.c_int),
                ("frame_count", ctypes.c_uint), ("frames", ctypes.c_uint64 * 12), ("calls", ctypes.c_uint * len(NAMES)),
                ("chances", ctypes.c_uint * len(NAMES)), ("is_tracing", ctypes.c_uint), ("traced", ctypes.c_uint),
                ("trace", ctypes.c_uint32 * 2 * TRACED)]


FOREVER = 1 << 30


class Faults:
    def __init__(self, path):
        self.path = path
        with path.open("wb") as file:
            file.truncate(ctypes.sizeof(Page))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), ctypes.sizeof(Page))
        self.page = Page.from_buffer(self.memory)
        self.environment = {"LD_PRELOAD": str(SHIM), "FAULT_PAGE": str(path), **(BEHIND_SANITIZER if SANITIZED else {})}

    def calls(self):
        """How often each function was called so far."""
        return dict(zip(NAMES, self.page.calls))

    def trace(self):
        """Calls are noted until sites() is asked."""
        self.page.traced, self.page.is_tracing = 0, 1

    def sites(self):
        """For each function, where its calls came from since trace(), in their order; two are the same where the whole stack is."""
        assert self.page.traced < TRACED
        self.page.is_tracing = 0
        sites = {}
        for call, site in self.page.trace[: self.page.traced]:
            sites.setdefault(NAMES[call], []).append(site)
        return sites

    def by_chance(self, seed):
        """From now on calls are interrupted and shortened by chance, in each program that has the page, whoever it runs as."""
        self.path.chmod(0o666)
        self.page.seed = seed

    def chances(self):
        """How many calls of each function that befell."""
        return {name: count for name, count in zip(NAMES, self.page.chances) if count}

    def arm(self, name, error, number=1, count=1):
        """The number-th call from now on fails, and those after it: count in all."""
        page = self.page
        page.call = page.hits = page.frame_count = 0
        page.error, page.countdown, page.failures = code(error), number, count
        page.call = NAMES.index(name) + 1

    def disarm(self):
        """How many calls were made to fail."""
        self.page.call = 0
        return self.page.hits

    def place(self):
        """Where the program made the last call that failed."""
        return tuple(self.page.frames[: self.page.frame_count])

    def was_log(self):
        """The last call that failed was about standard error."""
        return self.page.hits > 0 and self.page.descriptor == 2

    def wind(self, seconds):
        """Sets the program's clocks forward."""
        self.page.ahead_ns += int(seconds * 1_000_000_000)

    def ahead(self):
        return self.page.ahead_ns / 1_000_000_000


@functools.lru_cache(maxsize=None)
def functions(program, place):
    """The names of the functions that a place is in, the innermost first. The offsets are those of returns."""
    if not place:
        return "?"
    done = subprocess.run(["addr2line", "-f", "-e", program, *(hex(frame - 1) for frame in place)], capture_output=True, text=True,
                          check=True)
    return " < ".join(f"{name}:{where.rsplit(':', 1)[-1]}" for name, where in
                      zip(done.stdout.splitlines()[::2], done.stdout.splitlines()[1::2]) if name not in ("??", "_start"))


def is_libraries_end(program, status, log, place):
    """Ends of a process that has hardly begun, and that are not ours: OpenSSL 3.0 makes its secure heap whole or ends the process, and
    crashes where its first look for a hash or a random number finds no memory; glibc 2.36 does not do without when it first looks for a group."""
    where = functions(program, place)
    if status == -signal.SIGABRT:
        return b"mem_sec.c" in log or (b"nss_database.c" in log and where.startswith("socket_group"))
    if status == -signal.SIGSEGV:
        return re.match("(make_secret|key_fingerprint|hash_|keyed_hash|digest_|RAND|socket_group)", where) is not None
    return status == 127 and NO_THREAD_MEMORY in log and where.startswith("socket_group")

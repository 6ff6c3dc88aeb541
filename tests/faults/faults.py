"""Calls of the daemon that are made to fail, one after the other: the page that tests/faults/fault_shim.c reads."""

import ctypes
import errno
import mmap
import os
import pathlib

# In the order of the shim's enum function, each with the error that it fails with.
FUNCTIONS = {
    "malloc": errno.ENOMEM, "calloc": errno.ENOMEM, "realloc": errno.ENOMEM, "accept4": errno.EMFILE, "recv": errno.ECONNRESET,
    "send": errno.EPIPE, "read": errno.EIO, "write": errno.ENOSPC, "pwrite": errno.ENOSPC, "fsync": errno.EIO, "openat": errno.EMFILE,
    "renameat": errno.EIO, "pthread_create": errno.EAGAIN, "sqlite3_step": errno.EIO, "sqlite3_prepare": errno.EIO,
    "sqlite3_exec": errno.EIO, "redisAsyncCommand": errno.ENOMEM,
}
NAMES = list(FUNCTIONS)
SHIM = pathlib.Path(os.environ.get("XMPP_AUTHD_FAULT_SHIM", "build/faults/fault_shim.so")).resolve()


class Page(ctypes.Structure):
    _fields_ = [("function", ctypes.c_uint), ("countdown", ctypes.c_int), ("failures", ctypes.c_int), ("error", ctypes.c_int),
                ("hits", ctypes.c_int), ("calls", ctypes.c_uint * len(FUNCTIONS))]


class Faults:
    def __init__(self, path):
        path.write_bytes(bytes(ctypes.sizeof(Page)))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), ctypes.sizeof(Page))
        self.page = Page.from_buffer(self.memory)
        self.environment = {"LD_PRELOAD": str(SHIM), "FAULT_PAGE": str(path)}

    def calls(self):
        """How often each function was called so far."""
        return dict(zip(NAMES, self.page.calls))

    def arm(self, name, number, count=1):
        """The number-th call from now on fails, and those after it: count in all."""
        self.page.function = 0
        self.page.hits = 0
        self.page.error = FUNCTIONS[name]
        self.page.countdown, self.page.failures = number, count
        self.page.function = NAMES.index(name) + 1

    def disarm(self):
        """How many calls were made to fail."""
        self.page.function = 0
        return self.page.hits

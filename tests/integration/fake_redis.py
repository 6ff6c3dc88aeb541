"""A stand-in for Redis on a Unix socket, whose replies are the test's: for what a real one does in a moment that can't be chosen."""

import contextlib
import socket
import threading
import time

from harness import DEADLINE
from redis_server import MARKER

INFO = "role:master\r\nrun_id:aaaa\r\nmaster_replid:bbbb\r\nevicted_keys:0\r\nmaxmemory_policy:noeviction\r\n"
OK, NIL = b"+OK\r\n", b"$-1\r\n"


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


class FakeRedis(threading.Thread):
    """Replies in the order of the commands, as Redis does; while `held`, to nothing from the next TIME on."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.store = f"redis+unix:{path}"
        self.marker = bulk("1 aaaa bbbb 0 1000")
        self.set_reply = OK
        self.held = False
        self.waiting, self.changed = [], threading.Condition()

    def run(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve_until_it_leaves, args=(stream,), daemon=True).start()

    def serve_until_it_leaves(self, stream):
        with contextlib.suppress(OSError), stream, stream.makefile("rb") as file:
            self.serve(stream, file)

    def serve(self, stream, file):
        while header := file.readline():
            words = []
            for _ in range(int(header[1:])):
                length = int(file.readline()[1:])
                words.append(file.read(length + 2)[:-2].decode())
            with self.changed:
                self.waiting.append(words)
                self.changed.notify_all()
                if self.held and ["TIME"] in self.waiting:
                    continue
                replies = [self.reply(*words) for words in self.waiting]
                self.waiting.clear()
            stream.sendall(b"".join(replies))

    def reply(self, command, *words):
        now = f"{time.time():.6f}".split(".")
        replies = {"HGETALL": b"*0\r\n", "TIME": b"*2\r\n" + bulk(now[0]) + bulk(now[1]), "INFO": bulk(INFO)}
        if command == "GET":
            return self.marker if words[0] == MARKER else NIL
        if command == "SET":
            return OK if words[0] == MARKER else self.set_reply
        return replies[command]

    def await_waiting(self, command):
        with self.changed:
            assert self.changed.wait_for(lambda: any(words[0] == command for words in self.waiting), DEADLINE), command

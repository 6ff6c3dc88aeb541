"""A stand-in for xmpp-authd that does what it is told: answers by a table, slowly, late, not at all, wrongly, or dies.

It speaks the length framing on a Unix socket, answers `features:tryagain` first, and keeps every question's bytes. It
runs in a thread of its own; its attributes may be changed at any time from the test's.
"""

import asyncio
import os
import socket
import threading

ANSWERS = {"yes": b"\0\2\0\1", "no": b"\0\2\0\0", "try-again": b"\0\2\0\2"}
HELLO = b"features:tryagain"


class FakeDaemon:
    def __init__(self, path):
        self.path = str(path)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = None
        self._writers = set()
        self.reset()

    def reset(self):
        """Back to a daemon that answers everything at once, knows no token and every user."""
        self.tokens = {}  # token: verdict; any other token is denied
        self.users = {}  # user: verdict; any other user exists
        self.delay = 0.0  # seconds from a question to its answer
        self.silent = False  # read, but do not answer
        self.hello = ANSWERS["yes"]  # what is said to features:tryagain
        self.reply = None  # reply(question) gives the bytes to send in place of the answer
        self.questions = []  # as they came, without the length and without the greeting
        self.greetings = 0

    # ---- life -------------------------------------------------------------------------------------------------------

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def start(self):
        async def begin():
            self._server = await asyncio.start_unix_server(self._serve, self.path, backlog=512)

        if self._server is None:
            self._run(begin())

    def crash(self):
        """Gone at once, as by SIGKILL: nothing more is read or answered, and the socket's file refuses connections."""

        async def end():
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()

        if self._server is not None:
            self._run(end())
            self._server = None

    def stop(self):
        """Gone at once, and the socket's file too."""
        self.crash()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def drain(self):
        """Stops as the real daemon does on SIGTERM, up to the last step: no new connection, no new question, but what was
        asked is still answered."""

        async def begin():
            self._server.close()
            for writer in self._writers:
                copy = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
                copy.shutdown(socket.SHUT_RD)
                copy.close()

        self._run(begin())
        self._server = None
        os.unlink(self.path)

    def close(self):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # ---- seen from the test -----------------------------------------------------------------------------------------

    @property
    def connections(self):
        return len(self._writers)

    def asked(self, kind):
        """The questions of one kind ("auth", "isuser"), each split at its colons."""
        return [q.split(b":", 3) for q in self.questions if q.startswith(kind.encode() + b":")]

    def say(self, data):
        """Sends bytes on every connection, unasked."""

        async def write():
            for writer in self._writers:
                writer.write(data)

        self._run(write())

    def listen(self, whether):
        """Stops reading from the connections that there are, or goes on."""

        async def change():
            for writer in self._writers:
                (writer.transport.resume_reading if whether else writer.transport.pause_reading)()

        self._run(change())

    # ---- a connection -----------------------------------------------------------------------------------------------

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        due = asyncio.Queue()
        answering = asyncio.ensure_future(self._answer(due, writer))
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                question = await reader.readexactly(length)
                data = self._decide(question)
                if data is not None:
                    due.put_nowait((self._loop.time() + (0 if question == HELLO else self.delay), data))
        except (asyncio.IncompleteReadError, ConnectionError):
            due.put_nowait(None)
            await asyncio.gather(answering, return_exceptions=True)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, due, writer):
        while (item := await due.get()) is not None:
            moment, data = item
            await asyncio.sleep(max(0, moment - self._loop.time()))
            writer.write(data)

    def _decide(self, question):
        if question == HELLO:
            self.greetings += 1
            return self.hello
        self.questions.append(question)
        if self.silent:
            return None
        if self.reply:
            return self.reply(question)
        kind, user, *rest = question.split(b":", 3)
        if kind == b"auth":
            return ANSWERS[self.tokens.get(rest[1].decode("utf-8", "replace"), "no")]
        return ANSWERS[self.users.get(user.decode("utf-8", "replace"), "yes")]

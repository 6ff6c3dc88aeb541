"""Clients of both framings. Every wait has a deadline: a daemon that hangs fails the test."""

import array
import fcntl
import socket
import struct
import time

from . import DEADLINE, confidential

YES, NO, TRY_AGAIN = "yes", "no", "try-again"
SIOCOUTQ = 0x5411  # bytes sent and not yet received by the peer; tty_ioctl(4) calls it TIOCOUTQ


def to_bytes(text):
    return text.encode() if isinstance(text, str) else text


def auth(jid, password):
    """The question whether a JID may log in with a password."""
    confidential.keep(password)
    user, host = to_bytes(jid).rsplit(b"@", 1)
    return b"auth:" + user + b":" + host + b":" + to_bytes(password)


def isuser(jid):
    user, host = to_bytes(jid).rsplit(b"@", 1)
    return b"isuser:" + user + b":" + host


class Client:
    def __init__(self, path, timeout=DEADLINE):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def end(self):
        """No more questions."""
        self.socket.shutdown(socket.SHUT_WR)

    def await_taken(self):
        """Until the daemon has read all that was sent."""
        unread = array.array("i", [1])
        deadline = time.monotonic() + DEADLINE
        while unread[0] > 0:
            assert time.monotonic() < deadline, "the daemon does not read"
            fcntl.ioctl(self.socket, SIOCOUTQ, unread)

    def receive(self, count):
        """Exactly so many bytes, fewer at the connection's end."""
        data = b""
        while len(data) < count:
            try:
                piece = self.socket.recv(min(count - len(data), 1 << 16))
            except ConnectionResetError:  # the daemon closed while questions were left unread
                piece = b""
            if not piece:
                break
            data += piece
        return data

    def answers(self, count):
        data = self.receive(count * self.answer_size)
        return self.decode(data)

    def rest(self):
        """All answers up to the connection's end."""
        return self.decode(self.receive(1 << 40))

    def decode(self, data):
        size = self.answer_size
        assert len(data) % size == 0, f"half an answer: {data[-size:]!r}"
        return [self.words[data[at : at + size]] for at in range(0, len(data), size)]

    def write(self, *questions):
        self.send(b"".join(self.encode(to_bytes(question)) for question in questions))

    def fill(self, daemon, question, most=1 << 26):
        """Asks the same question again and again, and reads nothing, until the daemon stops reading: how often, in whole questions,
        and the rest of one that was sent in part."""
        encoded = self.encode(question)
        block = encoded * 500
        self.socket.setblocking(False)
        sent = refused = 0
        # A status is answered in a turn of the loop in which the daemon would have read, if it wanted to.
        while refused < 3:
            try:
                sent += self.socket.send(block[sent % len(encoded) :])
                refused = 0
            except BlockingIOError:
                daemon.control()
                refused += 1
            assert sent < most, "the daemon reads on, though nobody reads its answers"
        self.socket.settimeout(DEADLINE)
        whole, part = divmod(sent, len(encoded))
        return whole, encoded[part:] if part else b""

    def ask(self, *questions):
        """Asks all in one write; the answers, or the one answer where there was one question."""
        self.write(*questions)
        answers = self.answers(len(questions))
        assert len(answers) == len(questions), f"{len(answers)} answers to {len(questions)} questions, then the end"
        return answers[0] if len(questions) == 1 else answers


class LineClient(Client):
    framing = "generic"
    answer_size = 2
    words = {b"1\n": YES, b"0\n": NO}

    @staticmethod
    def encode(question):
        return question + b"\n"


class LengthClient(Client):
    framing = "ejabberd"
    answer_size = 4
    words = {b"\0\2\0\1": YES, b"\0\2\0\0": NO, b"\0\2\0\2": TRY_AGAIN}

    @staticmethod
    def encode(question):
        return struct.pack(">H", len(question)) + question


FRAMINGS = (LineClient, LengthClient)

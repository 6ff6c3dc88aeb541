"""Bytes as saslauthd's clients send them."""

import socket
import struct

from harness import DEADLINE, confidential
from harness.clients import to_bytes

OK, NO = b"\0\2OK", b"\0\2NO"


def fields(*texts):
    return b"".join(struct.pack(">H", len(raw)) + raw for raw in map(to_bytes, texts))


def login(user, token, service="xmpp", realm="example.org", *more):
    confidential.keep(token)
    return fields(user, token, service, realm, *more)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def rest(self):
        """All that comes up to the end of the connection."""
        answer = b""
        while piece := self.socket.recv(65536):
            answer += piece
        return answer


def ask(path, data, half_close=False):
    """All that the daemon says to these bytes, up to its closing."""
    with Client(path) as client:
        client.send(data)
        if half_close:
            client.socket.shutdown(socket.SHUT_WR)
        return client.rest()

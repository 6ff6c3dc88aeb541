"""Bytes as saslauthd's clients send them."""

import socket
import struct

from harness import confidential
from harness.clients import to_bytes
from stream import Stream

OK, NO = b"\0\2OK", b"\0\2NO"


def fields(*texts):
    return b"".join(struct.pack(">H", len(raw)) + raw for raw in map(to_bytes, texts))


def login(user, token, service="xmpp", realm="example.org", *more):
    confidential.keep(token)
    return fields(user, token, service, realm, *more)


class Client(Stream):
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

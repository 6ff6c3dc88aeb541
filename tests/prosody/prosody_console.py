"""Prosody's administration console, as `prosodyctl shell` speaks to it through its Unix socket. One connection serves all
commands. (prosodyctl itself writes at once on connecting, which Prosody's event back end loses now and then.)"""

import socket
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

ADMIN = "{xmpp:prosody.im/admin}"


class Console:
    def __init__(self, path, accepted):
        """accepted() returns once Prosody has noticed the connection."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        accepted()
        self._parser = ElementTree.XMLPullParser(("end",))
        self._send(
            "<stream:stream xmlns='xmpp:prosody.im/admin' xmlns:stream='http://etherx.jabber.org/streams'>"
        )

    def run(self, command):
        """What the command prints and its result, a line each; an error there is an error here."""
        self._send(f"<repl-input>{escape(command)}</repl-input>")
        lines = []
        while True:
            for _, element in self._parser.read_events():
                if element.tag in (ADMIN + "repl-output", ADMIN + "repl-result"):
                    lines.append(element.text or "")
                    assert element.get("type") != "error", f"{command}: {lines[-1]}"
                if element.tag == ADMIN + "repl-result":
                    return "\n".join(lines)
            data = self._socket.recv(65536)
            assert data, "Prosody closed the console"
            self._parser.feed(data)

    def close(self):
        self._socket.close()

    def _send(self, text):
        self._socket.sendall(text.encode())

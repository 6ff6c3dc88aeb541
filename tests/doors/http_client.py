"""HTTP as chat servers send it: the bytes of requests, and answers taken apart."""

import base64
import functools
import re
import subprocess
import urllib.parse

from harness import DEADLINE, confidential
from stream import Stream


def authorization(user="chat", password="5d9c1f0b7a3e42868c6f0d1e2b3a4958"):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() + "\r\n"


class Client(Stream):
    """A connection that is kept, as the modules' pools keep theirs."""

    def __init__(self, where):
        super().__init__(where)
        self.buffer = b""

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError
        self.buffer += piece

    def answer(self):
        """(status, body) of the next answer; EOFError where there is none."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(self.buffer) < length:
            self._more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        self.head = head.decode()
        return int(head.split()[1]), body.decode()

    def get(self, path, form=None, headers=""):
        target = path if form is None else f"{path}?{form}"
        self.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode("latin-1"))
        return self.answer()

    def post(self, path, form, headers=""):
        raw = form if isinstance(form, bytes) else form.encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n{headers}\r\n"
        self.send(head.encode() + raw)
        return self.answer()


def form(user, password=None, server="example.org"):
    """As a browser would write it; pass is left out where there is no password."""
    fields = {"user": user, "server": server}
    if password is not None:
        confidential.keep(password)
        confidential.keep(urllib.parse.quote_plus(password))
        fields["pass"] = password
    return urllib.parse.urlencode(fields)


def ask(where, path, *arguments, headers="", **options):
    """One GET on a connection of its own."""
    with Client(where) as client:
        return client.get(path, form(*arguments, **options), headers)


# --- what the modules' own languages make of the fields


def prosody_form(fields):
    """By Prosody's own util.http, as mod_auth_http has it; the order is any."""
    table = ",".join(f"{{name=[==[{name}]==],value=[==[{value}]==]}}" for name, value in fields)
    script = (
        'package.path="/usr/lib/prosody/?.lua;"..package.path; package.cpath="/usr/lib/prosody/?.so;"..package.cpath; '
        f'io.write(require"util.http".formencode{{{table}}})')
    return subprocess.run(["lua5.4", "-e", script], capture_output=True, text=True, timeout=DEADLINE, check=True).stdout


@functools.lru_cache(maxsize=None)
def _erlang(expression):
    return subprocess.run(["erl", "-noshell", "-eval", f"io:format(\"~s\", [{expression}]), halt()."], capture_output=True,
                          text=True, timeout=DEADLINE, check=True).stdout


def _binary(text):
    return "<<" + ",".join(str(byte) for byte in text.encode()) + ">>"


def mongooseim_form(fields):
    """uri_string:compose_query, which MongooseIM's http method uses."""
    return _erlang("uri_string:compose_query([" + ",".join(f"{{{_binary(n)},{_binary(v)}}}" for n, v in fields) + "])")


def ejabberd_form(fields):
    """uri_string:quote of the bytes, each for itself, as ejabberd's auth_http has it."""
    quoted = [f'"{name}=", uri_string:quote(binary_to_list({_binary(value)}))' for name, value in fields]
    return _erlang("[" + ', "&", '.join(quoted) + "]")

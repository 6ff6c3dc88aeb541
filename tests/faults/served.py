"""A daemon under test, the clients that ask it, and a ledger of every token: whatever fails, none is answered yes twice."""

import os
import pathlib
import re
import socket
import time

import http_client
import saslauthd_client
from harness import confidential
from harness.clients import NO, TRY_AGAIN, YES, LengthClient, LineClient, auth, isuser
from harness.configuration import HOST
from harness.web import Connection

ALICE = f"alice@{HOST}"
PATIENCE = 10  # seconds that an answer may take, or the end of a connection; only a broken daemon makes a test wait so long
NO_ANSWER, CUT_OFF, TOLD = "no answer", "cut off", "told what failed"


class Ledger:
    """What was answered to each token."""

    def __init__(self):
        self.accepted = {}  # token: when it was minted
        self.wrong = []

    def note(self, token, answer, minted):
        if answer == YES:
            if token in self.accepted:
                self.wrong.append("a spent token was accepted once more")
            self.accepted[token] = minted
        return answer

    def never(self, what, answer):
        if answer == YES:
            self.wrong.append(f"yes to {what}")
        return answer

    def recent(self, since):
        return [token for token, minted in self.accepted.items() if minted >= since]


def changed(token):
    """A token whose signature is another one."""
    at = token.index(" ") + 5
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


class Site:
    def __init__(self, configuration, faults, start):
        self.configuration, self.faults, self.start_daemon = configuration, faults, start
        self.key = configuration.key
        self.directory = configuration.directory
        self.ledger = Ledger()
        self.patience = PATIENCE
        self.daemon = None
        self.options = {}

    def start(self, **options):
        more = {**self.faults.environment, **options.pop("more", {})}
        self.daemon = self.start_daemon(self.configuration, more=more, **options)
        self.daemon.expect("level=(error|warning)")
        return self

    # --- tokens

    def now(self):
        return time.time() + self.faults.ahead()

    def mint(self, jid=ALICE):
        return self.key.mint(jid, time=self.now())

    # --- questions; an answer, or how there was none

    def _connect(self, path):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(self.patience)
        try:
            stream.connect(str(path))
        except BaseException:
            stream.close()
            raise
        return stream

    def ask(self, client_class, *questions):
        """The answers to as many as it gets."""
        data = b""
        size = client_class.answer_size
        try:
            with self._connect(self.directory / "a.sock") as stream:
                stream.sendall(b"".join(client_class.encode(question) for question in questions))
                while len(data) < size * len(questions):
                    piece = stream.recv(65536)
                    if not piece:
                        break
                    data += piece
                self._see_out(stream)
            missing = CUT_OFF
        except TimeoutError:
            missing = NO_ANSWER
        except OSError:
            missing = CUT_OFF
        answers = [client_class.words[data[at : at + size]] for at in range(0, len(data) - len(data) % size, size)]
        return answers + [missing] * (len(questions) - len(answers))

    @staticmethod
    def _see_out(stream):
        """Until the daemon has closed its end, for that can fail too."""
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(4096):
            pass

    def login(self, client_class=LengthClient, jid=ALICE):
        token = self.mint(jid)
        return self.ledger.note(token, self.ask(client_class, auth(jid, token))[0], self.now())

    def hostile(self, client_class):
        """Two logins of one token, and what must never be yes, in one go. The answers."""
        token, other = self.mint(), self.mint()
        answers = self.ask(client_class, auth(ALICE, token), auth(ALICE, token), auth(ALICE, changed(other)), auth(f"bob@{HOST}", other),
                           isuser(f"nobody@{HOST}"), auth(ALICE, b"x"), auth(ALICE, other))
        for place in (0, 1):
            self.ledger.note(token, answers[place], self.now())
        for place in (2, 3, 4, 5):
            self.ledger.never("what was forged", answers[place])
        self.ledger.note(other, answers[6], self.now())
        return answers

    def saslauthd(self):
        token = self.mint()
        confidential.keep(token)
        answer = b""
        try:
            with self._connect(self.directory / "cyrus.sock") as stream:
                stream.sendall(saslauthd_client.login("alice", token))
                while piece := stream.recv(4096):
                    answer += piece
        except TimeoutError:
            return NO_ANSWER
        except OSError:
            return CUT_OFF
        word = {saslauthd_client.OK: YES, saslauthd_client.NO: NO}.get(answer, CUT_OFF)
        return self.ledger.note(token, word, self.now())

    def http(self, path="/check_password", user="alice", token=None):
        spend = token is None and path == "/check_password"
        token = self.mint() if spend else token
        try:
            with http_client.Client.__new__(http_client.Client) as client:
                client.buffer = b""
                client.socket = self._connect(self.directory / "web.sock")
                status, body = client.get(path, http_client.form(user, token))
                self._see_out(client.socket)
        except TimeoutError:
            return NO_ANSWER
        except (OSError, EOFError, AttributeError):
            return CUT_OFF
        answer = YES if body == "true" else NO if status == 200 else str(status)
        return self.ledger.note(token, answer, self.now()) if spend else answer

    def page(self, target):
        """The status of a page of the monitor, and whether it is whole."""
        connection = Connection(str(self.directory / "m.sock"))
        try:
            connection.sock = self._connect(self.directory / "m.sock")
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, len(answer.read()) > 0
        except TimeoutError:
            return NO_ANSWER
        except Exception:  # half an answer is many exceptions
            return CUT_OFF
        finally:
            connection.close()

    def control(self, request):
        """The answer without its numbers, or how there was none."""
        answer = b""
        try:
            with self._connect(self.directory / "control.sock") as stream:
                stream.sendall(request.encode() + b"\n")
                while piece := stream.recv(65536):
                    answer += piece
        except TimeoutError:
            return NO_ANSWER
        except OSError:
            return CUT_OFF
        text = answer.decode("ascii")
        if not text.endswith("\n"):
            return CUT_OFF
        words = request.split()[0]
        if "error=" in text:
            return TOLD
        # The configuration's digest may be what there was no memory for.
        return words, re.sub(r'(?<!imported)(?<!known)(?<!was_seen)(?<!was_denied)="?[^ \n]*', "", text).split("\n")[0].replace(" configuration ", " ")

    def reload(self):
        """Which event it ends in."""
        daemon = self.daemon
        mark = len(daemon.records)
        daemon.signal(1)
        deadline = time.monotonic() + self.patience
        with daemon.changed:
            while True:
                for record in daemon.records[mark:]:
                    if record.get("event") in ("reloaded", "reload-failed"):
                        return record["event"]
                if time.monotonic() > deadline or not daemon.running():
                    return NO_ANSWER
                daemon.changed.wait(0.2)
                # The line itself, or the signal, may be what was lost; a worker that could not tell its end is looked for once a second.
                if self.faults.page.call and self.faults.page.hits and time.monotonic() > deadline - self.patience + 2.5:
                    return NO_ANSWER

    # --- afterwards

    def complains(self, mark, wait=0.0):
        """Whether the log says since then that something failed."""
        deadline = time.monotonic() + wait
        while True:
            with self.daemon.changed:
                lines = self.daemon.raw[mark:]
            if any(b" level=error " in line or b" level=warning " in line for line in lines):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.002)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def replays(self, since=None):
        """Presents all that were accepted again."""
        tokens = self.ledger.recent(self.now() - 240 if since is None else since)
        for at in range(0, len(tokens), 100):
            block = tokens[at : at + 100]
            for token, answer in zip(block, self.ask(LengthClient, *(auth(ALICE, token) for token in block))):
                self.ledger.note(token, answer, self.now())
                if answer not in (NO, TRY_AGAIN):
                    self.ledger.wrong.append(f"a spent token got {answer}")
        return len(tokens)

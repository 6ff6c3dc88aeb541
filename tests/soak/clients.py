"""The soak's clients. Each knows what every answer must be, and counts what it was answered; between two rests it goes on by itself,
and takes a daemon that went away for what it is."""

import collections
import random
import threading
import time

import http_client
import saslauthd_client
from harness.clients import NO, YES, LengthClient, LineClient, auth, isuser, to_bytes
from harness.configuration import HOST
from harness.kinds import mint_jsxc, mint_v2

# Tokens that were accepted, for those who present them again.
spent = collections.deque(maxlen=5000)


class SoakClient(threading.Thread):
    """One client. `wrong` holds what should not have happened."""

    def __init__(self, number, path, minters, resting):
        super().__init__(daemon=True, name=f"{type(self).__name__}-{number}")
        self.user, self.path, self.minters, self.resting = f"user{number}@{HOST}", path, minters, resting
        self.key = minters.key
        self.random = random.Random(number)
        self.answered = collections.Counter()  # by question; since the daemon that is asked now was started
        self.wrong, self.rounds, self.lost, self.total = [], 0, 0, 0
        self.at_rest, self.ended = threading.Event(), threading.Event()

    def run(self):
        while not self.ended.is_set():
            if self.resting.is_set():
                self.at_rest.set()
                time.sleep(0.01)
                continue
            self.at_rest.clear()
            try:
                self.converse()
                self.rounds += 1
            except OSError:  # the daemon is gone, or not there yet
                time.sleep(0.05)

    def converse(self):
        """One connection, and a few questions on it."""
        with self.random.choice((LengthClient, LineClient))(self.path) as client:
            for _ in range(self.random.randrange(1, 8)):
                if self.resting.is_set() or not self.ask_some(client):
                    return

    def count(self, question):
        self.answered[question] += 1
        self.total += 1

    def ask_some(self, client):
        """Asks some questions at once, and judges the answers. False: the daemon went away."""
        questions = self.questions()
        client.write(*(question for question, _, _ in questions))
        data = client.receive(len(questions) * client.answer_size)
        answers = client.decode(data[: len(data) - len(data) % client.answer_size])
        for (question, expected, token), answer in zip(questions, answers):
            self.count(bytes(to_bytes(question)[:6]))
            if answer != expected:
                self.wrong.append((answer, question[:40], time.time()))
            elif answer == YES and token:
                spent.append((self.user, token))
        self.lost += len(questions) - len(answers)
        return len(answers) == len(questions)


class Good(SoakClient):
    def questions(self):
        tokens = [self.key.mint(self.user) for _ in range(self.random.choice((1, 1, 4, 32)))]
        return [(auth(self.user, token), YES, token) for token in tokens]


class GoodNew(SoakClient):
    """The tokens of version 2, and JSXC's, which differ by the second in which they end alone."""

    last_end = 0

    def new_token(self):
        self.last_end = max(self.last_end + 1, int(time.time()) + 60)
        if self.random.random() < 0.8 or self.last_end > time.time() + 3000:
            return mint_v2(self.key, self.user)
        return mint_jsxc(self.minters.jsxc_secret, self.user, self.last_end)

    def questions(self):
        tokens = [self.new_token() for _ in range(self.random.choice((1, 4, 16)))]
        return [(auth(self.user, token), YES, token) for token in tokens]


class OtherDoor(SoakClient):
    """A good token and the same again, each on a connection of its own."""

    def converse(self):
        token = self.key.mint(self.user)
        for expected in (YES, NO):
            answer = self.login(self.user.split("@")[0], token)
            if answer is None:
                self.lost += 1
                return
            self.count("auth")
            if answer != expected:
                self.wrong.append((answer, expected, time.time()))

    def login(self, user, token):
        """The answer; None where the daemon went away before it."""
        raise NotImplementedError


class Cyrus(OtherDoor):
    def __init__(self, number, path, minters, resting):
        super().__init__(number, path.parent / "cyrus.sock", minters, resting)

    def login(self, user, token):
        return {saslauthd_client.OK: YES, saslauthd_client.NO: NO, b"": None}[
            saslauthd_client.ask(self.path, saslauthd_client.login(user, token))]


class Web(OtherDoor):
    def __init__(self, number, path, minters, resting):
        super().__init__(number, path.parent / "web.sock", minters, resting)

    def login(self, user, token):
        try:
            status, body = http_client.ask(self.path, "/check_password", user, token)
        except EOFError:
            return None
        return {(200, "true"): YES, (200, "false"): NO}.get((status, body), body)


class Replaying(SoakClient):
    """Takes what others have spent."""

    def questions(self):
        known = [spent[self.random.randrange(len(spent))] for _ in range(8)] if len(spent) > 100 else []
        return [(auth(user, token), NO, None) for user, token in known] or [(isuser(self.user), YES, None)]


class Forging(SoakClient):
    """Changes a genuine token in one place, or takes somebody else's, or an old one."""

    def questions(self):
        token = self.key.mint(self.user)
        place = self.random.randrange(len(token) - 2)
        changed = token[:place] + ("1" if token[place] == "0" else "0") + token[place + 1 :]
        stale = self.key.mint(self.user, time=time.time() - self.random.randrange(600, 86400))
        return [(auth(self.user, changed), NO, None), (auth(f"x{self.user}", token), NO, None), (auth(self.user, stale), NO, None)]


class Garbling(SoakClient):
    """Sends what is no question; each is denied, and the connection goes on."""

    def questions(self):
        garbage = bytes(self.random.randrange(0x20, 0x100) for _ in range(self.random.randrange(1, 300)))
        return [(b"auth:" + garbage.replace(b":", b"@"), NO, None), (b"isuser:@", NO, None), (b"setpass:a:b:c", NO, None)]


class Vanishing(SoakClient):
    """Leaves in the middle of a question, or before its answers."""

    def converse(self):
        with LengthClient(self.path) as client:
            question = client.encode(to_bytes(isuser(self.user)))
            client.send(question[: self.random.randrange(1, len(question))])
            if self.random.random() < 0.2:
                time.sleep(0.2)

    def questions(self):
        return []

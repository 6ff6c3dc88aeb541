#!/usr/bin/python3
"""An extauth script as chat servers start them: one question at a time on standard input, in ejabberd's framing.

    extauth_script.py KEY_FILE INTERVAL

It stands for the scripts that sites write for themselves, in the peers' table of the benchmark. It verifies the same tokens
as the daemon (docs/token.md, v1), and remembers those that it allowed for as long as they count.
"""

import base64
import hmac
import struct
import sys
import time

OTP_LENGTH = 8
NONCE_LENGTH = 32


def read_keys(path):
    """The settings of a file with lines NAME = VALUE."""
    with open(path, encoding="ascii") as file:
        return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in file)}


class Verifier:
    """Says yes to a token once."""

    def __init__(self, keys, interval):
        seed = keys["otp_seed"]
        self.seed = base64.b32decode(seed + "=" * (-len(seed) % 8), casefold=True)
        self.secret = keys["token_secret"].encode()
        self.interval = interval
        self.otps = {}  # by time step
        self.spent = {}  # a set of tokens by time step

    def otp(self, step):
        """RFC 6238's one-time password of a time step."""
        mac = hmac.digest(self.seed, struct.pack(">Q", step), "sha1")
        (number,) = struct.unpack_from(">I", mac, mac[-1] & 15)
        return f"{(number & 0x7FFFFFFF) % 10**OTP_LENGTH:0{OTP_LENGTH}d}"

    def current_steps(self):
        """The time steps whose tokens count now. What belongs to others is forgotten."""
        now = int(time.time()) // self.interval
        if now not in self.otps:
            self.otps = {step: self.otp(step) for step in (now, now - 1)}
            self.spent = {step: self.spent.get(step, set()) for step in self.otps}
        return self.otps.items()

    def verify(self, user, host, token):
        """Whether the token is genuine, fresh and not spent; then it is spent."""
        message, _, signature = token.partition(" ")
        if len(message) != OTP_LENGTH + NONCE_LENGTH or not message.isdigit():
            return False
        expected = base64.b64encode(hmac.digest(self.secret, f"{message}{user}@{host}".encode(), "sha256"))
        if not hmac.compare_digest(expected, signature.encode()):
            return False
        for step, otp in self.current_steps():
            if hmac.compare_digest(otp, message[:OTP_LENGTH]):
                key = (user, host, message)
                if key in self.spent[step]:
                    return False
                self.spent[step].add(key)
                return True
        return False

    def answer(self, question):
        """The answer to one question's text."""
        command, _, rest = question.partition(":")
        fields = rest.split(":", 2)
        if command == "isuser":
            return len(fields) == 2
        return command == "auth" and len(fields) == 3 and self.verify(*fields)


def main():
    """Answers until standard input ends."""
    verifier = Verifier(read_keys(sys.argv[1]), int(sys.argv[2]))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(2)) == 2:
        (length,) = struct.unpack(">H", head)
        good = verifier.answer(source.read(length).decode())
        sink.write(struct.pack(">HH", 2, int(good)))
        sink.flush()


if __name__ == "__main__":
    main()

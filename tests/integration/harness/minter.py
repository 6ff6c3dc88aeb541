"""An independent minter of v1 tokens (docs/token.md), on Python's own hmac alone."""

import base64
import hashlib
import hmac
import secrets
import struct
import time as clock

from . import confidential


def hotp(seed, counter, digits, hash_name):
    mac = hmac.new(seed, struct.pack(">Q", counter), getattr(hashlib, hash_name)).digest()
    at = mac[-1] & 15
    number = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def random_digits(count):
    return "".join(secrets.choice("0123456789") for _ in range(count))


class Key:
    """A pair of secrets and the format of its tokens."""

    def __init__(self, seed=None, secret=None, digits=8, interval=30, nonce_digits=32, otp_hash="sha1",
                 signature_hash="sha256"):
        self.seed = seed or base64.b32encode(secrets.token_bytes(20)).decode()
        self.secret = secret or secrets.token_urlsafe(32).replace("-", "x")
        self.digits, self.interval, self.nonce_digits = digits, interval, nonce_digits
        self.otp_hash, self.signature_hash = otp_hash, signature_hash
        confidential.keep(self.seed, self.secret)

    def step(self, time=None):
        return int(clock.time() if time is None else time) // self.interval

    def otp(self, time=None):
        bare = self.seed.rstrip("=").upper()
        seed = base64.b32decode(bare + "=" * (-len(bare) % 8))
        return hotp(seed, self.step(time), self.digits, self.otp_hash)

    def sign(self, digits, jid):
        message = digits.encode() + (jid if isinstance(jid, bytes) else jid.encode())
        return hmac.new(self.secret.encode(), message, getattr(hashlib, self.signature_hash)).digest()

    def mint(self, jid, time=None, nonce=None, otp=None):
        """The token of a JID (str, or bytes as they are asked about)."""
        digits = (otp or self.otp(time)) + (nonce or random_digits(self.nonce_digits))
        token = digits + " " + base64.b64encode(self.sign(digits, jid)).decode()
        confidential.keep_token(token)
        return token

    def settings(self):
        """As they stand in a [host] section; what is the default is left out."""
        settings = {"otp_seed": self.seed, "token_secret": self.secret}
        for name, value, default in (
            ("otp_digits", self.digits, 8),
            ("otp_interval", self.interval, 30),
            ("nonce_digits", self.nonce_digits, 32),
            ("otp_hash", self.otp_hash, "sha1"),
            ("signature_hash", self.signature_hash, "sha256"),
        ):
            if value != default:
                settings[name] = value
        return settings


def steady(interval, seconds=10):
    """Returns the time, at least so many seconds before the end of a time step: what is minted now and presented right after
    is of the step that the daemon judges it in."""
    left = interval - clock.time() % interval
    if left < min(seconds, interval / 2):
        clock.sleep(left + 0.01)
    return clock.time()

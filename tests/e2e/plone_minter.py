"""The web application's side: tokens as collective.converse makes them for Plone, with pyotp."""

import base64
import datetime
import hashlib
import hmac
import random
import time

import pyotp

OTP_DIGITS = 8
OTP_INTERVAL = 30


class Minter:
    """Holds a host's two secrets; mints for its users."""

    made, minted = [], []  # every minter, and every token by any of them

    def __init__(self, otp_seed, token_secret, interval=OTP_INTERVAL):
        self.made.append(self)
        self.otp_seed, self.token_secret, self.interval = otp_seed, token_secret, interval
        self.otp_service = pyotp.TOTP(otp_seed, digits=OTP_DIGITS, interval=interval)

    @classmethod
    def with_fresh_secrets(cls, **options):
        """The secrets are made as collective.converse's own instructions have it."""
        return cls(pyotp.random_base32(length=32), pyotp.random_base32(length=32), **options)

    def otp(self, at):
        when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        return self.otp_service.generate_otp(self.otp_service.timecode(when))

    def mint(self, jid, offset=0):
        """A token for the bare JID, as a clock that is `offset` seconds ahead would have it."""
        return self.token(self.otp(time.time() + offset), jid)

    def token(self, otp, jid):
        nonce = "".join(str(random.randint(0, 9)) for _ in range(32))
        signature = hmac.new(self.token_secret.encode(), (otp + nonce + jid).encode(), hashlib.sha256).digest()
        token = "{} {}".format(otp + nonce, base64.b64encode(signature).decode())
        self.minted.append(token)
        return token

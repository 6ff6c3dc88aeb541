"""Mints login tokens for a chat client, with Python 3.7 or later and its standard library alone."""

import base64
import hmac
import os
import secrets
import struct
import time


def token(jid, otp_seed, token_secret, step, nonce):
    """The token of a time step and a nonce of 32 digits. Only the same values twice give the same token."""
    seed = otp_seed.rstrip("=")
    seed = base64.b32decode(seed + "=" * (-len(seed) % 8), casefold=True)
    mac = hmac.new(seed, struct.pack(">Q", step), "sha1").digest()
    number = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    digits = f"{number % 10**8:08d}{nonce}"
    signature = hmac.new(token_secret.encode(), (digits + jid).encode(), "sha256").digest()
    return digits + " " + base64.b64encode(signature).decode()


def mint(jid):
    """A fresh token for user@host, in lower case; the secrets come from the environment."""
    nonce = f"{secrets.randbelow(10**32):032d}"
    return token(jid, os.environ["XMPP_OTP_SEED"], os.environ["XMPP_TOKEN_SECRET"], int(time.time()) // 30, nonce)

"""Mints login tokens: what a web application hands to its logged-in user's chat client as the XMPP password."""

import base64
import hmac
import secrets
import time


def one_time_password(otp_seed, seconds):
    """RFC 6238 with 8 digits, 30 s and SHA-1: the same as pyotp.TOTP(otp_seed, digits=8).at(seconds)."""
    seed = base64.b32decode(otp_seed + "=" * (-len(otp_seed) % 8), casefold=True)
    mac = hmac.digest(seed, (int(seconds) // 30).to_bytes(8, "big"), "sha1")
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**8:08d}"


def mint(user, host, otp_seed, token_secret):
    """A token that logs user in to host once, if it is used within half a minute. Both names are in lower case."""
    otp = one_time_password(otp_seed, time.time())
    nonce = f"{secrets.randbelow(10**32):032d}"
    message = f"{otp}{nonce}{user}@{host}"
    signature = hmac.digest(token_secret.encode(), message.encode(), "sha256")
    return f"{otp}{nonce} {base64.b64encode(signature).decode()}"

#!/usr/bin/python3
"""Writes the published test vectors of the token, v1.

    make_vectors.py            writes token-v1.tsv beside this file
    make_vectors.py --table    prints the table for docs/token.md: the first vectors of the file

An implementation of docs/token.md that shares no code with the verifier: RFC 4648 base32, RFC 4226 and
RFC 6238 by hand on top of Python's hmac, hashlib, base64 and struct. Nothing here is random and no clock
is read, so it always writes the same file. The keys are examples: never use them.
"""

import base64
import hashlib
import hmac
import pathlib
import struct
import sys
from collections import namedtuple

HERE = pathlib.Path(__file__).resolve().parent
FILE = HERE / "token-v1.tsv"
TABLE_ROWS = 10

COLUMNS = (
    "name otp_seed token_secret user host time nonce "
    "otp_digits interval nonce_digits otp_hash signature_hash token"
).split()
Vector = namedtuple("Vector", COLUMNS)

# The seeds of RFC 6238, appendix B: ASCII digits, as long as the hash's output.
SEED_SHA1 = base64.b32encode(b"12345678901234567890").decode()
SEED_SHA256 = base64.b32encode(b"12345678901234567890123456789012").decode()
SEED_SHA512 = base64.b32encode((b"1234567890" * 7)[:64]).decode()
# 16 bytes: written with padding, and as people copy it from a telephone: lower case, none.
SEED_PADDED = base64.b32encode(bytes(range(0xF0, 0x100))).decode()
SEED_BARE = SEED_PADDED.rstrip("=").lower()

SECRET = "test.vectors+only/never=use_them~elsewhere,2026"
# Base32 by its looks, and still taken as the ASCII bytes that it is.
SECRET_BASE32 = "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA"
SECRET_HEX = "74d705c132f0c2c795771e23dca5a79ead6f7c56d90b01615cb6a8cf111f1f1d"


def decode_seed(text):
    """Base32 in either case, padded or not."""
    bare = text.rstrip("=").upper()
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def hotp(seed, counter, digits, hash_name):
    """RFC 4226, section 5.3, with any hash; decimal digits, zeros in front."""
    mac = hmac.new(seed, struct.pack(">Q", counter), getattr(hashlib, hash_name)).digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def mint(seed, secret, user, host, time, nonce, digits, interval, otp_hash, signature_hash):
    otp = hotp(decode_seed(seed), time // interval, digits, otp_hash)
    message = (otp + nonce + user + "@" + host).encode("utf-8")
    mac = hmac.new(secret.encode("ascii"), message, getattr(hashlib, signature_hash)).digest()
    return otp + nonce + " " + base64.b64encode(mac).decode()


def example_nonce(name, digits):
    """Decimal digits that look random and follow from the vector's name."""
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "big")
    return str(number).zfill(digits)[-digits:]


def vector(name, time, user="alice", host="example.org", seed=SEED_SHA1, secret=SECRET, nonce=None,
           digits=8, interval=30, nonce_digits=32, otp_hash="sha1", signature_hash="sha256"):
    nonce = nonce or example_nonce(name, nonce_digits)
    token = mint(seed, secret, user, host, time, nonce, digits, interval, otp_hash, signature_hash)
    return Vector(name, seed, secret, user, host, time, nonce, digits, interval, nonce_digits,
                  otp_hash, signature_hash, token)


def vectors():
    # The first ten are the table of docs/token.md.
    yield vector("defaults", 1767225600)
    yield vector("rfc6238-59", 59)
    yield vector("rfc6238-1111111109-leading-zero", 1111111109)
    yield vector("rfc6238-20000000000-beyond-32-bits", 20000000000)
    yield vector("seed-padded", 1767225600, seed=SEED_PADDED)
    yield vector("seed-lower-case-unpadded", 1767225600, seed=SEED_BARE)
    yield vector("user-utf8", 1767225600, user="jürgen", secret=SECRET_HEX)
    yield vector("otp-6-digits-interval-60", 1767225600, digits=6, interval=60)
    yield vector("otp-sha512-signature-sha512", 1111111111, seed=SEED_SHA512, otp_hash="sha512",
                 signature_hash="sha512")
    yield vector("nonce-16-digits", 1767225600, nonce_digits=16)
    # RFC 6238, appendix B, the rest.
    for time in (1111111111, 1234567890, 2000000000):
        yield vector(f"rfc6238-{time}", time)
    for time in (59, 1111111109, 1234567890, 20000000000):
        yield vector(f"rfc6238-sha256-{time}", time, seed=SEED_SHA256, otp_hash="sha256")
        yield vector(f"rfc6238-sha512-{time}", time, seed=SEED_SHA512, otp_hash="sha512")
    # The edges of a time step.
    yield vector("first-second-of-a-step", 1767225600, nonce="0" * 32)
    yield vector("last-second-of-a-step", 1767225629, nonce="0" * 32)
    yield vector("first-second-of-the-next-step", 1767225630, nonce="0" * 32)
    yield vector("epoch", 0)
    # The same OTP at two steps: only the time tells them apart, the tokens are the same.
    for step in (58913288, 58913334):
        yield vector(f"recurring-otp-84086926-step-{step}", step * 30, nonce="84086926" * 4)
    for step in (74194138, 74194140):
        yield vector(f"recurring-otp-81101790-step-{step}", step * 30, nonce="81101790" * 4)
    # Zeros in front.
    yield vector("otp-00000071", 1829395230)
    yield vector("otp-000002", 1754096460, digits=6)
    yield vector("otp-10-digits", 1767225600, digits=10)
    yield vector("otp-9-digits-leading-zero", 1111111109, digits=9)
    yield vector("nonce-all-nines", 1767225600, nonce="9" * 32)
    yield vector("nonce-64-digits", 1767225600, nonce_digits=64)
    # The other settings.
    yield vector("interval-1", 1767225600, interval=1)
    yield vector("interval-900", 1767225600, interval=900)
    yield vector("signature-sha512", 1767225600, signature_hash="sha512")
    yield vector("everything-at-its-longest", 1767225600, seed=SEED_SHA512, digits=10, interval=60,
                 nonce_digits=64, otp_hash="sha512", signature_hash="sha512", user="u" * 255,
                 host=".".join(["h" * 63] * 3))
    yield vector("everything-at-its-shortest", 1767225600, digits=6, nonce_digits=16, user="a",
                 host="b")
    # Names as a chat server asks them.
    yield vector("user-of-digits", 1767225600, user="1234567")
    yield vector("user-begins-with-a-digit", 1767225600, user="1admin")
    yield vector("user-punctuation", 1767225600, user="o.connor-smith_2+chat")
    yield vector("user-cyrillic", 1767225600, user="алиса")
    yield vector("user-four-byte-utf8", 1767225600, user="𐌰𐌱𐌲")
    yield vector("user-1023-bytes", 1767225600, user="x" * 1023)
    yield vector("host-of-one-label", 1767225600, host="localhost")
    yield vector("host-deep", 1767225600, host="chat.intranet.department.example.org")
    yield vector("secret-looks-like-base32", 1767225600, secret=SECRET_BASE32)


def tsv():
    lines = ["\t".join(COLUMNS)] + ["\t".join(map(str, each)) for each in vectors()]
    return "\n".join(lines) + "\n"


def table():
    def code(value):
        return f"`{value}`"

    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for each in list(vectors())[:TABLE_ROWS]:
        lines.append("| " + " | ".join(map(code, each)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        sys.stdout.write(table())
    elif sys.argv[1:]:
        sys.exit("usage: make_vectors.py [--table]")
    else:
        FILE.write_text(tsv(), encoding="utf-8")

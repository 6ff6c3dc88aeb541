#!/usr/bin/python3
"""Writes the published key fingerprints, key-fingerprint.tsv, beside this file.

Four lines of Python after docs/token.md; nothing is shared with the daemon. The keys are examples: never
use them.
"""

import hashlib
import pathlib

import make_vectors

FILE = pathlib.Path(__file__).resolve().parent / "key-fingerprint.tsv"


def fingerprint(otp_seed, token_secret):
    seed, secret = make_vectors.decode_seed(otp_seed), token_secret.encode()
    parts = (len(part).to_bytes(4, "big") + part for part in (seed, secret))
    return hashlib.sha256(b"xmpp-authd key fingerprint\0" + b"".join(parts)).hexdigest()[:16]


def keys():
    """Name, otp_seed, token_secret."""
    yield "defaults", make_vectors.SEED_SHA1, make_vectors.SECRET
    yield "seed-padded", make_vectors.SEED_PADDED, make_vectors.SECRET
    yield "the-same-seed-lower-case-unpadded", make_vectors.SEED_BARE, make_vectors.SECRET
    yield "secret-of-hexadecimal", make_vectors.SEED_SHA1, make_vectors.SECRET_HEX
    yield "the-same-secret-in-upper-case", make_vectors.SEED_SHA1, make_vectors.SECRET_HEX.upper()
    yield "secret-looks-like-base32", make_vectors.SEED_SHA1, make_vectors.SECRET_BASE32
    yield "seed-of-32-bytes", make_vectors.SEED_SHA256, make_vectors.SECRET
    yield "seed-of-64-bytes", make_vectors.SEED_SHA512, make_vectors.SECRET
    # What the lengths are for: the border between the two moved by a byte.
    yield "border", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "1234567890123456789012"
    yield "border-a-byte-on", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGE", "234567890123456789012"


def tsv():
    lines = ["name\totp_seed\ttoken_secret\tfingerprint"]
    lines += ["\t".join((*key, fingerprint(*key[1:]))) for key in keys()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(tsv(), encoding="utf-8")

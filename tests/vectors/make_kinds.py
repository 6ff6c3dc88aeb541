#!/usr/bin/python3
"""Writes the published vectors of the other kinds of tokens, token-v2.tsv and token-jsxc.tsv, beside this file.

An implementation of docs/token.md that shares no code with the verifier, on Python's hmac and hashlib alone. Nothing here is
random and no clock is read. The keys are examples: never use them.
"""

import base64
import hashlib
import hmac
import pathlib

import make_fingerprints
import make_vectors

HERE = pathlib.Path(__file__).resolve().parent
V2_FILE, JSXC_FILE = HERE / "token-v2.tsv", HERE / "token-jsxc.tsv"
V2_COLUMNS = "name otp_seed token_secret user host issued lifetime nonce token".split()
JSXC_COLUMNS = "name jsxc_secret user host expiry token".split()
LETTERS = str.maketrans("OIl", "-$%")


def url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def v2(otp_seed, token_secret, user, host, issued, lifetime, nonce):
    """nonce: 16 bytes."""
    seed = make_vectors.decode_seed(otp_seed)
    key = hmac.digest(token_secret.encode(), b"xmpp-authd token v2 key\0" + seed, "sha256")
    name = make_fingerprints.fingerprint(otp_seed, token_secret)
    signed = [name, str(issued), str(lifetime), url(nonce)]
    message = b""
    for field in ["xmpp-authd token v2", *signed, user, host]:
        message += len(field.encode()).to_bytes(4, "big") + field.encode()
    return ".".join(["v2", *signed, url(hmac.digest(key, message, "sha256"))])


def jsxc(secret, jid, expiry):
    name = hashlib.sha256(secret.encode()).digest()[:2]
    end = expiry.to_bytes(4, "big")
    mac = hmac.digest(secret.encode(), b"\0" + name + end + jid.encode(), "sha256")[:16]
    return base64.b64encode(b"\0" + mac + name + end).decode().rstrip("=").translate(LETTERS)


def v2_rows():
    seed, secret = make_vectors.SEED_SHA1, make_vectors.SECRET

    def row(name, issued=1767225600, lifetime=60, user="alice", host="example.org", seed=seed, secret=secret, nonce=None):
        nonce = nonce if nonce is not None else hashlib.sha256(name.encode()).digest()[:16]
        return name, seed, secret, user, host, issued, lifetime, nonce.hex(), v2(seed, secret, user, host, issued, lifetime, nonce)

    yield row("usual")
    yield row("shortest", issued=1, lifetime=1, user="a", host="b")
    yield row("longest-numbers", issued=253402300799, lifetime=3600)
    yield row("nonce-of-zeros", nonce=bytes(16))
    yield row("nonce-of-ones", nonce=b"\xff" * 16)
    yield row("seed-padded", seed=make_vectors.SEED_PADDED)
    yield row("seed-lower-case-unpadded", seed=make_vectors.SEED_BARE)
    yield row("seed-of-64-bytes", seed=make_vectors.SEED_SHA512)
    yield row("secret-looks-like-base32", secret=make_vectors.SECRET_BASE32)
    yield row("user-utf8", user="jürgen", secret=make_vectors.SECRET_HEX)
    yield row("user-cyrillic", user="алиса")
    yield row("user-begins-with-a-digit", user="1admin")
    yield row("user-1023-bytes", user="x" * 1023)
    yield row("border-of-names", user="ab", host="c")
    yield row("border-of-names-a-byte-on", user="a", host="bc")
    yield row("border-of-numbers", issued=17672256001, lifetime=60, nonce=bytes(16))
    yield row("border-of-numbers-a-digit-on", issued=1767225600, lifetime=160, nonce=bytes(16))
    yield row("host-deep", host="chat.intranet.department.example.org")


def jsxc_rows():
    def row(name, expiry=1767229200, user="alice", host="example.org", secret=make_vectors.SECRET):
        return name, secret, user, host, expiry, jsxc(secret, f"{user}@{host}", expiry)

    yield row("usual")
    yield row("a-second-later", expiry=1767229201)
    yield row("end-of-32-bits", expiry=2**32 - 1)
    yield row("begin", expiry=1)
    yield row("secret-of-hexadecimal", secret=make_vectors.SECRET_HEX)
    yield row("user-utf8", user="jürgen")
    yield row("user-begins-with-a-digit", user="1admin")
    yield row("user-1023-bytes", user="x" * 1023)
    # Until each sign that stands for a letter was in one of them.
    for number in range(12):
        yield row(f"signs-{number}", expiry=1767230000 + number, user=f"user{number}")


def tsv(columns, rows):
    return "\n".join("\t".join(map(str, row)) for row in [columns, *rows]) + "\n"


def files():
    return {V2_FILE: tsv(V2_COLUMNS, v2_rows()), JSXC_FILE: tsv(JSXC_COLUMNS, jsxc_rows())}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")

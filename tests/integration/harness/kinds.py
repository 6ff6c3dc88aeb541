"""An independent minter of v2 and JSXC's tokens: that of the published vectors."""

import secrets
import sys
import time as clock

from . import confidential
from .daemon import TREE

sys.path.append(str(TREE / "tests/vectors"))

import make_kinds  # pylint: disable=wrong-import-position


def mint_v2(key, jid, issued=None, lifetime=60, nonce=None):
    """The v2 token of a JID, by a harness.minter.Key."""
    user, host = jid.rsplit("@", 1)
    issued = int(clock.time() if issued is None else issued)
    token = make_kinds.v2(key.seed, key.secret, user, host, issued, lifetime, nonce or secrets.token_bytes(16))
    confidential.keep(token, token.rsplit(".", 1)[1])
    return token


def mint_jsxc(secret, jid, expiry):
    token = make_kinds.jsxc(secret, jid, int(expiry))
    confidential.keep(token)
    return token


def new_jsxc_secret():
    secret = secrets.token_hex(32)
    confidential.keep(secret)
    return secret

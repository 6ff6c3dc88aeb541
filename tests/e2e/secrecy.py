"""What must never be seen: every token that a test minted, and every minter's two secrets."""

import base64
import re

from plone_minter import Minter

# Whatever is looked for stands in one such run of characters: digits, base32 or base64.
RUNS = re.compile(rb"[A-Za-z0-9+/=]{16,}")


def traces_of(token):
    """The bytes by which a token would be known: its two halves, and inside a SASL message's base64 at each of the three
    alignments."""
    raw = token.encode()
    return [*raw.split(b" "), *(base64.b64encode(b"\0" * shift + raw)[4:-8] for shift in range(3))]


def secrets_in(data):
    """Those of them that occur in the data."""
    runs = b"\n".join(set(RUNS.findall(data)))
    if not runs:
        return []
    traces = [trace for token in Minter.minted for trace in traces_of(token)]
    traces += [secret.encode() for minter in Minter.made for secret in (minter.otp_seed, minter.token_secret)]
    return [trace for trace in traces if trace in runs]

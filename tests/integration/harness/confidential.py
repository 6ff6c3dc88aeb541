"""Everything that must never be written anywhere: each secret, token and password that a test ever made or presented."""

HEAD = 24  # bytes by which a long one is looked up

_heads = {}  # the first bytes of a long one: all of it
_short = set()


def keep(*texts):
    """Remembers texts (bytes or str) as confidential. Below eight bytes they could stand in a log by chance."""
    for text in texts:
        raw = text.encode() if isinstance(text, str) else bytes(text)
        if len(raw) >= HEAD:
            _heads[raw[:HEAD]] = raw
        elif len(raw) >= 8:
            _short.add(raw)


def keep_token(token):
    """A token, and the two halves by which it would be known."""
    raw = token.encode() if isinstance(token, str) else bytes(token)
    keep(raw, *raw.split(b" ", 1))


def traces(written):
    """The confidential texts (their heads, for the long ones) found in what was written."""
    found = [text for text in _short if text in written]
    for at in range(len(written) - HEAD + 1):
        if written[at : at + HEAD] in _heads:
            found.append(written[at : at + HEAD])
    return found

"""Everything that must never be written anywhere: each secret, token and password that a test ever made or presented.

A daemon's output is searched when it ends, and once more when all tests are over, for what others made later."""

BLOCK = 12  # bytes that are looked up at a time: any 23 bytes in a row of what was kept are found
DISTINCT = 5  # different bytes in what is looked up, or it could stand in a log by chance

_blocks = set()
_short = set()
_public = set()
_archive = bytearray()  # all that daemons wrote


def keep(*texts):
    """Remembers texts (bytes or str) as confidential. Below eight bytes they could stand in a log by chance."""
    for text in texts:
        raw = text.encode() if isinstance(text, str) else bytes(text)
        if len(raw) >= 2 * BLOCK:
            blocks = (raw[at : at + BLOCK] for at in range(0, len(raw) - BLOCK + 1, BLOCK))
            _blocks.update(block for block in blocks if len(set(block)) >= DISTINCT)
        elif len(raw) >= 8 and len(set(raw)) >= DISTINCT:
            _short.add(raw)


def keep_token(token):
    """A token, and the two halves by which it would be known."""
    raw = token.encode() if isinstance(token, str) else bytes(token)
    keep(raw, *raw.split(b" ", 1))


def release(text):
    """What stands in this text may be written, whatever password it is a part of."""
    _public.update(text[at : at + BLOCK] for at in range(len(text) - BLOCK + 1))


def traces(written):
    """The confidential texts (or blocks of them) found in what was written."""
    return [text for text in _short if text in written] + blocks_in(written)


def blocks_in(written):
    """The same for long texts alone: short ones are passwords of some test's own, and words of another's."""
    found = (written[at : at + BLOCK] for at in range(len(written) - BLOCK + 1) if written[at : at + BLOCK] in _blocks)
    return [block for block in found if block not in _public]


def archive(written):
    """Keeps what was written, for the search at the end."""
    _archive.extend(written)


def traces_in_archive():
    """What was found in anything that was ever written, now that all that is confidential is known."""
    return blocks_in(bytes(_archive))

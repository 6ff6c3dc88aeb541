"""docs/metrics.md has the metrics of the daemon's table, in its order, each with its type and labels."""

import re

from documents import ROOT

DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
SOURCE = (ROOT / "src" / "daemon" / "metrics.c").read_text()


def documented():
    """(name, type, labels) of each row."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ?([`\w, ]*)\|", DOCUMENT, flags=re.MULTILINE)
    return [(name, kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows]


def test_the_document_has_every_metric_in_the_codes_order():
    table = SOURCE[SOURCE.index("families[] = {") :]
    exported = re.findall(r'^    \{"(\w+)", "(\w+)", "[^"]+"', table, flags=re.MULTILINE)
    assert len(exported) >= 20
    assert [(name, kind) for name, kind, _ in documented()] == exported


def test_the_document_has_every_label():
    labels = set(re.findall(r'\{"(\w+)", (?:question|host|reason_word|row->|XMPP|"re)', SOURCE))
    labels |= set(re.findall(r'\(struct label\)\{\s*"(\w+)"', SOURCE))
    assert {label for _, _, row in documented() for label in row} == labels | {"reason"}

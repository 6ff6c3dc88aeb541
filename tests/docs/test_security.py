"""docs/security.md: each promise names tests that hold it, and those tests are there."""

import re

from documents import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
REFERENCE = re.compile(r"`(tests/[\w/]+\.(?:py|c))::(\w+)`")


def promises():
    section = TEXT.split("\n## Promises\n", 1)[1].split("\n## ", 1)[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows[1:]]


def is_there(path, name):
    file = ROOT / path
    if not file.exists():
        return False
    definition = rf"^def {name}\(" if path.endswith(".py") else rf"^(?:static )?\w[\w ]*\b{name}\("
    return re.search(definition, file.read_text(), flags=re.MULTILINE) is not None


def test_each_promise_names_a_test():
    assert len(promises()) > 10
    assert [promise for promise, held_by in promises() if not REFERENCE.search(held_by)] == []


def test_each_test_that_is_named_is_there():
    named = REFERENCE.findall(TEXT)
    assert [f"{path}::{name}" for path, name in named if not is_there(path, name)] == []


def test_a_test_that_is_not_there_is_found():
    assert is_there("tests/docs/test_security.py", "promises")
    assert not is_there("tests/docs/test_security.py", "promise")
    assert not is_there("tests/docs/test_none.py", "promises")

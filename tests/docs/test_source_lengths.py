"""The source keeps to what it promises of itself: files of one idea, functions that are read at a glance."""

import pytest

from documents import ROOT

FILE_MAX, FUNCTION_MAX = 400, 60
SOURCES = sorted([*(ROOT / "src").glob("**/*.c"), *(ROOT / "src").glob("**/*.h")])


def functions(lines):
    """(name's line, first line's number, length) of each function: the formatter puts its outer braces at a line's beginning, and
    its type and name in the lines before, behind a blank one, a comment, or what ends something else."""
    for opening, line in enumerate(lines):
        if line != "{":
            continue
        begin = opening
        while begin > 0 and lines[begin - 1] and not lines[begin - 1].startswith(("}", "#", "/*", " *")) and not lines[begin - 1].endswith(
                (";", "*/", "\\")):
            begin -= 1
        yield lines[begin], begin + 1, lines.index("}", opening) - begin + 1


def test_no_file_is_too_long():
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > FILE_MAX} == {}


def test_no_function_is_too_long():
    found = [(path.relative_to(ROOT), *function) for path in SOURCES for function in functions(path.read_text().splitlines())]
    assert len(found) > 1000, "they are not found any more: has the style of braces changed?"
    assert [(str(path), line, length) for path, _, line, length in found if length > FUNCTION_MAX] == []


@pytest.mark.parametrize("body", [1, 57, 58, 200])
def test_a_function_is_measured_from_its_type_to_its_brace(body):
    text = ["/* A comment. */", "static int", "name(int a)", "{", *["    a++;"] * body, "}", "", "int other;"]
    assert list(functions(text)) == [("static int", 2, body + 4)]

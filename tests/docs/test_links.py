"""Every link from one document of the project to another leads somewhere."""

import re
import subprocess

from documents import ROOT


def documents():
    names = subprocess.run([ROOT / "tools" / "list-files"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if name.endswith(".md")]


def without_fences(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(path):
    """The names that a reader's program makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", without_fences(path.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path, root=ROOT):
    broken = []
    prose = re.sub(r"`[^`\n]*`", "", without_fences(path.read_text()))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or not file.is_relative_to(root) or (anchor and anchor not in anchors(file)):
            broken.append(target)
    return broken


def test_every_relative_link_leads_to_a_file_and_a_heading():
    assert {str(path.relative_to(ROOT)): links for path in documents() if (links := broken_links(path))} == {}


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    links = "[good](#a-b-c) [bad](#a-b) [gone](gone.md) `[code](none.md)`"
    page.write_text(f"# A b, c\n{links}\n```\n[code](none.md)\n```\n")
    assert broken_links(page, tmp_path) == ["#a-b", "gone.md"]


def test_readme_leads_to_every_document():
    readme = (ROOT / "README.md").read_text()
    for path in documents():
        if path.parent == ROOT / "docs":
            assert f"(docs/{path.name})" in readme, path.name

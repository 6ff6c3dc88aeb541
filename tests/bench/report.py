"""The report: chapters of figures, the marks that they are held against, and the files that it is written to."""

import dataclasses
import json
import os
import re


@dataclasses.dataclass
class Mark:
    """A figure that must reach, or must not pass, a limit."""

    name: str
    value: float
    limit: float
    at_least: bool
    unit: str = ""

    @property
    def passed(self):
        """Whether it does."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self):
        """As a row of the table of marks."""
        wanted = f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit}"
        return [self.name, f"{self.value:.2f}{self.unit}", wanted, "pass" if self.passed else "MISS"]


@dataclasses.dataclass
class Chapter:
    """One kind of measurement: what it found, as tables, as what a program can read, and as marks.

    A chapter's plots are drawn from its figures alone, by a function plots(figures) of the module that measures it. It
    gives pairs of what the plot shows, in words, and the SVG, by the plot's file name.
    """

    title: str
    key: str  # in results.json
    figures: object = None
    tables: list = dataclasses.field(default_factory=list)  # as text
    notes: list = dataclasses.field(default_factory=list)  # a sentence each
    marks: list = dataclasses.field(default_factory=list)
    plots: dict = dataclasses.field(default_factory=dict)

    def text(self):
        """For a terminal."""
        return "\n\n".join([self.title, *self.tables, *self.notes])

    def markdown(self):
        """For a page."""
        plots = [f"![{what}]({name})" for name, (what, _) in self.plots.items()]
        tables = [f"```text\n{table}\n```" for table in self.tables]
        return "\n\n".join([f"## {self.title}", *plots, *tables, *self.notes])


def _is_figure(cell):
    return cell == "" or (re.fullmatch(r"[<>=]* ?-?[\d,.]+( ?[A-Za-z]+)?", cell) is not None and not cell.endswith(","))


def table(header, rows):
    """A table as text: words to the left, figures to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    right = [any(row[i] for row in rows) and all(_is_figure(row[i]) for row in rows) for i in range(len(header))]

    def line(row):
        cells = zip(row, widths, right, strict=True)
        return "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def facts_lines(facts):
    """What the figures were taken with, a fact a line."""
    width = max(map(len, facts)) + 2
    return "\n".join(f"{name + ':':{width}}{value}" for name, value in facts.items())


def marks_table(marks):
    """Every mark, and whether it is reached."""
    return table(["mark", "measured", "wanted", ""], [mark.row() for mark in marks])


def _rounded(figures):
    """Figures with as many digits as say something."""
    if isinstance(figures, dict):
        return {name: _rounded(value) for name, value in figures.items()}
    if isinstance(figures, (list, tuple)):
        return [_rounded(value) for value in figures]
    return float(f"{figures:.5g}") if isinstance(figures, float) else figures


def _page(facts, chapters, marks):
    missed = sum(not mark.passed for mark in marks)
    said = "All marks are reached." if missed == 0 else f"Missed: {missed} of {len(marks)} marks."
    parts = [
        "# What `make bench` measured",
        "Written by `make bench`, which replaces this page. [docs/performance.md](../performance.md) says what is measured and "
        "how to read it; [results.json](results.json) has the same figures for programs.",
        f"```text\n{facts_lines(facts)}\n```",
        f"## Marks\n\n{said}",
        f"```text\n{marks_table(marks)}\n```",
        *(chapter.markdown() for chapter in chapters),
    ]
    return "\n\n".join(parts) + "\n"


def write_files(directory, files):
    """Writes texts by their files' names."""
    for name, content in files.items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(content)


def write(directory, facts, chapters):
    """Writes results.md, results.json and the plots, in place of those that are there."""
    marks = [mark for chapter in chapters for mark in chapter.marks]
    figures = {
        "facts": facts,
        "marks": [{**dataclasses.asdict(mark), "passed": mark.passed} for mark in marks],
        **{chapter.key: chapter.figures for chapter in chapters},
    }
    files = {"results.md": _page(facts, chapters, marks), "results.json": json.dumps(_rounded(figures), indent=1) + "\n"}
    for chapter in chapters:
        files.update({name: svg for name, (_, svg) in chapter.plots.items()})
    os.makedirs(directory, exist_ok=True)
    for old in os.listdir(directory):
        if old.endswith(".svg"):
            os.unlink(os.path.join(directory, old))
    write_files(directory, files)

"""The table: figures, and the marks that they are held against."""

import dataclasses
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


def _is_figure(cell):
    return re.fullmatch(r"[<>=]* ?-?[\d,.]+( ?[A-Za-z]+)?", cell) is not None and not cell.endswith(",")


def table(header, rows):
    """A table as text: words to the left, figures to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    right = [bool(rows) and all(_is_figure(row[i]) for row in rows) for i in range(len(header))]

    def line(row):
        cells = zip(row, widths, right, strict=True)
        return "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def machine_lines(facts):
    """The machine, a fact a line."""
    return "\n".join(f"{name + ':':11}{value}" for name, value in facts.items())

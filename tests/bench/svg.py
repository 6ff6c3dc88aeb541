"""Plots as SVG: small, the same bytes for the same figures, without script, and readable on light and dark pages.

Not by a plotting library: those bring a hundred megabytes, draw letters as outlines, and know one background.

A chart is one or more panels side by side, or in rows, that share their axes, so that they can be compared.
"""

import dataclasses
import math
from xml.sax.saxutils import escape

MARGIN = 16
TITLE_HEIGHT = 30
LEGEND_HEIGHT = 26
PANEL_TITLE_HEIGHT = 22
X_AXIS_HEIGHT = 44
Y_AXIS_WIDTH = 64
CHARACTER = 6.6  # the width of one at 12 pixels, roughly: no font is asked
BAR_HEIGHT = 18
BAR_STEP = 25

# Colours apart for colour-blind readers too; each kind of line has a mark of its own besides.
COLOURS = [("#0b6bcb", "#6cb6ff"), ("#b45309", "#f7a54a"), ("#57606a", "#a5afba"), ("#8a3ffc", "#c9a2ff"), ("#1a7f37", "#57c46f")]
DASHES = ["", "", "6 4", "2 3", ""]
STYLE = """\
text{font:12px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.panel{font-weight:600}.soft{fill:#59636e}
.page{fill:#fff}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#818b98;stroke-width:1}
polyline{fill:none;stroke-width:2;stroke-linejoin:round}
"""
DARK = """\
text{fill:#e6edf3}.soft{fill:#9da7b1}.page{fill:#0d1117}.grid{stroke:#2b323b}.axis{stroke:#6e7681}
"""


@dataclasses.dataclass
class Series:
    """A line: its name, which has the same look in every panel, and its points, whose x are above 0."""

    name: str
    points: list


@dataclasses.dataclass
class Panel:
    """Lines in the same axes."""

    title: str
    series: list


@dataclasses.dataclass
class Bar:
    """A bar, its name beside it. The bars that stand out are those of the daemon."""

    name: str
    value: float
    stands_out: bool = False


def _number(value):
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def _text(x, y, content, anchor="start", kind="", turned=False):
    turn = f' transform="rotate(-90 {_number(x)} {_number(y)})"' if turned else ""
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{_number(x)}" y="{_number(y)}" text-anchor="{anchor}"{kind}{turn}>{escape(content)}</text>'


def _line(x1, y1, x2, y2, kind):
    return f'<line x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}" class="{kind}"/>'


def _mark(shape, x, y):
    """A point of a line of the shape-th kind."""
    kind = f'class="k{shape}"'
    if shape == 0:
        return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="3.5" {kind}/>'
    if shape == 1:
        return f'<rect x="{_number(x - 3.2)}" y="{_number(y - 3.2)}" width="6.4" height="6.4" {kind}/>'
    corners = {2: ((0, -4.5), (4.2, 3.2), (-4.2, 3.2)), 3: ((0, -4.6), (4.6, 0), (0, 4.6), (-4.6, 0))}
    points = corners.get(shape, ((-4.2, -3.2), (4.2, -3.2), (0, 4.5)))
    return f'<polygon points="{" ".join(f"{_number(x + dx)},{_number(y + dy)}" for dx, dy in points)}" {kind}/>'


def _style():
    light = "".join(
        f".k{i}{{fill:{colour}}}.l{i}{{stroke:{colour}{f';stroke-dasharray:{dash}' if dash else ''}}}\n"
        for i, ((colour, _), dash) in enumerate(zip(COLOURS, DASHES, strict=True))
    )
    dark = "".join(f".k{i}{{fill:{colour}}}.l{i}{{stroke:{colour}}}" for i, (_, colour) in enumerate(COLOURS))
    return f"<style>\n{STYLE}{light}@media (prefers-color-scheme:dark){{\n{DARK}{dark}\n}}\n</style>"


def _document(width, height, title, parts):
    size = f'width="{_number(width)}" height="{_number(height)}" viewBox="0 0 {_number(width)} {_number(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<title>{escape(title)}</title>\n{_style()}'
    page = f'<rect class="page" width="{_number(width)}" height="{_number(height)}"/>'
    return "\n".join([head, page, _text(MARGIN, MARGIN + 12, title, kind="title"), *parts, "</svg>", ""])


def short(value):
    """A number as an axis has it: 20k, 1.5M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.6g}{unit}"
    return f"{value:.6g}"


class _Axis:
    """Values to pixels."""

    def __init__(self, ticks, start, end, logarithmic, bounds=None):
        self.ticks = ticks
        self.logarithmic = logarithmic
        low, high = bounds or (ticks[0], ticks[-1])
        self.low, self.high = self._scaled(low), self._scaled(high)
        self.start, self.end = start, end

    def _scaled(self, value):
        return math.log10(value) if self.logarithmic else value

    def at(self, value):
        """The pixel of a value."""
        span = self.high - self.low
        return self.start + (self._scaled(value) - self.low) / (span or 1) * (self.end - self.start)


def linear_ticks(highest, about=5):
    """From 0 to the first round number that nothing goes beyond."""
    raw = max(highest, 1e-9) / about
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    return [i * step for i in range(math.ceil(highest / step - 1e-9) + 1)]


def log_ticks(lowest, highest):
    """1, 2 and 5 of every power of ten, or the powers alone where that would be many."""
    decades = range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)
    factors = (1, 2, 5) if len(decades) <= 3 else (1, 3) if len(decades) <= 4 else (1,)
    ticks = [factor * 10**decade for decade in decades for factor in factors]
    first = max((t for t in ticks if t <= lowest * 1.0001), default=ticks[0])
    last = min((t for t in ticks if t >= highest * 0.9999), default=ticks[-1])
    return [tick for tick in ticks if first <= tick <= last]


def _panel(panel, left, top, width, height, x_ticks, y_ticks, x_log, y_log, names, with_y_labels):
    x_axis = _Axis(x_ticks, left + 12, left + width - 12, x_log)
    y_axis = _Axis(y_ticks, top + height, top, y_log)
    parts = [_text(left, top - 8, panel.title, kind="panel")] if panel.title else []
    for tick in y_ticks:
        y = y_axis.at(tick)
        parts.append(_line(left, y, left + width, y, "axis" if tick == y_ticks[0] else "grid"))
        if with_y_labels:
            parts.append(_text(left - 6, y + 4, short(tick), "end", "soft"))
    for tick in x_ticks:
        x = x_axis.at(tick)
        parts.append(_line(x, top + height, x, top + height + 4, "axis"))
        parts.append(_text(x, top + height + 18, short(tick), "middle", "soft"))
    for series in panel.series:
        look = names.index(series.name)
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in series.points]
        parts.append(f'<polyline class="l{look}" points="{" ".join(f"{_number(x)},{_number(y)}" for x, y in places)}"/>')
        parts += [_mark(look, x, y) for x, y in places]
    return parts


def _legend(names, left, top):
    parts = []
    for look, name in enumerate(names):
        parts.append(f'<polyline class="l{look}" points="{_number(left)},{top} {_number(left + 26)},{top}"/>')
        parts.append(_mark(look, left + 13, top))
        parts.append(_text(left + 32, top + 4, name))
        left += 32 + len(name) * CHARACTER + 22
    return parts


def lines(title, x_label, y_label, panels, columns=1, x_log=True, y_log=False, size=(360, 220)):
    """A chart of lines over an x axis, logarithmic or not, whose ticks are the points' own; y from 0, or logarithmic too."""
    width, height = size
    names = list(dict.fromkeys(series.name for panel in panels for series in panel.series))
    points = [point for panel in panels for series in panel.series for point in series.points]
    x_ticks = sorted({x for x, _ in points})
    values = [y for _, y in points]
    y_ticks = log_ticks(min(values), max(values)) if y_log else linear_ticks(max(values))
    rows = math.ceil(len(panels) / columns)
    step_x, step_y = width + 24, PANEL_TITLE_HEIGHT + height + 30
    left, top = MARGIN + Y_AXIS_WIDTH, MARGIN + TITLE_HEIGHT + LEGEND_HEIGHT
    parts = _legend(names, left, MARGIN + TITLE_HEIGHT + 4)
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        at = (left + column * step_x, top + row * step_y + PANEL_TITLE_HEIGHT)
        parts += _panel(panel, *at, width, height, x_ticks, y_ticks, x_log, y_log, names, column == 0)
    whole_width = left + columns * step_x - 24 + MARGIN
    whole_height = top + rows * step_y + X_AXIS_HEIGHT - 30
    parts.append(_text((left + whole_width - MARGIN) / 2, whole_height - 10, x_label, "middle"))
    parts.append(_text(MARGIN + 8, (top + whole_height - X_AXIS_HEIGHT) / 2, y_label, "middle", turned=True))
    return _document(whole_width, whole_height, title, parts)


def bars(title, label, groups, width=420):
    """Horizontal bars from 0 in named groups, each with its figure: pairs of a name and its Bars."""
    every = [bar for _, group in groups for bar in group]
    left = MARGIN + max(len(bar.name) for bar in every) * CHARACTER + 14
    axis = _Axis(linear_ticks(max(bar.value for bar in every)), left, left + width, False)
    bottom = MARGIN + TITLE_HEIGHT + 6 + sum(30 + len(group) * BAR_STEP for _, group in groups)
    parts = [_text(axis.at(tick), bottom + 16, short(tick), "middle", "soft") for tick in axis.ticks]
    y = MARGIN + TITLE_HEIGHT + 6
    for name, group in groups:
        parts.append(_text(MARGIN, y + 16, name, kind="panel"))
        y += 28
        for tick in axis.ticks:
            x = axis.at(tick)
            parts.append(_line(x, y - 4, x, y + len(group) * BAR_STEP - 3, "axis" if tick == 0 else "grid"))
        for bar in group:
            length = max(axis.at(bar.value) - left, 1)
            parts.append(_text(left - 8, y + 13, bar.name, "end"))
            parts.append(
                f'<rect x="{_number(left)}" y="{_number(y)}" width="{_number(length)}" height="{BAR_HEIGHT}"'
                f' class="k{0 if bar.stands_out else 2}"/>'
            )
            parts.append(_text(left + length + 6, y + 13, f"{bar.value:,.0f}"))
            y += BAR_STEP
        y += 2
    parts.append(_text(left + width / 2, bottom + 36, label, "middle"))
    return _document(left + width + 70, bottom + 48, title, parts)

"""The small chart of one cell's final trainings: loss and validation score by step, a line a seed.

There is one for every cell of a run, so it must be cheap. To start a drawing takes as long as to draw, so that many
are drawn as one and then cut apart. Four fifths of the time go into measuring text, so that the axes are drawn bare and
have the ends of their ranges, whose places are known, written beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import altair as alt

from bench.record import Record
from leaderboard.charts import look
from leaderboard.charts.sheet import Row, Sheet, Spec

TOGETHER = 25
"""So many cells are drawn as one."""

WORTH = 2
"""So many figures are drawn in the time of one such drawing."""

SIDE = 260
HEIGHT = 96
PADDING = 6
"""Pixels from the end of an axis to the lowest and the highest value."""

LEFT = 46
"""Pixels for the numbers of an axis."""

STEP = 146
"""Pixels from one panel of a cell to the next."""

PANELS = {"loss": "training loss by step, a line a seed", "validation": "validation score by step"}
"""What is drawn of each cell, as `bench.record.Point` calls it, with the words above it."""


def template() -> Spec:
    """A panel for each cell and each of PANELS, every one with its own axes."""
    bare = alt.Axis(grid=False, ticks=False, labels=False)
    scale = alt.Scale(nice=False, zero=False, padding=PADDING)
    x = alt.X("step:Q", title=None, scale=scale, axis=bare)
    y = alt.Y("value:Q", title=None, scale=scale, axis=bare)
    line = alt.Chart().mark_line(strokeWidth=1.6, strokeCap="round").encode(
        x=x, y=y, color=look.COLOR, strokeDash=look.DASH)
    panel = alt.Facet("panel:N", header=alt.Header(labelExpr="''", title=None))
    chart = line.properties(width=SIDE, height=HEIGHT).facet(facet=panel, columns=1, data=alt.NamedData("points"))
    return look.finished(chart.resolve_scale(x="independent", y="independent"), title=False)


def sheet(records: Sequence[Record]) -> Sheet:
    """The cells that are drawn as one, of each of which some final training has a curve."""
    rows: list[Row] = [
        {"panel": f"{place:03d}{number}", "look": str(seed % look.MOST), "step": point.step,
         "value": getattr(point, name)}
        for place, record in enumerate(records) for number, name in enumerate(PANELS)
        for seed, training in enumerate(record.finals) for point in training.curve
    ]
    return Sheet("", (), {"points": rows})


def apart(document: str, records: Sequence[Record]) -> list[str]:
    """The SVG documents of the cells that were drawn as one, in their order."""
    panels = _panels(document)
    count = len(PANELS)
    return [_document(record, panels[count * i:count * (i + 1)]) for i, record in enumerate(records)]


def _panels(document: str) -> list[str]:
    """What is inside of each panel's group; all that is written there are numbers."""
    parts = re.split(r'<g class="mark-group role-scope cell"[^>]*>', document, maxsplit=1)[1]
    found, depth, start = [], 0, 0
    for tag in re.finditer(r"<(/?)g\b[^>]*>", parts):
        depth += -1 if tag[1] else 1
        if depth == 1 and not tag[1]:  # a panel begins
            start = tag.end()
        elif depth == 0:
            found.append(parts[start:tag.start()])
        elif depth < 0:
            break
    return found


def _document(record: Record, panels: Sequence[str]) -> str:
    """One cell's panels below each other, each under its words."""
    width, height = LEFT + SIDE + 14, STEP * len(panels)
    inner = "".join(
        f'<g transform="translate({LEFT},{STEP * place + 24})">{panel}{_words(record, name)}</g>'
        for place, (panel, name) in enumerate(zip(panels, PANELS, strict=True))
    )
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><g fill="none">{inner}</g></svg>')


def _words(record: Record, name: str) -> str:
    """What a panel shows, and the lowest and the highest number of each axis."""
    points = [point for training in record.finals for point in training.curve]
    steps = [point.step for point in points]
    values = [getattr(point, name) for point in points]
    low, high, first, last = min(values), max(values), min(steps), max(steps)
    return "".join([
        _text(8 - LEFT, -10, "start", PANELS[name]),
        _text(-6, PADDING + 4, "end", f"{high:.3g}"),
        _text(-6, HEIGHT - PADDING + 4, "end", f"{low:.3g}") if high > low else "",
        _text(PADDING, HEIGHT + 15, "middle", f"{first:,}"),
        _text(SIDE - PADDING, HEIGHT + 15, "end", f"{last:,}") if last > first else "",
    ])


def _text(right: float, down: float, anchor: str, text: str) -> str:
    """A text of this module's own: digits and words that need no escaping."""
    return (f'<text x="{right}" y="{down}" text-anchor="{anchor}" fill="{look.INK}" font-family="sans-serif" '
            f'font-size="{look.FONT}px">{text}</text>')

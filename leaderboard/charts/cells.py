"""The small chart of one cell's final trainings: loss and validation score by step, a line a seed.

There is one for every cell of a run, and to start a drawing takes longer than to draw: many are drawn as one, and then
cut apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import altair as alt

from bench.record import Record
from leaderboard.charts import look
from leaderboard.charts.sheet import Row, Sheet, Spec

TOGETHER = 25
"""So many cells are drawn as one."""

SIDE = 260
HEIGHT = 96
LEFT = 46
"""Pixels for the numbers of an axis."""

STEP = 146
"""Pixels from one panel of a cell to the next."""

PANELS = {"loss": "training loss by step, a line a seed", "validation": "validation score by step"}
"""What is drawn of each cell, as `bench.record.Point` calls it, with the words above it."""


def template() -> Spec:
    """A panel for each cell and each of PANELS, every one with its own axes."""
    bare: dict[str, Any] = {"grid": False, "ticks": False, "labelOverlap": False, "tickCount": 3, "labelPadding": 5}
    x = alt.X("step:Q", title=None, scale=alt.Scale(nice=False, zero=False, padding=6), axis=alt.Axis(**bare))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(nice=False, zero=False, padding=6), axis=alt.Axis(**bare))
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


def apart(document: str) -> list[str]:
    """The SVG documents of the cells that were drawn as one, in their order."""
    panels = _panels(document)
    count = len(PANELS)
    return [_document(panels[i:i + count]) for i in range(0, len(panels), count)]


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


def _document(panels: Sequence[str]) -> str:
    """One cell's panels below each other, each under its words."""
    width, height = LEFT + SIDE + 14, STEP * len(panels)
    inner = "".join(
        f'<g transform="translate({LEFT},{STEP * place + 24})"><text x="{8 - LEFT}" y="-10" fill="{look.INK}" '
        f'font-family="sans-serif" font-size="{look.FONT}px">{words}</text>{panel}</g>'
        for place, (panel, words) in enumerate(zip(panels, PANELS.values(), strict=True))
    )
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><g fill="none">{inner}</g></svg>')

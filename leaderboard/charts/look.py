"""What all charts of a board look like: inks, shapes, dashes, labels that do not lie on each other. Knows no values.

Text, axes and what is not told apart by colour have the colour of the text around (`currentColor`), so that a chart can
be read on a light and on a dark page. Series differ in colour, in shape and in dash, and their names stand beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from leaderboard import figures
from leaderboard.charts.sheet import Row, Spec

INK = "currentColor"

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
"""Those of Okabe and Ito (2008, "Color Universal Design"), with the text's for black; yellow is not seen on white."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")

DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [4, 4])

MOST = len(COLORS)
"""So many series can be told apart by their looks."""

WIDTH = 360
HEIGHT = 270
LINE = 16
"""Pixels from one line of text to the next."""

GAP = 14
"""Pixels from the end of the axis to the labels."""

LONGEST = 34
"""Characters of a name in a label."""

WIDEST = 76
"""Characters of a line above a chart."""

FONT = 12
MARGIN = 0.04
"""The part of the range of scores that is left free above and below."""

LOOKS = [str(number) for number in range(MOST)]
"""How rows say which look they have: COLOR, SHAPE and DASH follow their field `look`."""

COLOR = alt.Color("look:N", scale=alt.Scale(domain=LOOKS, range=list(COLORS)), legend=None)
SHAPED = alt.Scale(domain=LOOKS, range=list(SHAPES))
SHAPE = alt.Shape("look:N", scale=SHAPED, legend=None)
DASHED = alt.Scale(domain=LOOKS, range=[DASHES[number % len(DASHES)] for number in range(MOST)])
DASH = alt.StrokeDash("look:N", scale=DASHED, legend=None)


def data(name: str) -> alt.Chart:
    """A chart of the data that a sheet gives under this name."""
    return alt.Chart(alt.NamedData(name))


def parameters(**values: Any) -> list[alt.Parameter]:
    """Parameters that a sheet may set."""
    return [alt.param(name=name, value=value) for name, value in values.items()]


def between(low: str, high: str) -> list[Any]:
    """The domain of a scale from one parameter to another."""
    return [alt.ExprRef(low), alt.ExprRef(high)]


def texts(name: str, **mark: Any) -> alt.Chart:
    """Texts of the rows {text, right, down}, in pixels from the upper left corner of the plot."""
    placed = {"xOffset": alt.expr("datum.right"), "yOffset": alt.expr("datum.down"), "baseline": "middle"}
    base = data(name).mark_text(color=INK, fontSize=FONT, **{**placed, **mark})
    chart: alt.Chart = base.encode(x=alt.value(0), y=alt.value(0), text="text:N")
    return chart


def span(values: Sequence[float | None]) -> tuple[float, float]:
    """The range of the known values with a margin; 0 to 100 where none is known."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 100.0
    margin = MARGIN * (max(known) - min(known)) or 1.0
    return min(known) - margin, max(known) + margin


def labels(ends: Sequence[Row], low: float, high: float, height: float) -> list[dict[str, Any]]:
    """The rows {text, at, ...} with `down`, in pixels: as near to the score `at` as it takes to lie on no other."""
    wanted = [height * (high - end["at"]) / (high - low) for end in ends]
    return [{**end, "down": down, "right": WIDTH + GAP}
            for end, down in zip(ends, spread(wanted, LINE, height), strict=True)]


def spread(wanted: Sequence[float], gap: float, most: float) -> list[float]:
    """Places as near to those wanted as it takes to keep them `gap` apart, in the same order, between 0 and `most`.

    Where they do not all fit, they run over `most`.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places: list[float] = []
    for i in order:
        places.append(max(wanted[i], places[-1] + gap if places else 0.0))
    limit = max(most, gap * (len(places) - 1))
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - gap
    back = dict(zip(order, places, strict=True))
    return [back[i] for i in range(len(wanted))]


def named(*names: str) -> str:
    """Foreign names as one short label; where they are too long, most of the last one is kept."""
    *first, last = map(figures.plain, names)
    kept = figures.shorten(last, LONGEST if not first else LONGEST * 2 // 3)
    return " ".join([*([figures.shorten(" ".join(first), LONGEST - len(kept) - 1)] if first else []), kept])


def line(text: str) -> str:
    """A line above a chart, cut to its width."""
    return figures.shorten(figures.plain(text), WIDEST)


def finished(chart: Any, title: bool = True) -> Spec:
    """A template of an Altair chart, with the looks that all share and, where wanted, room for a title."""
    config = {
        "background": "transparent", "font": "sans-serif", "aria": False, "view": {"stroke": None},
        "title": {
            "color": INK, "fontSize": 14, "subtitleColor": INK, "subtitleFontSize": FONT, "anchor": "start",
            "offset": 12, "frame": "bounds",
        },
        "axis": {
            "labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": INK,
            "domainOpacity": 0.4, "tickOpacity": 0.4, "gridOpacity": 0.12, "titleFontWeight": "normal",
            "labelFontSize": FONT, "titleFontSize": FONT,
        },
    }
    spec: Spec = (chart.properties(title=alt.Title(text=" ", subtitle=[" "])) if title else chart).to_dict()
    return {**spec, "config": config}

"""What the charts of a board look like, as Vega-Lite specifications made with Altair.

Pure functions of values: they draw nothing (`leaderboard.draw` does) and know no page. Altair takes most of a second to
import, so this module is imported only where there is something to draw.

Text, axes and what is not told apart by colour have the colour of the text around (`currentColor`), so that a chart can
be read on a light and on a dark page. Series differ in colour, in shape and in dash, and their names stand beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from leaderboard import figures
from leaderboard.curves import Curve, Panel, Point

Spec = dict[str, Any]
"""A Vega-Lite specification."""

INK = "currentColor"

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
"""Those of Okabe and Ito (2008, "Color Universal Design"), with the text's for black; yellow is not seen on white."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")

DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [4, 4])

MOST = len(COLORS)
"""So many curves stand out, with their intervals; of more, the best do, and the others are thin lines behind them."""

HEADING = "mean over seeds with its 95% interval; floor: the best trivial answer"

SHIFT = 5
"""Pixels from a curve to the next where both have as many rows, so that their intervals stand side by side."""

WIDTH = 440
HEIGHT = 280
LABEL = 15
"""Pixels from one label to the next."""

GAP = 14
"""Pixels from the end of the axis to the labels."""

EDGE = 24
"""Pixels of the axis left free at either end, for the curves that are moved aside."""

LONGEST = 30
"""Characters of a method's name in a label."""

WIDEST = 90
"""Characters of a line above the chart."""

MARGIN = 0.04
"""The part of the range of scores that is left free above and below."""


def learning_curves(panel: Panel) -> Spec:
    """Score against training rows on a logarithmic axis: a line with its 95% interval a method, the floor dashed.

    A line is broken where a cell has no score. The name of each method and its last score stand at the end of its line.
    """
    strong = _standing_out(panel)
    height = max(HEIGHT, LABEL * (len(panel.curves) + 2))
    span = _span(panel, strong)
    x, y = _x(panel), alt.Y("score:Q", title=figures.plain(panel.metric), scale=alt.Scale(domain=span, nice=False))
    weak = [curve for curve in panel.curves if curve not in strong]
    layers = [*_floor(panel, x, y), *_weak(weak, x, y), *_strong(strong, x, y), *_labels(panel, strong, span, height)]
    title = alt.Title(f"{figures.plain(panel.task)}, {figures.plain(panel.model)}", subtitle=_subtitle(panel))
    chart = alt.layer(*layers).properties(width=WIDTH, height=height, title=title)
    return _finished(chart)


def _subtitle(panel: Panel) -> list[str]:
    """What the marks mean, which of them stand out, and what is not there to be drawn."""
    many = len(panel.curves) > MOST
    none = ", ".join(figures.plain(curve.method) for curve in panel.curves if curve.last.score is None)
    return [
        HEADING,
        *([f"the {MOST} that end best stand out, the others are without intervals"] if many else []),
        *([figures.shorten(f"without any score: {none}", WIDEST)] if none else []),
    ]


def _standing_out(panel: Panel) -> list[Curve]:
    """All curves, or of too many those that end best at the largest number of rows."""
    most = max(point.rows for curve in panel.curves for point in curve.points)
    sign = -1 if panel.higher_is_better else 1

    def place(curve: Curve) -> tuple[bool, float]:
        return curve.last.rows < most, math.inf if curve.last.score is None else sign * curve.last.score

    best = sorted(panel.curves, key=place)[:MOST]
    return [curve for curve in panel.curves if curve in best]


def _span(panel: Panel, strong: Sequence[Curve]) -> list[float]:
    """The range of the scores, of the intervals that are drawn, and of the floor, with a margin."""
    points = [point for curve in panel.curves for point in curve.points]
    values = [point.score for point in points] + [score for _, score in panel.floor]
    values += [bound for curve in strong for point in curve.points for bound in (point.low, point.high)]
    known = [value for value in values if value is not None]
    margin = MARGIN * (max(known) - min(known)) or 1.0
    return [min(known) - margin, max(known) + margin]


def _x(panel: Panel) -> alt.X:
    sizes = sorted({point.rows for curve in panel.curves for point in curve.points})
    axis = alt.Axis(values=sizes, format=",d", labelOverlap="greedy", grid=False)
    scale = alt.Scale(type="log", domain=[sizes[0], sizes[-1]], nice=False, padding=EDGE)
    return alt.X("rows:Q", title="training rows (logarithmic)", axis=axis, scale=scale)


def _floor(panel: Panel, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    base = _of([{"rows": rows, "score": score} for rows, score in panel.floor]).encode(x=x, y=y)
    return [base.mark_line(color=INK, opacity=0.7, strokeWidth=1.2, strokeDash=[3, 3])] if panel.floor else []


def _weak(curves: Sequence[Curve], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    base = _of(_values(curves)).encode(x=x, y=y, detail="series:N")
    return [base.mark_line(color=INK, opacity=0.3, strokeWidth=1)] if curves else []


def _strong(curves: Sequence[Curve], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    series = [str(curve.place) for curve in curves]
    looks = _looks(curves)
    colors, shapes, dashes = ([kinds[look % len(kinds)] for look in looks] for kinds in (COLORS, SHAPES, DASHES))
    color = alt.Color("series:N", scale=alt.Scale(domain=series, range=colors), legend=None)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=series, range=shapes), legend=None)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=series, range=dashes), legend=None)
    base = _of(_values(curves)).encode(x=x, color=color)
    aside = alt.expr("datum.shift")
    return [
        base.mark_rule(opacity=0.6, strokeWidth=1.5, xOffset=aside).encode(y="low:Q", y2="high:Q"),
        base.mark_line(strokeWidth=2, xOffset=aside).encode(y=y, strokeDash=dash),
        base.mark_point(filled=True, size=55, opacity=1, xOffset=aside).encode(y=y, shape=shape),
    ]


def _looks(curves: Sequence[Curve]) -> list[int]:
    """A number for the look of each: the same in every panel, where there are looks for all methods of the board."""
    places = [curve.place for curve in curves]
    return places if max(places) < MOST else list(range(len(curves)))


def _of(values: list[dict[str, Any]]) -> alt.Chart:
    """A chart of these data, which are written into it."""
    return alt.Chart(alt.InlineData(values=values))


def _values(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """A datum for each point. Series go by their place: names are foreign text, and stand in labels only."""
    return [
        {"series": str(curve.place), "shift": _shift(number, len(curves)), **_datum(point)}
        for number, curve in enumerate(curves) for point in curve.points
    ]


def _shift(number: int, count: int) -> float:
    """Pixels by which a curve is moved aside: each by SHIFT from the one before, all together by nothing."""
    return SHIFT * (number - (count - 1) / 2)


def _datum(point: Point) -> dict[str, Any]:
    return {"rows": point.rows, "score": point.score, "low": point.low, "high": point.high}


def _labels(panel: Panel, strong: Sequence[Curve], span: Sequence[float], height: int) -> list[alt.Chart]:
    """Names at the right, none over another, each with a thin line from where its curve ends."""
    shifts = {curve.place: _shift(number, len(strong)) for number, curve in enumerate(strong)}
    ends: list[dict[str, Any]] = [
        {"text": _named(curve), "rows": curve.last.rows, "score": curve.last.score,
         "shift": shifts.get(curve.place, 0.0), "opacity": 1.0 if curve.place in shifts else 0.6}
        for curve in panel.curves if curve.last.score is not None
    ]
    ends += [{"text": "floor", "rows": r, "score": s, "shift": 0.0, "opacity": 0.6} for r, s in panel.floor[-1:]]
    low, high = span
    wanted = [height * (high - end["score"]) / (high - low) for end in ends]
    heights = spread(wanted, LABEL, height)
    values = [{**end, "label": high - (high - low) * y / height} for end, y in zip(ends, heights, strict=True)]
    thin = _of(values).mark_rule(color=INK, opacity=0.35, strokeWidth=0.7, xOffset=alt.expr("datum.shift"))
    leaders = thin.encode(
        x="rows:Q", y="score:Q", x2=alt.value(WIDTH + GAP - 3), y2="label:Q",
    )
    names = _of(values).mark_text(align="left", baseline="middle", color=INK, fontSize=11).encode(
        x=alt.value(WIDTH + GAP), y="label:Q", text="text:N", opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
    )
    return [leaders, names]


def _named(curve: Curve) -> str:
    return f"{figures.shorten(figures.plain(curve.method), LONGEST)}  {figures.score(curve.last.score)}"


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


def _finished(chart: alt.LayerChart | alt.FacetChart) -> Spec:
    """With the looks that all charts share."""
    config = {
        "background": "transparent", "font": "sans-serif", "aria": False, "view": {"stroke": None},
        "title": {
            "color": INK, "fontSize": 13, "subtitleColor": INK, "subtitleFontSize": 11, "anchor": "start", "offset": 12,
        },
        "axis": {
            "labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": INK,
            "domainOpacity": 0.4, "tickOpacity": 0.4, "gridOpacity": 0.12, "titleFontWeight": "normal",
            "labelFontSize": 11, "titleFontSize": 11,
        },
    }
    spec: Spec = chart.to_dict()
    return {**spec, "config": config}

"""Charts of one line a method: learning curves by training rows, and the best score so far by trials spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from leaderboard import figures
from leaderboard.charts import look
from leaderboard.charts.look import HEIGHT, INK, MOST, WIDTH
from leaderboard.charts.sheet import Row, Sheet, Spec
from leaderboard.curves import Curve, Panel, Point

SHIFT = 5
"""Pixels from a curve to the next where both have as many rows, so that their intervals stand side by side."""

EDGE = 24
"""Pixels of the axis left free at either end, for the curves that are moved aside."""


def by_rows() -> Spec:
    """The template of learning curves: rows on a logarithmic axis, a line with intervals each, the floor dashed."""
    return _template("training rows (logarithmic)", "log", "linear")


def by_trials() -> Spec:
    """The template of the best score so far: a stair each."""
    return _template("trials spent", "linear", "step-after")


def learning_curves(panel: Panel) -> Sheet:
    """A line is broken where a cell has no score. Each method's name and last score stand at the end of its line."""
    heading = "mean over seeds with its 95% interval; floor: the best trivial answer"
    return _sheet(panel, f"{panel.task}, {panel.model}: {panel.metric} by training rows", heading)


def best_so_far(panel: Panel) -> Sheet:
    """The best validation score of the completed trials after each trial; the panel's `rows` are trials."""
    heading = "of completed trials, on validation rows; the first trial runs at the default"
    return _sheet(panel, f"{panel.task}, {panel.model}: best {panel.metric} so far", heading)


def _template(title: str, scale: str, interpolate: str) -> Spec:
    domain = look.between("first", "last")
    axis = alt.Axis(values=alt.ExprRef("ticks"), format=",d", labelOverlap="greedy", grid=False)
    x = alt.X("rows:Q", title=title, axis=axis,
              scale=alt.Scale(type=scale, domain=domain, nice=False, padding=EDGE))  # type: ignore[arg-type]
    y = alt.Y("score:Q", title=None, scale=alt.Scale(domain=look.between("low", "high"), nice=False, zero=False))
    chart = alt.layer(_floor(x, y), _weak(x, y, interpolate), *_strong(x, y, interpolate), *_labels(x, y))
    limits = look.parameters(first=1, last=10, low=0, high=1, ticks=[1, 10])
    return look.finished(chart.add_params(*limits).properties(width=WIDTH, height=HEIGHT))


def _floor(x: alt.X, y: alt.Y) -> alt.Chart:
    line: alt.Chart = look.data("floor").mark_line(color=INK, opacity=0.7, strokeWidth=1.2, strokeDash=[3, 3])
    return line.encode(x=x, y=y)


def _weak(x: alt.X, y: alt.Y, interpolate: Any) -> alt.Chart:
    base: alt.Chart = look.data("weak").mark_line(color=INK, opacity=0.3, strokeWidth=1, interpolate=interpolate)
    return base.encode(x=x, y=y, detail="look:N")


def _strong(x: alt.X, y: alt.Y, interpolate: Any) -> list[alt.Chart]:
    base, aside = look.data("strong").encode(x=x, color=look.COLOR), alt.expr("datum.shift")
    stair: dict[str, Any] = {"strokeWidth": 2, "xOffset": aside, "interpolate": interpolate}
    return [
        base.mark_rule(opacity=0.6, strokeWidth=1.5, xOffset=aside).encode(
            y=alt.Y("low:Q", title=None), y2="high:Q"),
        base.mark_line(**stair).encode(y=y, strokeDash=look.DASH),
        base.mark_point(filled=True, size=50, opacity=1, xOffset=aside).encode(y=y, shape=look.SHAPE),
    ]


def _labels(x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Names at the right, each with a thin line from where its curve ends."""
    thin = look.data("labels").mark_rule(
        color=INK, opacity=0.35, strokeWidth=0.7, xOffset=alt.expr("datum.shift"), y2Offset=alt.expr("datum.down"))
    leaders = thin.encode(x=x, y=y, x2=alt.value(WIDTH + look.GAP - 3), y2=alt.value(0))
    return [leaders, look.texts("labels", align="left", opacity=alt.expr("datum.opacity"))]


def _sheet(panel: Panel, title: str, heading: str) -> Sheet:
    strong = _standing_out(panel)
    weak = [curve for curve in panel.curves if curve not in strong]
    height = max(HEIGHT, look.LINE * (len(panel.curves) + 2))
    low, high = _span(panel, strong)
    sizes = sorted({point.rows for curve in panel.curves for point in curve.points})
    return Sheet(
        title=look.line(title),
        subtitle=_subtitle(panel, heading),
        data={
            "floor": [{"rows": rows, "score": score} for rows, score in panel.floor],
            "weak": _rows(weak, 0.0, [curve.place for curve in weak]),
            "strong": _rows(strong, SHIFT, _looks(strong)),
            "labels": look.labels(_ends(panel, strong), low, high, height),
        },
        values={"first": sizes[0], "last": max(sizes[-1], sizes[0] + 1), "low": low, "high": high, "ticks": sizes},
        height=height,
    )


def _subtitle(panel: Panel, heading: str) -> tuple[str, ...]:
    """What the marks mean, which of them stand out, and what is not there to be drawn."""
    many = len(panel.curves) > MOST
    none = ", ".join(curve.method for curve in panel.curves if curve.last.score is None)
    return (
        heading,
        *([f"the {MOST} that end best stand out; thin lines: the others, without intervals"] if many else []),
        *([look.line(f"without any score: {none}")] if none else []),
    )


def _standing_out(panel: Panel) -> list[Curve]:
    """All curves, or of too many those that end best at the largest number of rows."""
    most = max(point.rows for curve in panel.curves for point in curve.points)
    sign = -1 if panel.higher_is_better else 1

    def place(curve: Curve) -> tuple[bool, float]:
        return curve.last.rows < most, math.inf if curve.last.score is None else sign * curve.last.score

    best = sorted(panel.curves, key=place)[:MOST]
    return [curve for curve in panel.curves if curve in best]


def _span(panel: Panel, strong: Sequence[Curve]) -> tuple[float, float]:
    """The range of the scores, of the intervals that are drawn, and of the floor."""
    values = [point.score for curve in panel.curves for point in curve.points] + [score for _, score in panel.floor]
    return look.span(values + [bound for c in strong for point in c.points for bound in (point.low, point.high)])


def _looks(curves: Sequence[Curve]) -> list[int]:
    """A number for the look of each: the same in every panel, where there are looks for all methods of the board."""
    places = [curve.place for curve in curves]
    return places if max(places) < MOST else list(range(len(curves)))


def _rows(curves: Sequence[Curve], shift: float, looks: Sequence[int]) -> list[Row]:
    """A row for each point. Series go by number: names are foreign text, and stand in labels only."""
    return [
        {"look": str(seen), "shift": _shift(number, len(curves), shift), **_row(point)}
        for number, (curve, seen) in enumerate(zip(curves, looks, strict=True)) for point in curve.points
    ]


def _shift(number: int, count: int, shift: float) -> float:
    """Pixels by which a curve is moved aside: each by `shift` from the one before, all together by nothing."""
    return shift * (number - (count - 1) / 2)


def _row(point: Point) -> dict[str, Any]:
    return {"rows": point.rows, "score": point.score, "low": point.low, "high": point.high}


def _ends(panel: Panel, strong: Sequence[Curve]) -> list[Row]:
    """Where each label belongs, and what it says."""
    shifts = {curve.place: _shift(number, len(strong), SHIFT) for number, curve in enumerate(strong)}
    ends: list[Row] = [
        {"text": f"{look.named(curve.method)} · {figures.score(curve.last.score)}", "rows": curve.last.rows,
         "score": curve.last.score, "at": curve.last.score, "shift": shifts.get(curve.place, 0.0),
         "opacity": 1.0 if curve.place in shifts else 0.6}
        for curve in panel.curves if curve.last.score is not None
    ]
    floor: list[Row] = [{"text": "floor", "rows": r, "score": s, "at": s, "shift": 0.0, "opacity": 0.6}
                        for r, s in panel.floor[-1:]]
    return [*ends, *floor]

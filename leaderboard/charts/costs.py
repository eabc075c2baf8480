"""The chart of score against cost, with the Pareto front: what it takes to get better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from leaderboard import figures
from leaderboard.charts import look
from leaderboard.charts.look import HEIGHT, INK, MOST, WIDTH
from leaderboard.charts.sheet import Row, Sheet, Spec
from leaderboard.trades import DIGITS, EXACT, Dot, Trade

FORMATS = {"trainable parameters": "~s", "seconds": ",~r", "peak memory": "~s"}
TITLES = {
    "trainable parameters": "trainable parameters (logarithmic)",
    "seconds": "seconds for the whole cell, its search too (logarithmic)",
    "peak memory": "peak memory in bytes (logarithmic)",
}

STEP = 4.0
"""A cost of 0 has no place on a logarithmic axis: it stands so many times below the smallest other one, named 0."""

RATIO = 2.5
"""From the lowest cost on the axis to the highest at least."""

KEY = 52
"""Pixels from the end of the plot to the key below it."""

COLUMN = 172
"""Pixels from one entry of the key to the next beside it."""

SHAPE = alt.Shape("shape:N", scale=look.SHAPED, legend=None)


def template(cost: str) -> Spec:
    """For one of `leaderboard.trades.COSTS`."""
    ticks = f"datum.value == zero ? '0' : format(datum.value, '{FORMATS[cost]}')"
    x = alt.X(
        "cost:Q", title=TITLES[cost],
        axis=alt.Axis(values=alt.ExprRef("ticks"), labelExpr=ticks, labelOverlap="greedy", grid=False),
        scale=alt.Scale(type="log", domain=look.between("first", "last"), nice=False, padding=12),
    )
    y = alt.Y("score:Q", title=None, scale=alt.Scale(domain=look.between("low", "high"), nice=False, zero=False))
    chart = alt.layer(*_front(x, y), *_dots(x, y), look.texts("labels", align="left"), *_key())
    limits = look.parameters(first=1, last=10, low=0, high=1, zero=-1, ticks=[1, 10])
    return look.finished(chart.add_params(*limits).properties(width=WIDTH, height=HEIGHT))


def sheet(trade: Trade) -> Sheet:
    """Raises ValueError where there is no cell to draw."""
    if not trade.dots:
        raise ValueError(f"{trade.task}: no cell has a score and {trade.cost}")
    scores = [value for dot in trade.dots for value in (dot.score, dot.low, dot.high)]
    low, high = look.span(scores)
    zero, spent = _placed(trade.dots)
    first, last = _range(spent)
    methods, models = _numbers(trade, "method"), _numbers(trade, "model")
    rows = [_row(dot, cost, methods, models, i in trade.front)
            for i, (dot, cost) in enumerate(zip(trade.dots, spent, strict=True))]
    front = [rows[i] for i in trade.front]
    ends = [{**row, "text": _label(trade.dots[i]), "at": trade.dots[i].score}
            for row, i in zip(front, trade.front, strict=True)]
    height = max(HEIGHT, look.LINE * len(ends))
    stairs = [*front, {**front[-1], "cost": last}]
    return Sheet(
        title=look.line(f"{trade.task}: {trade.metric} by {trade.cost}"),
        subtitle=_subtitle(trade),
        data={"dots": rows, "front": stairs, "labels": look.labels(ends, low, high, height),
              "key": _entries(methods, models, height)},
        values={"first": first, "last": last, "low": low, "high": high, "zero": zero,
                "ticks": _ticks(first, last, zero)},
        height=height,
    )


def _front(x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """A stair, since nothing between two of its cells was measured, and lines to the names."""
    stairs = look.data("front").mark_line(
        color=INK, opacity=0.55, strokeWidth=1.2, strokeDash=[5, 3], interpolate="step-after", order=False)
    thin = look.data("labels").mark_rule(color=INK, opacity=0.3, strokeWidth=0.7, y2Offset=alt.expr("datum.down"))
    return [
        stairs.encode(x=x, y=y),
        thin.encode(x=x, y=y, x2=alt.value(WIDTH + look.GAP - 3), y2=alt.value(0)),
    ]


def _dots(x: alt.X, y: alt.Y) -> list[alt.Chart]:
    base = look.data("dots").encode(x=x)
    faint = alt.Opacity("opacity:Q", scale=None, legend=None)
    return [
        base.mark_rule(strokeWidth=1.3).encode(
            y=alt.Y("low:Q", title=None), y2="high:Q", color=look.COLOR,
            opacity=alt.Opacity("faint:Q", scale=None, legend=None)),
        base.mark_point(filled=True, strokeWidth=0).encode(
            y=y, color=look.COLOR, shape=SHAPE, opacity=faint, size=alt.Size("size:Q", scale=None, legend=None)),
    ]


def _key() -> list[alt.Chart]:
    marks = look.data("key").mark_point(
        filled=True, size=55, opacity=1, strokeWidth=0, xOffset=alt.expr("datum.right - 10"),
        yOffset=alt.expr("datum.down"))
    return [
        marks.encode(x=alt.value(0), y=alt.value(0), color=look.COLOR, shape=SHAPE), look.texts("key", align="left"),
    ]


def _placed(dots: Sequence[Dot]) -> tuple[float, list[float]]:
    """Where nothing is drawn on the axis (-1 if no cell costs nothing), and the costs as they are drawn."""
    known = [dot.cost for dot in dots if dot.cost > 0]
    zero = min(known, default=STEP) / STEP if len(known) < len(dots) else -1.0
    return zero, [dot.cost if dot.cost > 0 else zero for dot in dots]


def _range(spent: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis, at least a factor of RATIO apart: costs that hardly differ are to look so."""
    first, last = min(spent), max(spent)
    wide = max(1.0, RATIO * first / last) ** 0.5
    return first / wide, last * wide


def _ticks(first: float, last: float, zero: float) -> list[float]:
    """Round numbers on the axis: powers of ten, and others between them as long as these are few."""
    start = max(first, zero * 2)
    for factors in ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        found = [factor * 10.0**k for k in range(-3, 16) for factor in factors if start <= factor * 10.0**k <= last]
        if len(found) > 2:
            break
    return ([zero] if zero > 0 else []) + found


def _numbers(trade: Trade, field: str) -> dict[str, int]:
    """A look for each name; the same for all of them where there are more names than looks."""
    names = sorted({getattr(dot, field) for dot in trade.dots})
    return {name: number for number, name in enumerate(names)} if len(names) <= MOST else {}


def _row(dot: Dot, cost: float, methods: dict[str, int], models: dict[str, int], front: bool) -> dict[str, Any]:
    return {
        "cost": cost, "score": dot.score, "low": dot.low, "high": dot.high,
        "look": str(methods.get(dot.method, MOST - 1)), "shape": str(models.get(dot.model, 0)),
        "opacity": 1.0 if front else 0.65, "faint": 0.75 if front else 0.35, "size": 85 if front else 45,
    }


def _label(dot: Dot) -> str:
    return f"{look.named(dot.model, dot.method)} · {figures.score(dot.score)}"


def _entries(methods: dict[str, int], models: dict[str, int], height: float) -> list[Row]:
    """What colours and shapes mean, in columns below the plot: methods first, then models on lines of their own."""
    entries = [(name, str(i), "0") for name, i in methods.items()]
    entries += [("", "", "")] * (-len(entries) % 3)
    entries += [(name, str(MOST - 1), str(i)) for name, i in models.items()]
    return [
        {"text": figures.shorten(figures.plain(name), 22), "look": color, "shape": shape,
         "right": 10 + COLUMN * (place % 3), "down": height + KEY + look.LINE * (place // 3)}
        for place, (name, color, shape) in enumerate(entries) if color
    ]


def _subtitle(trade: Trade) -> tuple[str, ...]:
    better = "higher" if trade.higher_is_better else "lower"
    rows = f", learnt from {figures.rows(trade.rows)} rows" if trade.rows is not None else ""
    told = [f"mean over seeds with its 95% interval, {better} is better{rows}",
            f"dashed: the Pareto front, by the scores as measured{_digits(trade)}; its cells are named"]
    lost = ", ".join(trade.left_out)
    return (*told, *([look.line(f"not drawn, without a score or this cost: {lost}")] if lost else []))


def _digits(trade: Trade) -> str:
    return "" if trade.cost in EXACT else f" and the cost to {DIGITS} digits"

"""Charts of ranks, a row a cell or line: the ranks it may have in one task, or its mean rank over several."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from leaderboard import figures
from leaderboard.charts import look
from leaderboard.charts.look import INK
from leaderboard.charts.sheet import Row, Sheet, Spec
from leaderboard.friedman import CriticalDifference
from leaderboard.rank import Place

WIDTH = 280
ROWS = 40
"""So many rows at most in one figure."""

BAR = 9
"""Pixels from one bar over a clique to the next."""

FIRST = look.COLORS[0]


def template() -> Spec:
    """Names at the left, a dot at the rank with a rule over the ranks that may be, a remark at the right.

    `bars` join rows at the right: none of them differs from another. `scale` is a length to measure with.
    """
    ticks = alt.Axis(labelExpr="datum.value < 1 ? '' : datum.label", tickMinStep=1, tickCount=8, grid=True)
    x = alt.X("rank:Q", title=None, axis=ticks,
              scale=alt.Scale(domain=look.between("first", "last"), nice=False, zero=False, padding=6))
    y = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=look.between("bottom", "top"), nice=False, zero=False))
    base = look.data("rows").encode(y=y)
    color = alt.Color("color:N", scale=None, legend=None)
    chart = alt.layer(
        base.mark_rule(strokeWidth=2.5, opacity=0.7).encode(x=alt.X("low:Q"), x2="high:Q", color=color),
        base.mark_point(filled=True, size=60, opacity=1, strokeWidth=0).encode(
            x=x, color=color, shape=alt.Shape("shape:N", scale=None, legend=None)),
        look.texts("names", align="right"), look.texts("remarks", align="left"), *_bars(y), *_scale(x, y),
    )
    limits = look.parameters(first=1, last=10, top=-0.5, bottom=9.5)
    return look.finished(chart.add_params(*limits).properties(width=WIDTH, height=look.LINE * 10))


def of_task(task: str, metric: str, places: Sequence[tuple[Place, float]], basis: str) -> Sheet:
    """Places with their scores, best first: the first ROWS of them."""
    shown = places[:ROWS]
    rows = [_row(i, place.rank, place.low, place.high, place.may_be_best) for i, (place, _) in enumerate(shown)]
    names = [look.named(*place.names[1:]) for place, _ in shown]
    remarks = [figures.score(score) for _, score in shown]
    best = sum(place.may_be_best for place, _ in places)
    told = [f"rank by {metric} and the ranks that may be, with 95% confidence each",
            f"blue: may be the best ({best} of {len(places)}); the score stands at the right",
            look.line(f"by {basis}"), *_more(len(places))]
    return _sheet(f"{task}: ranks", told, rows, names, remarks, (1, len(places)))


def of_lines(title: str, ranking: CriticalDifference) -> Sheet:
    """Mean ranks, with bars over lines that are not shown to differ (Nemenyi): the first ROWS of them."""
    ranks, count = ranking.ranks[:ROWS], len(ranking.names)
    rows = [_row(i, rank, rank, rank, False) for i, rank in enumerate(ranks)]
    names = [look.named(name) for name in ranking.names[:ROWS]]
    friedman = [] if ranking.p is None else [f"Friedman's test of no difference at all: p {_p(ranking.p)}"]
    told = ["lines along one bar are not shown to differ: their mean ranks are",
            f"less than the critical difference of {ranking.difference:.2f} apart (Nemenyi, 95%)",
            *friedman, *_more(count)]
    made = _sheet(title, told, rows, names, [f"{rank:.2f}" for rank in ranks],
                  (1, max(count, 1 + ranking.difference)), head=1.5)
    length = {"rank": 1, "end": 1 + ranking.difference, "row": -1.0, "text": "critical difference"}
    return Sheet(made.title, made.subtitle, {**made.data, "bars": _cliques(ranking), "scale": [length]}, made.values,
                 made.height)


def _bars(y: alt.Y) -> list[alt.Chart]:
    bar = look.data("bars").mark_rule(color=INK, strokeWidth=4, opacity=0.75, xOffset=alt.expr("datum.right"))
    return [bar.encode(x=alt.value(WIDTH), y=y, y2="end:Q")]


def _scale(x: alt.X, y: alt.Y) -> list[alt.Chart]:
    base = look.data("scale").encode(y=y)
    ends = [base.mark_tick(color=INK, thickness=1.5, size=9, orient="vertical").encode(x=each)
            for each in (x, alt.X("end:Q"))]
    words = base.mark_text(color=INK, fontSize=look.FONT, align="left", baseline="bottom", dy=-5)
    return [base.mark_rule(color=INK, strokeWidth=1.5).encode(x=x, x2="end:Q"), *ends, words.encode(x=x, text="text:N")]


def _row(place: int, rank: float, low: float, high: float, best: bool) -> Row:
    return {"row": place, "rank": rank, "low": low, "high": high, "color": FIRST if best else INK,
            "shape": "circle" if best else "diamond"}


def _sheet(
    title: str, told: Sequence[str], rows: Sequence[Row], names: Sequence[str], remarks: Sequence[str],
    ends: tuple[float, float], head: float = 0.0,
) -> Sheet:
    downs = [look.LINE * (head + i + 0.5) for i in range(len(rows))]
    return Sheet(
        title=look.line(title), subtitle=tuple(told),
        data={
            "rows": rows,
            "names": [{"text": t, "right": -10, "down": d} for t, d in zip(names, downs, strict=True)],
            "remarks": [{"text": t, "right": WIDTH + 12, "down": d}
                        for t, d in zip(remarks, downs, strict=True)],
        },
        values={"first": ends[0], "last": max(ends[1], ends[0] + 1), "top": -0.5 - head, "bottom": len(rows) - 0.5},
        height=look.LINE * (len(rows) + head),
    )


def _cliques(ranking: CriticalDifference) -> list[Row]:
    """Bars beside each other, each as far left as it can be without touching another."""
    ends: list[int] = []
    rows: list[Row] = []
    for first, last in ranking.cliques:
        column = next((i for i, end in enumerate(ends) if end < first), len(ends))
        ends[column:column + 1] = [last]
        if first < ROWS:
            rows.append({"row": first - 0.3, "end": min(last, ROWS - 1) + 0.3, "right": 50 + BAR * column})
    return rows


def _more(count: int) -> list[str]:
    return [f"the best {ROWS} of {count}; the others stand in the table"] if count > ROWS else []


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"

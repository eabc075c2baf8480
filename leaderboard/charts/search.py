"""The chart of learning-rate sensitivity: a small panel a method, with every trial of the search where it was tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from bench.record import Record, Training
from leaderboard import figures
from leaderboard.charts import look
from leaderboard.charts.look import INK
from leaderboard.charts.sheet import Row, Sheet, Spec

SIDE = 148
HEIGHT = 104
COLUMNS = 3
PANELS = 30
"""So many methods at most in one figure."""

DIGITS = 2
"""Those of a panel's number."""

NAME = 24
"""Characters of a method's name above its panel."""

BEST = look.COLORS[0]
LOST = look.COLORS[1]


def template() -> Spec:
    """All panels have the same scales, so that they can be read against each other."""
    x = alt.X("rate:Q", title=None, scale=alt.Scale(
        type="log", domain=look.between("first", "last"), nice=False, padding=8),
        axis=alt.Axis(values=alt.ExprRef("ticks"), format="~e", labelOverlap="greedy", grid=False))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=look.between("low", "high"), nice=False, zero=False),
              axis=alt.Axis(tickCount=4))
    base = alt.Chart().encode(x=x)
    chart = alt.layer(*_rules(base), *_trials(base, y)).properties(width=SIDE, height=HEIGHT)
    panels = chart.facet(
        facet=alt.Facet("panel:N", header=_names()), columns=COLUMNS, data=alt.NamedData("trials"),
    ).resolve_axis(x="independent")
    limits = look.parameters(first=1e-5, last=1e-2, low=0, high=1, ticks=[1e-4])
    return look.finished(panels.properties(spacing={"row": 14, "column": 14}).add_params(*limits))


def sheet(records: Sequence[Record]) -> Sheet:
    """The cells of one task and model that searched rates, in the order in which they are to stand.

    Raises ValueError where none did.
    """
    shown = [record for record in records if _tried(record)][:PANELS]
    if not shown:
        raise ValueError("none of these cells tried a rate")
    rates = [t.rate for record in shown for t in record.trials if t.rate is not None]
    low, high = look.span([t.value for record in shown for t in record.trials])
    names = [f"{place:0{DIGITS}d}{_named(record)}" for place, record in enumerate(shown)]
    rows = [row for name, record in zip(names, shown, strict=True) for row in _rows(name, record, low)]
    first, last = min(rates), max(rates)
    first, last = (first, last) if last > first else (first / 2, last * 2)
    return Sheet(
        title=look.line(f"{shown[0].task}, {shown[0].model}: validation {shown[0].metric} by learning rate"),
        subtitle=_subtitle(records, shown),
        data={"trials": rows},
        values={"first": first, "last": last, "low": low, "high": high, "ticks": _ticks(first, last)},
    )


def _names() -> alt.Header:
    """What each panel shows, above it: all but the number that keeps the panels in their order."""
    return alt.Header(
        title=None, labelExpr=f"slice(datum.label, {DIGITS})", labelAnchor="start", labelColor=INK,
        labelFontSize=look.FONT, labelPadding=2, labelLimit=SIDE,
    )


def _rules(base: alt.Chart) -> list[alt.Chart]:
    default = base.transform_filter("datum.kind == 'default'")
    return [default.mark_rule(color=INK, strokeWidth=1, strokeDash=[3, 3], opacity=0.6)]


def _trials(base: alt.Chart, y: alt.Y) -> list[alt.Chart]:
    def of(state: str) -> alt.Chart:
        return base.transform_filter(f"datum.kind == '{state}'").encode(y=y)

    line = base.transform_filter("datum.joined").encode(y=y).mark_line(color=INK, opacity=0.35, strokeWidth=1)
    return [
        line,
        of("COMPLETE").mark_point(filled=True, color=INK, opacity=0.75, size=34, strokeWidth=0),
        of("PRUNED").mark_point(filled=False, shape="triangle-down", color=INK, opacity=0.8, size=40, strokeWidth=1.2),
        of("DIVERGED").mark_point(filled=True, shape="cross", color=LOST, opacity=1, size=60, strokeWidth=0, angle=45),
        of("best").mark_point(filled=False, color=BEST, opacity=1, size=130, strokeWidth=2.2),
    ]


def _tried(record: Record) -> bool:
    return any(trial.rate is not None for trial in record.trials)


def _rows(panel: str, record: Record, bottom: float) -> list[Row]:
    """The rows of one panel. A trial that diverged has no score and stands at the bottom."""
    joined = not any(trial.choice for trial in record.trials)
    tried = [trial for trial in record.trials if trial.rate is not None]
    rows: list[Row] = [_row(panel, trial, joined, bottom) for trial in tried if trial.value is not None or _lost(trial)]
    if tried[0].number == 0:
        rows.append({"panel": panel, "kind": "default", "rate": tried[0].rate})
    best = _best(record)
    if best is not None:
        rows.append({"panel": panel, "kind": "best", "rate": best.rate, "value": best.value})
    return rows


def _row(panel: str, trial: Training, joined: bool, bottom: float) -> dict[str, Any]:
    lost = _lost(trial)
    return {
        "panel": panel, "kind": trial.state, "rate": trial.rate, "value": bottom if lost else trial.value,
        "joined": joined and trial.state == "COMPLETE",
    }


def _lost(trial: Training) -> bool:
    return trial.state == "DIVERGED"


def _best(record: Record) -> Training | None:
    """The completed trial that the cell's final trainings took their rate from; the first of equal ones."""
    same = [t for t in record.trials if t.rate == record.rate and t.state == "COMPLETE" and t.value is not None]
    sign = 1 if record.higher_is_better else -1
    return max(same, key=lambda t: sign * t.value if t.value is not None else 0.0, default=None)


def _named(record: Record) -> str:
    name = figures.shorten(figures.plain(record.names[2]), NAME - 7 if record.rate_at_edge else NAME)
    return f"{name} · edge" if record.rate_at_edge else name


def _subtitle(records: Sequence[Record], shown: Sequence[Record]) -> tuple[str, ...]:
    more = [r for r in records if _tried(r) and r not in shown]
    none = ", ".join(record.names[2] for record in records if not _tried(record))
    edge = any(record.rate_at_edge for record in shown)
    return (
        "a dot a trial; ringed: the best; dashed line: the default rate",
        "triangle: pruned, cut short; cross at the bottom: diverged, no score",
        *(["edge: nothing beyond the best rate was tried"] if edge else []),
        *([f"{len(more)} more methods are not drawn"] if more else []),
        *([look.line(f"without a search: {none}")] if none else []),
    )


def _ticks(first: float, last: float) -> list[float]:
    powers = [float(f"1e{k}") for k in range(-12, 4)]
    found = [power for power in powers if first <= power <= last]
    return found if len(found) > 1 else [first, last]

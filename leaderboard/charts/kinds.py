"""Which chart shows a figure that is wanted: its template and its sheet."""

from __future__ import annotations

from functools import partial

from leaderboard.charts import costs, lines, search, standings
from leaderboard.charts.sheet import Sheet, Spec
from leaderboard.curves import Panel
from leaderboard.friedman import CriticalDifference
from leaderboard.trades import Trade
from leaderboard.wanted import CRITICAL, LEARNING, PARETO, PROGRESS, RANKS, SENSITIVITY, Ranks, Wanted

TEMPLATES = {
    LEARNING: lines.by_rows, PROGRESS: lines.by_trials, RANKS: standings.template, CRITICAL: standings.template,
    SENSITIVITY: search.template,
}


def look(each: Wanted) -> tuple[str, str]:
    """What decides on the template: figures of the same look share it."""
    return each.kind, each.values.cost if isinstance(each.values, Trade) else ""


def template(kind: str, cost: str) -> Spec:
    """The template of a look."""
    return (partial(costs.template, cost) if kind == PARETO else TEMPLATES[kind])()


def sheet(each: Wanted) -> Sheet:
    """The values of a figure as they are written on its template."""
    match each.values:
        case Trade() as trade:
            return costs.sheet(trade)
        case Ranks() as ranks:
            return standings.of_task(each.parts[0], ranks.metric, ranks.standings, ranks.basis)
        case CriticalDifference() as ranking:
            return standings.of_lines(each.title, ranking)
        case Panel() as panel:
            return lines.best_so_far(panel) if each.kind == PROGRESS else lines.learning_curves(panel)
        case records:
            return search.sheet(records)

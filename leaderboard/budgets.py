"""What each method spent on its search on each task, and what the search added: whether methods had equal chances.

Knows records only, no layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.record import Record
from leaderboard import search, stats

NOTES = (
    "Means over the cells of a method, one a model, on validation rows, the only ones that a search sees; trials and "
    "steps as a range where cells differ.",
    "The first trial runs at the method's default rate. Gain is how much better the best completed trial is: a gap "
    "between two methods of less than their gains may be the search and not the method.",
)


@dataclass(frozen=True)
class Budget:
    """The searches of one method on one task and training-set size (None where there is one), over `cells` models.

    `trials` and `steps` (of the longest trial) are the least and the most of any cell; `seconds` all trials together.
    `default`, `tuned` and `gain` are means of the cells that have them; `edges` counts best rates at the edge.
    """

    task: str
    source: str
    method: str
    size: int | None
    cells: int
    trials: tuple[int, int]
    steps: tuple[int, int]
    seconds: float
    default: float | None
    tuned: float | None
    gain: float | None
    edges: int


def of(records: Sequence[Record]) -> tuple[Budget, ...]:
    """A budget for each task, size and method whose cells searched, in the order in which these come."""
    found: dict[tuple[str, str, int | None, str], list[Record]] = {}
    for record in records:
        if record.trials:
            found.setdefault((record.task, record.source, record.train_size, record.method), []).append(record)
    return tuple(_budget(group) for group in found.values())


def _budget(group: Sequence[Record]) -> Budget:
    first = group[0]
    searches = [search.search(record) for record in group]
    both = [s for s in searches if s.default is not None and s.tuned is not None]
    steps = [max(trial.steps for trial in record.trials) for record in group]
    trials = [len(record.trials) for record in group]
    return Budget(
        first.task, first.source, first.method, first.train_size, len(group), (min(trials), max(trials)),
        (min(steps), max(steps)), sum(s.seconds for s in searches), _mean(s.default for s in both),
        _mean(s.tuned for s in both), _mean(s.gain for s in both), sum(bool(s.rate_at_edge) for s in searches),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    return stats.mean([value for value in values if value is not None])


def span(least_and_most: tuple[int, int]) -> str:
    """One number, or a range where they differ."""
    least, most = least_and_most
    return f"{least:,}" if least == most else f"{least:,}\N{EN DASH}{most:,}"

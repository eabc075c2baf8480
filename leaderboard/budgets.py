"""What each method spent on its search on each task, and what the search added: whether methods had equal chances.

Knows records only, no layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.record import Record
from leaderboard import search, stats
from leaderboard.search import Gap

NOTES = (
    "Means over the cells of a method, one a model, on validation rows, the only ones that a search sees; trials and "
    "steps as a range where cells differ, time of all trials of all cells together.",
    "The first trial runs at the method's default rate; gain is how much better the best completed trial is. Behind is "
    "how far a method lies behind the one that is best when tuned, on the same models, tuned and at the defaults. Due "
    "to search is the part of the tuned gap that is not there at the defaults: 0% where these differ as much, 100% "
    "where they do not differ, more where the search turned the order, below 0% where it narrowed the gap. It is not "
    "told of gaps below a point.",
)


@dataclass(frozen=True)
class Budget:
    """The searches of one method on one task and training-set size (None where there is one), over `cells` models.

    `trials` and `steps` (of the longest trial) are the least and the most of any cell; `seconds` all trials together.
    `default`, `tuned` and `gain` are means of the cells that have them; `edges` counts best rates at the edge. `behind`
    is the gap to the method of the task and size that is best when tuned; None for that one, or if no model has both.
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
    behind: Gap | None


_Race = tuple[str, str, int | None]
"""Task, source and training-set size: within one, methods are compared."""


def of(records: Sequence[Record]) -> tuple[Budget, ...]:
    """A budget for each task, size and method whose cells searched, in the order in which these come."""
    races: dict[_Race, dict[str, list[Record]]] = {}
    for record in records:
        if record.trials:
            race = races.setdefault((record.task, record.source, record.train_size), {})
            race.setdefault(record.method, []).append(record)
    return tuple(budget for race in races.values() for budget in _race(race))


def _race(methods: Mapping[str, Sequence[Record]]) -> list[Budget]:
    """The budgets of the methods that compete on one task and size."""
    sign = 1 if next(iter(methods.values()))[0].higher_is_better else -1
    tuned = {name: _mean(search.search(r).tuned for r in group) for name, group in methods.items()}
    best = max((name for name in methods if tuned[name] is not None), default=None,
               key=lambda name: sign * (tuned[name] or 0.0))
    return [
        _budget(group, None if best is None or name == best else _behind(methods[best], group))
        for name, group in methods.items()
    ]


def _behind(best: Sequence[Record], group: Sequence[Record]) -> Gap | None:
    """The mean gap over the models that have both, tuned and at their defaults."""
    leaders = {record.model: record for record in best}
    gaps = [search.gap(leaders[record.model], record) for record in group if record.model in leaders]
    known = [gap for gap in gaps if gap.tuned is not None and gap.untuned is not None]
    tuned, untuned = _mean(gap.tuned for gap in known), _mean(gap.untuned for gap in known)
    if tuned is None or untuned is None:
        return None
    return search.of_means(tuned, untuned) if abs(tuned) >= search.TELLING else Gap(tuned, untuned, None)


def _budget(group: Sequence[Record], behind: Gap | None) -> Budget:
    first = group[0]
    searches = [search.search(record) for record in group]
    both = [s for s in searches if s.default is not None and s.tuned is not None]
    steps = [max(trial.steps for trial in record.trials) for record in group]
    trials = [len(record.trials) for record in group]
    return Budget(
        first.task, first.source, first.method, first.train_size, len(group), (min(trials), max(trials)),
        (min(steps), max(steps)), sum(s.seconds for s in searches), _mean(s.default for s in both),
        _mean(s.tuned for s in both), _mean(s.gain for s in both), sum(bool(s.rate_at_edge) for s in searches), behind,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    return stats.mean([value for value in values if value is not None])


def span(least_and_most: tuple[int, int]) -> str:
    """One number, or a range where they differ."""
    least, most = least_and_most
    return f"{least:,}" if least == most else f"{least:,}\N{EN DASH}{most:,}"

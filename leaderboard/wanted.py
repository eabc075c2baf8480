"""Which figures a run has, with the values that each shows and in words what is seen. Draws nothing, imports no chart.

Of a task whose cells learnt from several numbers of rows, all figures but the learning curves show those with the most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.record import Record
from leaderboard import curves, figures, trades
from leaderboard.curves import Panel
from leaderboard.friedman import CriticalDifference
from leaderboard.overall import Overall
from leaderboard.rank import Place
from leaderboard.search import Search
from leaderboard.study import Group, Study
from leaderboard.trades import COSTS, Trade

LEARNING, PARETO, RANKS, CRITICAL = "learning-curve", "pareto", "ranks", "critical-difference"
SENSITIVITY, PROGRESS = "sensitivity", "best-so-far"

KINDS = (CRITICAL, RANKS, PARETO, LEARNING, SENSITIVITY, PROGRESS)
"""In the order in which figures are shown."""

MOST = 30
"""So many figures of one kind at most, so that a grid of a thousand cells is drawn in seconds."""

NAMED = 12
"""So many cells are named in words."""

TaskSource = tuple[str, str]
Standings = tuple[tuple[Place, float], ...]
Searched = tuple[Record, ...]


@dataclass(frozen=True, eq=False)
class Wanted:
    """A figure that is yet to be drawn: `values` are what its chart shows, `parts` what its files are named after."""

    kind: str
    parts: tuple[str, ...]
    title: str
    words: str
    task: TaskSource | None
    values: Panel | Trade | Ranks | CriticalDifference | Searched


@dataclass(frozen=True)
class Ranks:
    """The places of one task's cells with their scores, the best first, and what they rest on."""

    metric: str
    standings: Standings
    basis: str


@dataclass(frozen=True)
class Choice:
    """The figures to draw, in the order in which they are shown, and sentences about those that are left out."""

    wanted: tuple[Wanted, ...]
    left_out: tuple[str, ...]


def of(study: Study, most: int = MOST) -> Choice:
    """At most so many of each kind, every task having as many as the others where that can be."""
    kinds: Mapping[str, Callable[[Study], Iterable[Wanted]]] = {
        CRITICAL: _critical, RANKS: _ranks, PARETO: _pareto, LEARNING: _learning, SENSITIVITY: _sensitivity,
        PROGRESS: _progress,
    }
    chosen: list[Wanted] = []
    left_out: list[str] = []
    for kind in KINDS:
        found = list(kinds[kind](study))
        kept = _shared_out(found, most)
        chosen += kept
        if len(kept) < len(found):
            left_out.append(f"{kind}: {len(kept)} of {len(found)} figures are drawn, as many of each task.")
    return Choice(tuple(chosen), tuple(left_out))


def _shared_out(found: Sequence[Wanted], most: int) -> list[Wanted]:
    """The first one of each task, the second one of each, and so on; those that are kept stay in their order."""
    counts: dict[TaskSource | None, int] = {}
    turns = []
    for place, each in enumerate(found):
        counts[each.task] = counts.get(each.task, 0) + 1
        turns.append((counts[each.task], place))
    return [found[place] for place in sorted(place for _, place in sorted(turns)[:most])]


def _largest(study: Study) -> list[Group]:
    """Of each task, the cells with the most training rows of which some have a score."""
    found: dict[TaskSource, Group] = {}
    for group in study.groups:
        if any(record.score is not None for record in group.records):
            found[group.task, group.source] = group
    return list(found.values())


def _named(each: Group | Panel, others: Iterable[Group | Panel], *more: str) -> tuple[str, ...]:
    """Parts of a file's name: the source stands there only where the task is there from several."""
    sources = {other.source for other in others if other.task == each.task}
    return (each.task, *more, *([each.source] if len(sources) > 1 else []))


def _by_model(group: Group, places: Mapping[str, int]) -> dict[str, tuple[Record, ...]]:
    """The cells of each model, the methods in the order that they have on all of the board."""
    ordered = sorted(group.records, key=lambda record: (record.model, places[record.method], record.names[2]))
    found: dict[str, list[Record]] = {}
    for record in ordered:
        found.setdefault(record.model, []).append(record)
    return {model: tuple(records) for model, records in found.items()}


def _learning(study: Study) -> Iterator[Wanted]:
    panels = curves.panels(study.board)
    for panel in panels:
        ends = _list(f"{c.method} {figures.score(c.last.score)} at {figures.rows(c.last.rows)}" for c in panel.curves)
        yield Wanted(
            LEARNING, _named(panel, panels, panel.model),
            f"{panel.task}, {panel.model}: {panel.metric} by training rows",
            f"The last point of each method: {ends}.", (panel.task, panel.source), panel)


def _pareto(study: Study) -> Iterator[Wanted]:
    for group in _largest(study):
        for cost in COSTS:
            trade = trades.trade(group.records, cost, group.rows)
            if len({dot.cost for dot in trade.dots}) > 1:
                parts = _named(group, study.groups, cost.replace(" ", "-"))
                yield Wanted(
                    PARETO, parts, f"{group.task}: {trade.metric} by {cost}", _front(trade), (group.task, group.source),
                    trade)


def _front(trade: Trade) -> str:
    write = {"seconds": figures.seconds, "peak memory": figures.size}.get(trade.cost, figures.count)
    dots = [trade.dots[i] for i in trade.front]
    front = _list(f"{dot.model} {dot.method} ({figures.score(dot.score)} at {write(dot.cost)})" for dot in dots)
    lost = f" Not drawn, without a score or this cost: {_list(trade.left_out)}." if trade.left_out else ""
    return f"{len(trade.dots)} cells. On the Pareto front, the cheapest first: {front}.{lost}"


def _ranks(study: Study) -> Iterator[Wanted]:
    for group in _largest(study):
        scores = {record.names: record.score for record in group.records}
        found = sorted(group.places.values(), key=lambda place: (place.rank, place.low, place.high, place.names))
        standings = tuple((place, score) for place in found if (score := scores[place.names]) is not None)
        if len(standings) > 1:
            best = [" ".join(place.names[1:]) for place, _ in standings if place.may_be_best]
            yield Wanted(
                RANKS, _named(group, study.groups), f"{group.task}: ranks",
                f"{len(best)} of {len(standings)} cells may be the best: {_list(best)}.", (group.task, group.source),
                Ranks(group.records[0].metric, standings, group.basis))


def _critical(study: Study) -> Iterator[Wanted]:
    for overall in study.overall:
        ranking = overall.ranking
        if ranking is not None:
            yield _lines(overall, ranking)


def _lines(overall: Overall, ranking: CriticalDifference) -> Wanted:
    size = [] if overall.size is None else [str(overall.size)]
    ranks = _list(f"{name} {rank:.2f}" for name, rank in zip(ranking.names, ranking.ranks, strict=True))
    cliques = _list(f"{ranking.names[first]} to {ranking.names[last]}" for first, last in ranking.cliques)
    return Wanted(
        CRITICAL, tuple(size), f"Mean ranks over {ranking.tasks} tasks" + (f" at size {size[0]}" if size else ""),
        f"The best first: {ranks}. Lines whose mean ranks are not {ranking.difference:.2f} apart are not shown to "
        f"differ: {cliques or 'none'}.", None, ranking)


def _sensitivity(study: Study) -> Iterator[Wanted]:
    places = curves.places(study.board)
    for group in _largest(study):
        for model, records in _by_model(group, places).items():
            searched = [record for record in records if any(trial.rate is not None for trial in record.trials)]
            if searched:
                best = _list(_rate(record, study.searches[record.names]) for record in searched)
                yield Wanted(
                    SENSITIVITY, _named(group, study.groups, model),
                    f"{group.task}, {model}: validation {searched[0].metric} by learning rate",
                    f"The best rate of each method: {best}.", (group.task, group.source), records)


def _rate(record: Record, found: Search) -> str:
    edge = ", at the edge of what was tried" if record.rate_at_edge else ""
    lost = f", {found.diverged} diverged" if found.diverged else ""
    return f"{record.names[2]} {figures.rate(record.rate)} ({figures.score(found.tuned)}{edge}{lost})"


def _progress(study: Study) -> Iterator[Wanted]:
    places = curves.places(study.board)
    for group in _largest(study):
        for model, records in _by_model(group, places).items():
            panel = curves.best_so_far(records, study.searches, places)
            if panel is not None:
                told = (f"{r.names[2]} {figures.score(s.default)} to {figures.score(s.tuned)}"
                        for r in records if (s := study.searches[r.names]).trials > 1)
                yield Wanted(
                    PROGRESS, _named(group, study.groups, model), f"{group.task}, {model}: best {panel.metric} so far",
                    f"From the default to the best of all trials: {_list(told)}.", (group.task, group.source), panel)


def _list(items: Iterable[str]) -> str:
    """So many names one after the other, and how many more there are."""
    found = [figures.plain(item) for item in items]
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    return ", ".join([*found[:NAMED], *more])

"""The files of a board's site: the main page, a page for each task and each cell, and the comparison of any two.

A pure function of what is known of a run; nothing is written here. Every page is complete without its script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.errors import StoreError
from bench.record import Names, Record
from bench.score import metric_named
from bench.store import Store
from leaderboard import (
    addresses,
    answers,
    assets,
    budgets,
    compared,
    evidence,
    footer,
    health,
    html,
    notes,
    real,
    rerun,
    spending,
)
from leaderboard.addresses import Addresses
from leaderboard.column import Entry, TaskView, kind
from leaderboard.evidence import Evidence
from leaderboard.gallery import Figure
from leaderboard.rank import RULE
from leaderboard.study import Group, Study

MOST_WRONG = 20
"""Rows that a cell got wrong and that its page shows."""


@dataclass(frozen=True)
class Wrong:
    """A test row that a cell did not get quite right, as text."""

    number: int
    asked: str
    truth: str
    answer: str
    score: float


@dataclass(frozen=True)
class Part:
    """A cell's score on a slice of the test rows."""

    column: str
    value: str
    rows: int
    score: float


@dataclass(frozen=True, eq=False)
class Site:
    """A run's site. `title` is the run's name; `curves` show how the trainings of cells went, as SVG documents.

    `undrawn` says which figures there are not, as of a large grid.
    """

    study: Study
    store: Store
    title: str
    pictures: Sequence[Figure] = ()
    curves: Mapping[Names, str] = field(default_factory=dict)
    undrawn: Sequence[str] = ()

    def files(self) -> Iterator[tuple[str, str]]:
        """Every file by its path from the site's folder."""
        yield addresses.BOARD, self.board()
        yield addresses.SCRIPT, assets.script()
        yield addresses.STYLE, assets.style()
        yield addresses.COMPARING, assets.comparison()
        index = []
        for view in self.study.board.tasks:
            found = [(group, self._evidence(group)) for group in self.groups(view)]
            yield self.where.task(view.column.task, view.column.source), self.task(view, found)
            for group, known in found:
                yield from self._cells(view, group, known)
                if known is not None:
                    index.append(compared.group(self.where, group, known))
                    yield from compared.files(self.where, group, known, self.study.searches)
        yield addresses.CELLS, compared.script(addresses.CELLS, index)
        yield addresses.COMPARISON, self.comparison()

    @cached_property
    def where(self) -> Addresses:
        """Where the files lie."""
        return addresses.of(self.study.board.columns)

    @cached_property
    def comparable(self) -> frozenset[Names]:
        """The cells that can be compared with another."""
        return frozenset(
            names for group in self.study.groups if group.panel is not None and len(group.panel.names) > 1
            for names in group.panel.names[:evidence.MOST_PAIRED]
        )

    @cached_property
    def spent(self) -> tuple[budgets.Budget, ...]:
        """What every method spent on its search, on every task."""
        return budgets.of(self.study.board.records)

    def groups(self, view: TaskView) -> list[Group]:
        """A task's groups, the one with the most training rows first, as its cells are ordered."""
        column = view.column
        return [g for g in self.study.groups if (g.task, g.source) == (column.task, column.source)][::-1]

    def board(self) -> str:
        """The main page, with all that it needs in it."""
        board = self.study.board
        script = assets.script()
        return self._page(
            "board.html", addresses.BOARD, board=board, outcomes=notes.outcomes(board.records),
            how_to_read=notes.HOW_TO_READ, real=real.sentences(self.study),
            origins=sorted({column.origin for column in board.columns}),
            largest=_largest(self.study), facts=footer.provenance(board.records),
            checkpoints=footer.checkpoints(board.records), why=_numbered(board.failures),
            overall=self.study.overall, rule=RULE, pictures=[p for p in self.pictures if p.task is None],
            undrawn=self.undrawn,
            places={(c.task, c.source): i for i, c in enumerate(board.columns)}, policy=html.digest(script),
            script=html.trusted(script), style=html.trusted(assets.style()), models=_sizes(self.study),
        )

    def task(self, view: TaskView, found: Sequence[tuple[Group, Evidence | None]]) -> str:
        """The page of a task: its cells, what their searches found, their slices, its figures."""
        records = [entry.record for entry in view.entries]
        key = (view.column.task, view.column.source)
        return self._page(
            "task.html", self.where.task(*key), view=view, column=view.column, groups=found,
            searches=self.study.searches, budget=footer.budget(records), data=footer.data(records),
            trials=health.trials, kind=kind,
            pictures=[p for p in self.pictures if p.task == key], span=budgets.span, spent_notes=budgets.NOTES,
            spent=[b for b in self.spent if (b.task, b.source) == key],
        )

    def cell(self, view: TaskView, entry: Entry, group: Group, known: Evidence | None) -> str:
        """The page of a cell."""
        record = entry.record
        return self._page(
            "cell.html", self.where.cell(record.names), view=view, entry=entry, record=record, group=group,
            times=spending.parts(record), worked=spending.work(record), waiting=spending.waiting(record),
            search=self.study.searches[record.names], parts=_parts(record.names, known),
            wrong=self._wrong(record, known), trials=health.trials(record),
            suite=rerun.suite(record), command=rerun.command(record), file=rerun.FILE,
            budget=footer.budget([record]), data=footer.data([record]), checkpoint=footer.checkpoints([record]),
            facts=footer.provenance([record]), curve=self.curves.get(record.names),
            left_out=group.left_out.get(record.key),
        )

    def comparison(self) -> str:
        """The page of comparisons; what is compared lies in files of its own."""
        return self._page(
            "compare.html", addresses.COMPARISON, most_paired=evidence.MOST_PAIRED, most_tested=evidence.MOST_TESTED,
            most_rows=evidence.MOST_ROWS, length=answers.LENGTH,
        )

    def _cells(self, view: TaskView, group: Group, known: Evidence | None) -> Iterator[tuple[str, str]]:
        entries = {entry.record.names: entry for entry in view.entries}
        for record in group.records:
            yield self.where.cell(record.names), self.cell(view, entries[record.names], group, known)

    def _evidence(self, group: Group) -> Evidence | None:
        if group.panel is None:
            return None
        return evidence.of(self.store, group.panel)

    def _wrong(self, record: Record, known: Evidence | None) -> tuple[int, int, list[Wrong]] | None:
        """How many test rows there are, how many the cell's first seed got wrong, and some of these."""
        if known is not None and record.names in known.panel.names:
            return _examples(record, known.rows, known.given[known.panel.place(record.names)])
        try:
            given = answers.given(self.store, record.names)
            return _examples(record, answers.asked(self.store, record.names), given) if given else None
        except StoreError:
            return None

    def _page(self, template: str, path: str, **values: Any) -> str:
        return html.page(
            template, title=self.title, home=addresses.home(path), where=self.where, comparable=self.comparable,
            compared=addresses.compared, board_page=addresses.BOARD, compare_page=addresses.COMPARISON,
            script_page=addresses.SCRIPT, style_page=addresses.STYLE, comparing_page=addresses.COMPARING,
            **values,
        )


def _examples(record: Record, rows: Sequence[Mapping[str, Any]], given: answers.Given) -> tuple[int, int, list[Wrong]]:
    missed = given.wrong(metric_named(record.metric))
    return len(rows), len(missed), [_example(i, rows[i], given) for i in missed[:MOST_WRONG]]


def _example(number: int, row: Mapping[str, Any], given: answers.Given) -> Wrong:
    asked = str(row["input"])
    truth, answer = (answers.shown(text, asked) for text in (row["reference"], given.predictions[number]))
    return Wrong(number, asked, truth, answer, float(given.scores[number]))


def _parts(names: Names, known: Evidence | None) -> tuple[Part, ...]:
    if known is None or names not in known.panel.names:
        return ()
    scores = known.scores[:, known.panel.place(names)].tolist()
    return tuple(Part(p.column, p.value, len(p.rows), s) for p, s in zip(known.parts, scores, strict=True))


def _largest(study: Study) -> Mapping[str, float]:
    """The largest costs of a line, against which the bars are drawn; 1 where nothing is known."""
    costs = [line.costs for line in study.board.lines]
    return {
        "seconds": max((c.seconds for c in costs if c.seconds), default=1.0),
        "peak_memory": max((c.peak_memory for c in costs if c.peak_memory), default=1),
    }


def _sizes(study: Study) -> list[int]:
    """The parameter counts of the lines, the smallest first."""
    return sorted({line.costs.total for line in study.board.lines if line.costs.total is not None})


def _numbered(entries: Sequence[Entry]) -> Callable[[Entry], int]:
    """A number for each entry, by which the table and the list of reasons refer to each other."""
    numbers = {(e.record.key, e.record.source): i for i, e in enumerate(entries)}
    return lambda entry: numbers[entry.record.key, entry.record.source]

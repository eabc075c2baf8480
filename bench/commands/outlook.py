"""How a plan stands against the records of its run: what is fresh, what is left to do, how long it will take.

Knows plans, records and estimates; shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from bench import estimate, pool
from bench.plan import Cell, Plan, renamed
from bench.record import Names, Record
from bench.screen import plural
from bench.store import Seen, Store, is_fresh
from leaderboard import figures


class State(StrEnum):
    """What there is of a cell in the directory of a run."""

    FRESH = "fresh"
    STALE = "stale"
    RETRIED = "failed"
    MISSING = "none"
    UNKEPT = "model not kept"


@dataclass(frozen=True)
class Outlook:
    """A plan with the records that its run directory already holds, without trials and curves.

    `seen` are these as they were found. `known` are records of earlier runs, which tell how long cells take and nothing
    else.
    """

    plan: Plan
    records: Mapping[Names, Record]
    workers: int
    store: Store
    keep: bool = False
    known: Mapping[Names, Record] = field(default_factory=dict)
    seen: Mapping[Names, Seen] = field(default_factory=dict)

    @staticmethod
    def of(plan: Plan, out: Path, workers: int | None = None, keep: bool = False) -> Outlook:
        """The outlook on a run of `plan` in `out`; `workers` and `keep` as in `bench.run.run`."""
        seen = Store(out).seen()
        by_names = {names: found.record for names, found in seen.items()}
        by_names |= {cell.names: found for cell in plan.cells if (found := renamed(cell, by_names)) is not None}
        count = max(1, pool.default_workers() if workers is None else workers)
        return Outlook(plan, by_names, count, Store(out), keep, seen=seen)

    def state(self, cell: Cell) -> State:
        """What the directory holds of the cell."""
        record = self.records.get(cell.names)
        if record is None:
            return State.MISSING
        if is_fresh(record, cell.fingerprint):
            return State.FRESH if self.store.is_done(record, cell.fingerprint, self.keep) else State.UNKEPT
        return State.STALE if record.fingerprint != cell.fingerprint else State.RETRIED

    @cached_property
    def to_do(self) -> Sequence[Cell]:
        """The cells without a fresh record, or without a model that is to be kept."""
        return [cell for cell in self.plan.cells if self.state(cell) is not State.FRESH]

    def steps(self, cell: Cell) -> int:
        """Optimizer steps of the cell, when nothing is pruned or stopped early."""
        return estimate.steps(cell)

    def seconds(self, cell: Cell) -> float:
        """About how long the cell takes on one worker."""
        return estimate.seconds(cell, {**self.known, **self.records})

    def total_seconds(self) -> float:
        """About how long all that is left takes: the work shared out, but no less than the longest cell."""
        each = [self.seconds(cell) for cell in self.to_do]
        return max(sum(each) / self.workers, max(each, default=0.0))

    def summary(self) -> str:
        """One line: how many cells, how many of them are fresh, how long the others will take."""
        cells, left = plural(len(self.plan.cells), "cell"), len(self.to_do)
        if not left:
            return f"{cells}: nothing to run, {len(self.plan.cells)} fresh"
        states = [self.state(cell) for cell in self.to_do]
        reasons = {State.STALE: "in place of a stale record", State.UNKEPT: "to keep their models"}
        again = [f"{states.count(state)} of them {why}" for state, why in reasons.items() if state in states]
        parts = [f"{cells}: {left} to run", *again, f"{len(self.plan.cells) - left} fresh"]
        with_workers = f"with {plural(self.workers, 'worker')}"
        return f"{', '.join(parts)}; about {figures.seconds(self.total_seconds())} {with_workers} (a rough estimate)"

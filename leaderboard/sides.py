"""One of the two runs of a comparison: its records, what it was meant to hold, and what of it does not count.

Knows the files of a run; judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench import sizes
from bench.atomic import write_atomically
from bench.errors import StoreError
from bench.record import Names, Outcome, Record
from bench.store import RETRIED, Store

NIGHT = "night.json"
"""Beside the plan of a run that was made for a history: when it began and what it left out."""


class Standing(StrEnum):
    """What a run has of a cell."""

    SCORED = "scored"
    UNSUPPORTED = "unsupported"
    DIVERGED = "diverged"
    FAILED = "failed"
    DAMAGED = "damaged"
    STALE = "stale"
    MISSING = "missing"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Night:
    """What a run in a history says of itself: the time it began (ISO 8601, UTC) and the cells not meant to be run.

    `stopped` says that its time was up before it had run the others.
    """

    suite: str
    began: str
    left_out: tuple[str, ...] = ()
    stopped: bool = False


@dataclass(frozen=True)
class Side:
    """One run. `planned` has the fingerprint of every planned cell by its key; `problems` say what was unreadable.

    `damaged` says of which cells that is the record; `homes` holds those whose records were taken from another run.
    """

    name: str
    store: Store
    records: Mapping[str, Record]
    planned: Mapping[str, str] = field(default_factory=dict)
    night: Night | None = None
    problems: tuple[str, ...] = ()
    homes: Mapping[str, Store] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    suite: str | None = None

    def store_of(self, key: str) -> Store:
        """Where the files of a cell lie."""
        return self.homes.get(key, self.store)

    @property
    def keys(self) -> tuple[str, ...]:
        """All cells that the run has or was meant to have, sorted."""
        left_out = self.night.left_out if self.night else ()
        return tuple(sorted({*self.records, *self.planned, *left_out}))

    def standing(self, key: str) -> Standing:
        """What the run has of a cell. A record of another plan, or from before the run began, is stale."""
        record = self.records.get(key)
        if record is None and key in self.damaged:
            return Standing.DAMAGED
        if record is None:
            left_out = self.night is not None and key in self.night.left_out
            return Standing.LEFT_OUT if left_out else Standing.MISSING
        if self._stale(record):
            return Standing.STALE
        if record.outcome in RETRIED:
            return Standing.FAILED
        if record.outcome is Outcome.OK and record.score is not None:
            return Standing.SCORED
        return Standing.DIVERGED if record.outcome is Outcome.DIVERGED else Standing.UNSUPPORTED

    def _stale(self, record: Record) -> bool:
        if record.key in self.homes:
            return False
        if self.planned.get(record.key, record.fingerprint) != record.fingerprint:
            return True
        started = record.provenance.get("started") or record.provenance.get("finished")
        return self.night is not None and started is not None and str(started) < self.night.began


def read(run: Path) -> Side:
    """A run's directory as one side of a comparison.

    Raises StoreError where there is no such directory, or its plan or night cannot be read.
    """
    store = Store(run)
    listing = store.listing()
    plan = _plan(run)
    unread = dict(zip(listing.unread, listing.problems, strict=True))
    places = {"/".join(names): store.path("records", names, "json") for names in plan.cells}
    found = {key: unread.get(path.relative_to(run).as_posix()) for key, path in places.items()}
    return Side(
        name=run.resolve().name, store=store, records={record.key: record for record in listing.records},
        planned=plan.fingerprints,
        night=read_night(run), problems=listing.problems, suite=plan.suite,
        damaged={key: problem for key, problem in found.items() if problem is not None},
    )


def filled(side: Side, others: Sequence[Side]) -> Side:
    """The side with what it left out, taken from the first of `others` that scored it itself."""
    records, homes = dict(side.records), dict(side.homes)
    for key in side.keys:
        if side.standing(key) is Standing.LEFT_OUT:
            found = next((other for other in others if other.standing(key) is Standing.SCORED), None)
            if found is not None:
                records[key], homes[key] = found.records[key], found.store_of(key)
    return replace(side, records=records, homes=homes)


def read_night(run: Path) -> Night | None:
    """What the run says of itself, None where it was not made for a history."""
    data = _json(run / NIGHT)
    if data is None:
        return None
    try:
        left_out = tuple(map(str, data["left_out"]))
        return Night(str(data["suite"]), str(data["began"]), left_out, bool(data.get("stopped", False)))
    except (KeyError, TypeError) as error:
        raise StoreError(f"{run / NIGHT}: no night wrote this ({error}). Remove the night, and run again.") from error


def write_night(run: Path, night: Night) -> None:
    """Keep what the run says of itself."""
    content = {"suite": night.suite, "began": night.began, "left_out": list(night.left_out),
               "stopped": night.stopped}
    write_atomically(run / NIGHT, json.dumps(content, indent=1).encode() + b"\n")


@dataclass(frozen=True)
class _Plan:
    """What a plan states, whatever today's code would say: the suite, and the fingerprint of every cell."""

    suite: str | None = None
    cells: Mapping[Names, str] = field(default_factory=dict)

    @property
    def fingerprints(self) -> dict[str, str]:
        """The same by the cells' keys."""
        return {"/".join(names): fingerprint for names, fingerprint in self.cells.items()}


def planned(run: Path) -> dict[str, str]:
    """The fingerprint of every planned cell by its key, as the plan states it.

    Raises StoreError where there is a plan that cannot be read.
    """
    return _plan(run).fingerprints


def _plan(run: Path) -> _Plan:
    """The run's plan, an empty one where there is none.

    Raises StoreError where there is one that cannot be read.
    """
    data = _json(run / "plan.json")
    if data is None:
        return _Plan()
    try:
        return _Plan(data.get("suite"), {_names(cell): str(cell["fingerprint"]) for cell in data["cells"]})
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{run / 'plan.json'}: not a plan ({error}). Make it again: run the suite.") from error


def _names(cell: Mapping[str, Any]) -> Names:
    """What a cell of a plan is called, as `Record.names`."""
    return str(cell["task"]), str(cell["model"]["name"]), sizes.named(cell["method"], cell.get("train_size"))


def _json(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: not readable as JSON ({error}). Remove it, or make the run again.") from error

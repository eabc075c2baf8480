"""The records of a finished or unfinished run, as `show` and `publish` read them. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError, NothingSelectedError, UnknownNameError
from bench.record import Record
from bench.screen import Screen, plural
from bench.store import Store

RUNS = Path("runs")
"""Where runs lie that were not given a directory."""


def directory(name: str) -> Path:
    """The directory of a run, from its path or its name under `runs/`."""
    path = Path(name)
    return RUNS / name if not path.exists() and (RUNS / name).is_dir() else path


def read(run: Path, screen: Screen) -> list[Record]:
    """The records of a run; a warning for each that cannot be read.

    Raises StoreError where there is no such directory, NothingSelectedError where it holds no records.
    """
    listing = Store(run).listing()
    for problem in listing.problems:
        screen.warn(problem)
    if not listing.records:
        raise NothingSelectedError(
            f"there are no records in {run}. Check that it is the directory of a run, and that a cell has finished."
        )
    return list(listing.records)


def named(records: Sequence[Record], key: str) -> Record:
    """The record of the cell of that name, else UnknownNameError."""
    by_key = {record.key: record for record in records}
    if key not in by_key:
        raise UnknownNameError("cell", key, by_key, "A cell is named task/model/method, or task/model/method@rows.")
    return by_key[key]


def unfinished(run: Path) -> str | None:
    """A sentence about the cells of the run's plan that have no fresh record, None where there are none."""
    from bench.commands.outlook import Outlook, State
    from bench.plan import Plan

    try:
        outlook = Outlook.of(Plan.loads(Store(run).read_plan()), run)
    except BenchError as error:  # a plan of another version says nothing about the records that are shown
        return f"Whether the run is complete cannot be told: {error}"
    states = [outlook.state(cell) for cell in outlook.to_do]
    if not states:
        return None
    counts = {
        "have no record yet": states.count(State.MISSING),
        "have a stale one": states.count(State.STALE),
        "failed": states.count(State.RETRIED),
    }
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    return f"Of {plural(len(outlook.plan.cells), 'planned cell')}, {told}. Run the same command again to go on."

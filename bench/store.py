"""A run's directory: the database of its results. Records as JSON, predictions as parquet, both written atomically.

Knows where things lie and how they are written and read; not how a result is made or shown.

    plan.json  events.jsonl  leaderboard/  wandb/
    records/TASK/MODEL/METHOD.json
    predictions/TASK/MODEL/METHOD.parquet
    studies/TASK/MODEL/METHOD.journal
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import StoreError
from bench.record import SCHEMA, Outcome, Record, from_json, to_json

if TYPE_CHECKING:
    import pyarrow

    from bench.metrics.metric import Array

RETRIED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY})
"""Outcomes that another try, on a mended or larger machine, may change. Divergence is a finding about the cell."""

Names = tuple[str, str, str]
"""Task, model and method."""


def is_fresh(record: Record | None, fingerprint: str) -> bool:
    """Whether the record still holds for a cell with this fingerprint, so that the cell need not run again."""
    return record is not None and record.fingerprint == fingerprint and record.outcome not in RETRIED


def safe_name(name: str) -> str:
    """A file name for `name`: itself where every file system takes it, else a readable form with a hash."""
    if re.fullmatch(r"[a-z0-9_][a-z0-9._=-]{0,99}", name):
        return name
    slug = re.sub(r"[^a-z0-9._=-]+", "-", name.lower()).strip("-.")[:60]
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Listing:
    """The records of a run, and a sentence for every file that could not be read."""

    records: tuple[Record, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Answers:
    """One seed's answers to the test rows: (n, k) statistics, n example scores, and a digest of what was asked.

    Equal digests mean the same inputs and references in the same order.
    """

    seed: int
    asked: str
    statistics: Array
    scores: Array


@dataclass(frozen=True)
class Store:
    """One run's directory. Nothing is made until something is written."""

    root: Path

    def path(self, kind: str, names: Names, suffix: str) -> Path:
        """Where a cell's file of one kind lies: `records`, `predictions` or `studies`."""
        task, model, method = map(safe_name, names)
        return self.root / kind / task / model / f"{method}.{suffix}"

    def study(self, names: Names) -> Path:
        """The journal of a cell's search."""
        return self.path("studies", names, "journal")

    def write_record(self, record: Record) -> Path:
        """Put the record in place of any earlier one; a reader sees the old or the new one whole."""
        path = self.path("records", (record.task, record.model, record.method), "json")
        write_atomically(path, json.dumps(to_json(record), indent=1, allow_nan=False).encode() + b"\n")
        return path

    def read_record(self, names: Names) -> Record | None:
        """The record of a cell, None where there is none.

        Raises StoreError where there is one that cannot be read.
        """
        path = self.path("records", names, "json")
        return read_record(path) if path.exists() else None

    def listing(self) -> Listing:
        """All records, sorted by name; unreadable ones are reported, not fatal.

        Raises StoreError where the directory does not exist.
        """
        if not self.root.is_dir():
            raise StoreError(f"there is no run in {self.root}. Give its directory, or its name under runs/.")
        records, problems = [], []
        for path in sorted(self.root.glob("records/*/*/*.json")):
            try:
                records.append(self._in_place(path, read_record(path)))
            except StoreError as error:
                problems.append(str(error))
        return Listing(tuple(sorted(records, key=lambda r: r.key)), tuple(problems))

    def _in_place(self, path: Path, record: Record) -> Record:
        """The record, unless it lies where another's place is: a copy would be a second record of its cell."""
        place = self.path("records", (record.task, record.model, record.method), "json")
        if path != place:
            raise StoreError(
                f"{path}: holds the record of {record.key}, whose place is {place}. Move it there, or remove it."
            )
        return record

    def records(self) -> list[Record]:
        """All records that can be read, sorted by name."""
        return list(self.listing().records)

    def write_predictions(self, names: Names, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Put the predictions of a cell in place of any earlier ones (columns: `prediction_schema`)."""
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.Table.from_pylist([dict(row) for row in rows], schema=prediction_schema())
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(table, sink, compression="zstd")
        path = self.path("predictions", names, "parquet")
        write_atomically(path, sink.getvalue().to_pybytes())
        return path

    def read_predictions(self, names: Names) -> list[dict[str, Any]]:
        """The predictions of a cell, empty where there are none.

        Raises StoreError where the file cannot be read.
        """
        import pyarrow
        import pyarrow.parquet

        path = self.path("predictions", names, "parquet")
        if not path.exists():
            return []
        try:
            rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise StoreError(f"{path}: not readable as parquet ({error}). Delete it and run the cell again.") from error
        return rows

    def read_answers(self, names: Names) -> list[Answers]:
        """What each seed of a cell answered, as statistics, in the order of the seeds; empty where that is not kept.

        Raises StoreError where the file cannot be read.
        """
        import pyarrow
        import pyarrow.parquet

        path = self.path("predictions", names, "parquet")
        if not path.exists():
            return []
        try:
            table = pyarrow.parquet.read_table(path)
            return _answers(table) if "statistics" in table.column_names else []
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise StoreError(f"{path}: not readable as answers ({error}). Delete it and run the cell again.") from error

    def remove_predictions(self, names: Names) -> None:
        """Forget predictions that belong to an earlier record."""
        self.path("predictions", names, "parquet").unlink(missing_ok=True)

    def write_plan(self, text: str) -> Path:
        """Keep what the run is meant to contain."""
        write_atomically(self.root / "plan.json", text.encode())
        return self.root / "plan.json"

    def read_plan(self) -> str:
        """The text that `write_plan` kept.

        Raises StoreError where there is none, or no text.
        """
        path = self.root / "plan.json"
        if not path.is_file():
            raise StoreError(f"there is no plan.json in {self.root}. Check that it is the directory of a run.")
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise StoreError(f"{path}: not UTF-8 text ({error.reason}). Make it again: run the suite.") from error

    def sweep(self) -> None:
        """Remove half-written files that a killed run left. Nobody may be writing meanwhile."""
        for path in self.root.glob("*/*/*/.*.tmp"):
            path.unlink(missing_ok=True)

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add one line to the run's log."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(to_json(event)) + "\n")


def _answers(table: pyarrow.Table) -> list[Answers]:
    """Raises ValueError for rows of one seed with different numbers of statistics."""
    import pyarrow.compute

    found = []
    for seed in table["seed"].unique().to_pylist():
        part = table.filter(pyarrow.compute.equal(table["seed"], seed)).combine_chunks()
        flat = part["statistics"].combine_chunks().flatten().to_numpy()
        asked = hashlib.sha256("\0".join([*part["input"].to_pylist(), *part["reference"].to_pylist()]).encode())
        statistics = flat.reshape(len(part), -1)
        found.append(Answers(seed, asked.hexdigest(), statistics, part["score"].to_numpy()))
    return found


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises StoreError naming the file where it cannot be read, or has the layout of another version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("schema") != SCHEMA:
            raise StoreError(f"{path}: has layout {data.get('schema')}, this version reads {SCHEMA}. Run it again.")
        return from_json(Record, data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: not a readable record ({error}). Delete it and run the cell again.") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at every moment, a crash included, it holds all of the old or all of the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp gives a file that nobody else may read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def prediction_schema() -> pyarrow.Schema:
    """Columns of a predictions file, a line for each test row and seed.

    `reference`, `prediction` and `phenomena` are JSON. `unseen` says whether the row asks for something that no
    training row has, null where that is not known. `statistics` are the row's sufficient statistics for its metric
    (`bench.metrics.metric`), from which every score, interval and comparison can be had again without the metric's
    libraries; equally many for all rows of a seed.
    """
    import pyarrow

    text = pyarrow.string()
    return pyarrow.schema([
        ("row", pyarrow.int64()), ("input", text), ("reference", text), ("seed", pyarrow.int64()),
        ("prediction", text), ("score", pyarrow.float64()), ("phenomena", text),
        ("unseen", pyarrow.bool_()), ("statistics", pyarrow.list_(pyarrow.float64())),
    ])

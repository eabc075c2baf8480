"""A run's directory: the database of its results. Records as JSON, predictions as parquet, all written atomically.

Knows where things lie and how they are written and read; not how a result is made or shown.

    plan.json  events.jsonl  leaderboard/  wandb/  claims/
    records/TASK/MODEL/METHOD.json
    predictions/TASK/MODEL/METHOD.parquet
    studies/TASK/MODEL/METHOD.journal
    studies/TASK/MODEL/METHOD.halfway/     while a cell is not finished (`bench.halfway`)
    models/TASK/MODEL/METHOD/seed-SEED/    where models are kept (`bench.keep` says what is in there)

METHOD is METHOD@SIZE where a run has several training-set sizes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import predictions
from bench.atomic import directory_in_place, write_atomically
from bench.errors import StoreError
from bench.predictions import Answers
from bench.record import SCHEMA, Names, Outcome, Record, brief, from_json, to_json
from bench.redact import redacted

RETRIED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY})
"""Outcomes that another try, on a mended or larger machine, may change. Divergence is a finding about the cell."""


def is_fresh(record: Record | None, fingerprint: str) -> bool:
    """Whether the record still holds for a cell with this fingerprint, so that the cell need not run again."""
    return record is not None and record.fingerprint == fingerprint and record.outcome not in RETRIED


def safe_name(name: str) -> str:
    """A file name for `name`: itself where every file system takes it, else a readable form with a hash."""
    if re.fullmatch(r"[a-z0-9_][a-z0-9._=@-]{0,99}", name):
        return name
    slug = re.sub(r"[^a-z0-9._=@-]+", "-", name.lower()).strip("-.")[:60]
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Listing:
    """The records of a run, and a sentence for every file that could not be read, whose paths in it are `unread`."""

    records: tuple[Record, ...]
    problems: tuple[str, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A record as it lay there at some moment: what `brief` leaves of it, and the `digest` of its file."""

    record: Record
    digest: str


def digest(content: bytes) -> str:
    """What tells one state of a record's file from another: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


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
        """Put the record in place of any earlier one; a reader sees the old or the new one whole.

        Secrets in its words are left out: the command that made it, and reasons, hold what users and services said.
        """
        path = self.path("records", record.names, "json")
        write_atomically(path, json.dumps(redacted(to_json(record)), indent=1, allow_nan=False).encode() + b"\n")
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
        records, problems, unread = [], [], []
        for path in sorted(self.root.glob("records/*/*/*.json")):
            try:
                records.append(self._in_place(path, read_record(path)))
            except StoreError as error:
                problems.append(str(error))
                unread.append(path.relative_to(self.root).as_posix())
        return Listing(tuple(sorted(records, key=lambda r: r.key)), tuple(problems), tuple(unread))

    def seen(self) -> dict[Names, Seen]:
        """All records that can be read, by name, of which little is held: there may be very many."""
        found = {}
        for path in self.root.glob("records/*/*/*.json"):
            with contextlib.suppress(StoreError):
                content = _content(path)
                record = self._in_place(path, _read(path, content))
                found[record.names] = Seen(brief(record), digest(content))
        return found

    def _in_place(self, path: Path, record: Record) -> Record:
        """The record, unless it lies where another's place is: a copy would be a second record of its cell."""
        place = self.path("records", record.names, "json")
        if path != place:
            raise StoreError(
                f"{path}: holds the record of {record.key}, whose place is {place}. Move it there, or remove it."
            )
        return record

    def records(self) -> list[Record]:
        """All records that can be read, sorted by name."""
        return list(self.listing().records)

    def write_predictions(self, names: Names, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Put the predictions of a cell in place of any earlier ones (columns: `bench.predictions`)."""
        path = self._predictions(names)
        predictions.write(path, rows)
        return path

    def read_predictions(self, names: Names) -> list[dict[str, Any]]:
        """The predictions of a cell, empty where there are none.

        Raises StoreError where the file cannot be read.
        """
        return predictions.read(self._predictions(names))

    def read_answers(self, names: Names) -> list[Answers]:
        """What each seed of a cell answered, as statistics, in the order of the seeds; empty where that is not kept.

        Raises StoreError where the file cannot be read.
        """
        return predictions.read_answers(self._predictions(names))

    def read_first_seed(self, names: Names, columns: Sequence[str]) -> dict[str, list[Any]]:
        """These columns of what a cell's first seed answered, by test row; empty where there are no predictions.

        Raises StoreError where the file cannot be read or lacks a column.
        """
        return predictions.read_first_seed(self._predictions(names), columns)

    def remove_predictions(self, names: Names) -> None:
        """Forget predictions that belong to an earlier record."""
        self._predictions(names).unlink(missing_ok=True)

    def _predictions(self, names: Names) -> Path:
        return self.path("predictions", names, "parquet")

    def rename(self, record: Record, train_size: int | None) -> Record:
        """Give a record the size in its name, or take it out, with all that belongs to it.

        The record itself goes last, so that one that was stopped half-way is renamed by the next call.
        """
        renamed = dataclasses.replace(record, train_size=train_size)
        for old, new in zip(self._belongings(record.names), self._belongings(renamed.names), strict=True):
            if old.exists():
                old.replace(new)
        self.write_record(renamed)
        self.path("records", record.names, "json").unlink()
        return renamed

    def _belongings(self, names: Names) -> tuple[Path, ...]:
        """Where all that belongs to a record lies, beside it."""
        halfway = self.path("studies", names, "halfway")
        return self._predictions(names), self.study(names), halfway, self._models(names)

    def model(self, names: Names, seed: int) -> Path:
        """The directory of the model that a cell's final training with `seed` left, where models were kept."""
        return self._models(names) / f"seed-{seed}"

    def _models(self, names: Names) -> Path:
        task, model, method = map(safe_name, names)
        return self.root / "models" / task / model / method

    @contextmanager
    def new_models(self, names: Names) -> Iterator[Path]:
        """A directory for the models of a cell, which takes the place of any earlier one when the block ends well.

        One that stays empty leaves the cell without models.
        """
        with directory_in_place(self._models(names)) as place:
            yield place

    def remove_models(self, names: Names) -> None:
        """Forget models that belong to an earlier record, and what a worker that died left of new ones."""
        place = self._models(names)
        for path in (place, *place.parent.glob(f".{place.name}.????????.tmp")):
            shutil.rmtree(path, ignore_errors=True)

    def is_done(self, record: Record | None, fingerprint: str, keep: bool) -> bool:
        """Whether a cell need not run: its record is fresh and its predictions are not damaged.

        If models are to be kept, so are all of its own.
        """
        if record is None or not is_fresh(record, fingerprint):
            return False
        if predictions.is_damaged(self.path("predictions", record.names, "parquet")):
            return False
        here = all(self.model(record.names, final.seed).is_dir() for final in record.finals)
        return not keep or here or record.outcome is not Outcome.OK

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
        for pattern in (".*.tmp", "*/*/*/.*.tmp", "studies/*/*/*.halfway/**/.*.tmp"):
            for path in list(self.root.glob(pattern)):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add one line to the run's log."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "events.jsonl").open("ab", buffering=0) as file:  # whole lines, also where several write
            file.write(json.dumps(redacted(to_json(event))).encode() + b"\n")


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises StoreError naming the file where it cannot be read, or has the layout of another version.
    """
    return _read(path, _content(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path, content: bytes) -> Record:
    try:
        data = json.loads(content.decode())
        if data.get("schema") != SCHEMA:
            raise StoreError(f"{path}: has layout {data.get('schema')}, this version reads {SCHEMA}. Run it again.")
        return from_json(Record, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StoreError:
    return StoreError(f"{path}: not a readable record ({error}). Delete it and run the cell again.")

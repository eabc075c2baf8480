"""Where a task's rows come from: one of its sources, checked against its schema, cut to the budget's sizes.

Knows the kinds of source, not what is learnt from the rows. The test split stays closed until it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import files
from bench.errors import DataError, RequestError, UnknownNameError
from bench.record import Data
from bench.rows import TYPES, Located, check_labels, checked
from bench.spec import SPLITS, Budget, Bundled, Files, Head, Hub, Rows, Source, Task

__all__ = ["TYPES", "Splits", "check", "fingerprint", "labels", "load", "origin", "overlap", "resolve"]


@dataclass(frozen=True)
class Splits:
    """The rows of a task. `test` reads, checks and hands out the test split only when it is called."""

    train: Rows
    validation: Rows
    test: Callable[[], Rows]
    data: Data


def load(
    task: Task, source: str, *, data_dir: Path | None = None, budget: Budget, revision: str | None = None
) -> Splits:
    """The splits of `task` from its `source`, cut to the sizes of `budget` (the same rows for every model and method).

    `data_dir` is for `files`; `revision` (40-hex) for `hub`, None takes the task's pin or else the present commit.
    Raises UnknownNameError for an unknown source, DataError for rows that do not fit the schema, UnavailableError where
    a hub data set cannot be had. Of the test split only its presence and number of rows are looked at.
    """
    place = _place(task, source, data_dir, revision)

    @cache
    def test() -> Rows:
        return _cut(task, "test", _rows(task, place, "test"), budget)

    train, validation = (_cut(task, split, _rows(task, place, split), budget) for split in ("train", "validation"))
    size = budget.test_size
    count = place.count("test")
    data = Data(
        source=source,
        origin=place.origin,
        sha256=_fingerprint(place, budget),
        revision=place.revision,
        train=len(train),
        validation=len(validation),
        test=count if size is None else min(count, size),
        synthetic=isinstance(task.sources[source], Bundled),
    )
    return Splits(train, validation, test, data)


def check(task: Task, source: str, data_dir: Path | None = None, revision: str | None = None) -> int:
    """Read every split whole and check every row, so that a mistake shows before anything trains.

    Returns how many training rows there are. Raises as `load` does, and DataError for labels that cannot be learnt from
    the training rows.
    """
    place = _place(task, source, data_dir, revision)
    train, *others = (_located(task, place, split) for split in SPLITS)
    check_labels(task, train, itertools.chain.from_iterable(others))
    return len(train)


def labels(task: Task, splits: Splits) -> tuple[str, ...]:
    """The labels (classify) or tags (tag) of the train and validation splits, sorted, "O" first; else empty."""
    rows = [*splits.train, *splits.validation]
    if task.head is Head.CLASSIFY:
        return tuple(sorted({row[task.reference] for row in rows}))
    if task.head is Head.TAG:
        return ("O", *sorted({tag for row in rows for tag in row[task.reference]} - {"O"}))
    return ()


def overlap(task: Task, splits: Splits) -> int:
    """How many test rows have the very inputs of a train row. Opens the test split."""
    seen = {_inputs(task, row) for row in splits.train}
    return sum(_inputs(task, row) in seen for row in splits.test())


def origin(task: Task, source: str, data_dir: Path | None = None, revision: str | None = None) -> str:
    """Where the rows come from, for people: a module, a data set with its config, or a directory."""
    return _place(task, source, data_dir, revision).origin


def resolve(task: Task, source: str) -> str | None:
    """The 40-hex commit to read the hub data set at: the task's pin, or the present one. None for other sources."""
    found = source_of(task, source)
    if not isinstance(found, Hub):
        return None
    from bench.learn import hub

    return found.revision or hub.resolve_dataset(found.id)


def fingerprint(
    task: Task, source: str, data_dir: Path | None = None, budget: Budget | None = None, revision: str | None = None
) -> str:
    """SHA-256 (hex) that identifies the rows that `load` gives with the same arguments, test included.

    It is of the pinned content (bundled), of commit, slices and columns (hub) or of the bytes of the files, with the
    sizes that `budget` cuts them to.
    """
    return _fingerprint(_place(task, source, data_dir, revision), budget or Budget())


@dataclass(frozen=True)
class _Place:
    """A source made concrete: what each split is called, how to read and count it, and what identifies the content."""

    origin: str
    name: Callable[[str], str]
    read: Callable[[str], list[Located]]
    count: Callable[[str], int]
    identity: Callable[[], Any]
    revision: str | None = None


def source_of(task: Task, source: str) -> Source:
    """The source of that name, else UnknownNameError with those that the task has."""
    if source == "bundled" and source not in task.sources:
        raise RequestError(
            f"task {task.name!r} has no bundled data: add --source {' or --source '.join(sorted(task.sources))} "
            "(`files` needs --data-dir, your directory)."
        )
    if source not in task.sources:
        raise UnknownNameError(
            f"source of task {task.name!r}:", source, task.sources,
            "Choose one with --source; `files` needs --data-dir, your directory.",
        )
    return task.sources[source]


def _place(task: Task, source: str, data_dir: Path | None, revision: str | None) -> _Place:
    found = source_of(task, source)
    match found:
        case Bundled():
            return _bundled(task, found)
        case Hub():
            return _hub(found, revision or resolve(task, source) or "")
        case Files():
            if data_dir is None:
                raise RequestError(f"task {task.name!r}: source {source!r} needs --data-dir, your directory.")
            return _files(task, Path(data_dir) / task.name)


def _bundled(task: Task, source: Bundled) -> _Place:
    name = f"tasks.corpora.{source.module}"

    def read(split: str) -> list[Located]:
        rows = _corpus(name, task.name, source.sha256)[split]
        return [(f"{name}, {split} row {number}", dict(row)) for number, row in enumerate(rows, 1)]

    return _Place(name, lambda split: name, read, lambda split: len(read(split)), lambda: source.sha256)


@cache
def _corpus(module: str, task: str, pinned: str) -> dict[str, list[dict[str, Any]]]:
    from tasks.corpora.draw import content_hash

    corpus: dict[str, list[dict[str, Any]]] = importlib.import_module(module).corpus()
    made = content_hash(corpus)
    if made != pinned:
        raise DataError(
            f"task {task!r}: {module} makes content {made}, but the task pins {pinned}. If the change is meant, bump "
            f"the task's `version` and pin the new hash in tasks/{task}.py (`python -m tasks.corpora` prints it)."
        )
    return corpus


def _hub(source: Hub, revision: str) -> _Place:
    from bench.learn import hub

    name = f"{source.id} ({source.config})" if source.config else source.id

    def read(split: str) -> list[Located]:
        rows = hub.load_split(source, split, revision)
        return [(f"{name} at {revision}, {source.splits[split]}, row {n}", row) for n, row in enumerate(rows, 1)]

    identity = [source.id, source.config, revision, dict(source.columns), dict(source.splits), source.convert]
    return _Place(
        name, lambda split: f"{name} at {revision}, {source.splits[split]}", read,
        lambda split: hub.count_split(source, split, revision), lambda: identity, revision,
    )


def _files(task: Task, directory: Path) -> _Place:
    return _Place(
        str(directory),
        lambda split: str(files.find(directory, split)),
        lambda split: files.read(files.find(directory, split), task.schema),
        lambda split: files.count(files.find(directory, split)),
        lambda: {split: files.digest(files.find(directory, split)) for split in SPLITS},
    )


def _located(task: Task, place: _Place, split: str) -> list[Located]:
    located = checked(task, place.read(split))
    if not located:
        raise DataError(f"{place.name(split)}: the {split} split has no rows. Add at least one.")
    return located


def _rows(task: Task, place: _Place, split: str) -> list[dict[str, Any]]:
    rows = [row for _, row in _located(task, place, split)]
    for column, kind in task.schema.items():
        if kind == "id":
            for number, row in enumerate(rows, 1):
                row.setdefault(column, f"{split}-{number}")
    return rows


def _cut(task: Task, split: str, rows: list[dict[str, Any]], budget: Budget) -> Rows:
    """The first rows of a seeded shuffle, in their old order, so that a smaller cut is part of every larger one."""
    size = _sizes(budget)[split]
    if size is None or size >= len(rows):
        return rows
    order = list(range(len(rows)))
    random.Random(f"{task.name}/{split}").shuffle(order)
    return [rows[i] for i in sorted(order[:size])]


def _sizes(budget: Budget) -> dict[str, int | None]:
    return {"train": budget.train_size, "validation": budget.validation_size, "test": budget.test_size}


def _fingerprint(place: _Place, budget: Budget) -> str:
    text = json.dumps([place.identity(), _sizes(budget)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _inputs(task: Task, row: Any) -> str:
    return json.dumps([row[column] for column in task.inputs])

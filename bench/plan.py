"""A suite, narrowed or changed by a request, as the list of cells that it stands for, each with its fingerprint.

Knows names, declarations and what identifies data and checkpoints; trains nothing and imports no tensor library.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import catalog, models, sizes, sources
from bench.errors import NothingSelectedError, RequestError, StoreError, UnavailableError
from bench.record import Names, Record, from_json, to_json
from bench.spec import Budget, Files, Method, Model, Pinned, Task
from bench.suite import Suite

HARNESS = 7
"""Version of how the harness trains and scores. A change that alters results bumps it, and every record is stale."""

ASIDE = ("note", "revision", "pickled")
"""What a model has that no result depends on: its revision is resolved, and its weights are the same in either form."""


@dataclass(frozen=True)
class Request:
    """What a user changes of a suite; None leaves it as the suite says.

    `allow_pickle` names models whose weights may be a pickle, which no suite can say.
    """

    tasks: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    source: str | None = None
    data_dir: Path | None = None
    allow_pickle: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One task x model x method, with all that its result depends on. `method_name` includes options: `lora[r=16]`.

    `train_size` is the budget's where the task is run at several training-set sizes, which makes it part of the cell's
    name; else None.
    `data_revision` and `model_revision` are 40-hex commits of the hub, None for what is local; `data_sha256` identifies
    the rows and `model_sha256` the files of a local checkpoint. `others` are the models that the method's options name.
    """

    task: Task
    model: Model
    method: Method
    options: Mapping[str, Any]
    method_name: str
    source: str
    data_dir: Path | None
    budget: Budget
    data_sha256: str
    data_revision: str | None = None
    model_revision: str | None = None
    model_sha256: str | None = None
    others: Mapping[str, Pinned] = field(default_factory=dict)
    train_size: int | None = None

    @property
    def names(self) -> Names:
        """What the cell is called inside its run, in parts, as `Record.names`."""
        return self.task.name, self.model.name, sizes.named(self.method_name, self.train_size)

    @property
    def key(self) -> str:
        """The cell's name inside its run, as `Record.key`."""
        return "/".join(self.names)

    @property
    def other_names(self) -> Names | None:
        """What this very cell is called where its size is an axis and here is not, or the other way round.

        None where it takes all training rows, which is no size.
        """
        if self.budget.train_size is None:
            return None
        size = self.budget.train_size if self.train_size is None else None
        return self.task.name, self.model.name, sizes.named(self.method_name, size)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that the result depends on: a record with another one is stale.

        What only describes (titles, notes, other sources) is left out, and so is where the cell runs.
        """
        parts = {
            "harness": HARNESS,
            "task": _without(to_json(self.task), "title", "sources"),
            "data": [self.source, self.data_sha256],
            "model": _without(to_json(self.model), *ASIDE),
            "checkpoint": [self.model_revision, self.model_sha256],
            "method": _without({f.name: getattr(self.method, f.name) for f in dataclasses.fields(self.method)},
                               "title", "source", "apply", "prepare", "routine", "merge", "limits"),
            "options": dict(self.options),
            "others": {name: _identity(other) for name, other in self.others.items()},
            "budget": self.budget,
        }
        return hashlib.sha256(json.dumps(to_json(parts), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """The cells of a run, in the order of the table: by task, then model, then method, then training-set size."""

    suite: str
    cells: tuple[Cell, ...]

    def dumps(self) -> str:
        """The plan as JSON: names, budgets, resolved revisions and fingerprints."""
        document = {"suite": self.suite, "harness": HARNESS, "cells": [_cell_to_json(c) for c in self.cells]}
        return json.dumps(document, indent=1)

    @staticmethod
    def loads(text: str) -> Plan:
        """The plan that `dumps` wrote, its tasks and methods looked up again in the catalog.

        Raises StoreError for text that is no plan, UnknownNameError for a name that no longer exists.
        """
        try:
            document = json.loads(text)
            return Plan(document["suite"], tuple(_cell_from_json(c) for c in document["cells"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"not a plan ({type(error).__name__}: {error}). Make it again: run the suite.") from error


def make(suite: Suite, request: Request | None = None) -> Plan:
    """The cells of `suite` under `request`; hub revisions are resolved and local checkpoints hashed.

    Raises RequestError for what cannot be run as asked, UnavailableError for data or checkpoints that cannot be had,
    NothingSelectedError where no cell is left.
    """
    request = request or Request()
    source = request.source or suite.source
    tasks = [catalog.task(name) for name in _chosen(request.tasks, suite.tasks)]
    named = suite.hub_models if source == "hub" and suite.hub_models else suite.models
    sides = [_pinned(model) for model in _models(_chosen(request.models, named), request.allow_pickle)]
    methods = [catalog.method(name) for name in _chosen(request.methods, suite.methods)]
    data = [_Data.of_task(suite, task, source, request) for task in tasks]
    cells = tuple(
        _cell(rows, side, method, options)
        for by_size in data for side in sides for method, options in methods for rows in by_size
    )
    _check_unique(cells)
    if not cells:
        raise NothingSelectedError("no cell is selected: name at least one task, one model and one method.")
    return Plan(suite.name, cells)


def renamed(cell: Cell, records: Mapping[Names, Record]) -> Record | None:
    """The record of the cell where it is there under its other name only (`Cell.other_names`), else None.

    So a run to which sizes are added later goes on with what it has.
    """
    other = None if cell.names in records or cell.other_names is None else records.get(cell.other_names)
    return other if other is not None and other.budget.get("train_size") == cell.budget.train_size else None


def united(text: str, mine: Plan) -> str:
    """The plan that `text` holds, with the cells of `mine` that it lacks: both are being run in one directory.

    Raises RequestError where they mean different things by the same name, StoreError where `text` is no plan.
    """
    try:
        document = json.loads(text)
        theirs = {_json_name(cell): cell["fingerprint"] for cell in document["cells"]}
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"not a plan ({type(error).__name__}: {error}). Wait for the other run to end.") from error
    entries = [_cell_to_json(cell) for cell in mine.cells]
    for entry, cell in zip(entries, mine.cells, strict=True):
        if theirs.get(_json_name(entry), cell.fingerprint) != cell.fingerprint:
            raise RequestError(
                f"another run in this directory is making {cell.key} from other data, another budget or another "
                "version. Wait for it, or choose another --out."
            )
    document["cells"] += [entry for entry in entries if _json_name(entry) not in theirs]
    return json.dumps(document, indent=1)


def _json_name(cell: Mapping[str, Any]) -> tuple[str, str, str, int | None]:
    return cell["task"], cell["model"]["name"], cell["method"], cell.get("train_size")


@dataclass(frozen=True)
class _Data:
    """A task with its rows at one training-set size identified: what all its cells of that size share."""

    task: Task
    source: str
    data_dir: Path | None
    budget: Budget
    sha256: str
    revision: str | None
    train_size: int | None

    @staticmethod
    def of_task(suite: Suite, task: Task, source: str, request: Request) -> tuple[_Data, ...]:
        """One for each training-set size."""
        reads_files = isinstance(sources.source_of(task, source), Files)
        if reads_files and request.data_dir is None:
            raise RequestError(f"source {source!r} reads your files: say where they are with --data-dir DIR.")
        data_dir = request.data_dir if reads_files else None
        budgets = suite.budgets_for(task.name, source)
        revision = sources.resolve(task, source)

        def at(budget: Budget) -> _Data:
            sha256 = sources.fingerprint(task, source, data_dir, budget, revision)
            size = budget.train_size if len(budgets) > 1 else None
            return _Data(task, source, data_dir, budget, sha256, revision, size)

        return tuple(map(at, budgets))


def _models(names: Sequence[str], pickled: Sequence[str]) -> list[Model]:
    """The models of these names.

    Raises RequestError where one that may be a pickle is not among them: it would silently change nothing.
    """
    stray = next((name for name in pickled if name not in names), None)
    if stray is not None:
        raise RequestError(f"--allow-pickle names {stray!r}, which is no model of this run: {', '.join(names)}.")
    found = (catalog.model(name) for name in names)
    return [dataclasses.replace(m, pickled=True) if m.name in pickled else m for m in found]


def _pinned(model: Model) -> Pinned:
    sha256 = models.content_hash(model)
    if sha256 is not None:
        return Pinned(model, None, sha256)
    if model.revision is not None:
        return Pinned(model, model.revision, None)
    from bench.learn import hub

    return Pinned(model, hub.resolve_model(model.path), None)


def _other(name: str) -> Pinned:
    """A model that an option names. Where it cannot be had, only the cells that need it will say so."""
    model = catalog.model(name)
    try:
        return _pinned(model)
    except UnavailableError:
        return Pinned(model)


def _identity(pinned: Pinned) -> list[Any]:
    return [_without(to_json(pinned.model), *ASIDE), pinned.revision, pinned.sha256]


def _cell(data: _Data, side: Pinned, method: Method, options: Mapping[str, Any]) -> Cell:
    return Cell(
        task=data.task, model=side.model, method=method, options=options,
        method_name=catalog.method_name(method, options), source=data.source, data_dir=data.data_dir,
        budget=data.budget, data_sha256=data.sha256, data_revision=data.revision,
        model_revision=side.revision, model_sha256=side.sha256,
        others={option: _other(options[option]) for option in method.models}, train_size=data.train_size,
    )


def _chosen(asked: tuple[str, ...] | None, default: Sequence[str]) -> tuple[str, ...]:
    """The names asked for, once each, in their order."""
    return tuple(dict.fromkeys(default if asked is None else asked))


def _check_unique(cells: Sequence[Cell]) -> None:
    double = next((key for key, count in Counter(cell.key for cell in cells).items() if count > 1), None)
    if double is not None:
        raise RequestError(f"two cells are called {double!r}. An option at its default counts as left out.")


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _cell_to_json(cell: Cell) -> dict[str, Any]:
    kept = ("source", "train_size", "data_sha256", "data_revision", "model_revision", "model_sha256", "fingerprint")
    return {
        "task": cell.task.name, "model": to_json(cell.model), "method": cell.method_name,
        "budget": to_json(cell.budget),
        "data_dir": None if cell.data_dir is None else str(cell.data_dir), "others": to_json(cell.others),
        **{name: getattr(cell, name) for name in kept},
    }


def _cell_from_json(data: Mapping[str, Any]) -> Cell:
    method, options = catalog.method(data["method"])
    return Cell(
        task=catalog.task(data["task"]), model=from_json(Model, data["model"]), method=method, options=options,
        method_name=data["method"], source=data["source"],
        data_dir=None if data["data_dir"] is None else Path(data["data_dir"]),
        budget=from_json(Budget, data["budget"]), data_sha256=data["data_sha256"],
        data_revision=data["data_revision"], model_revision=data["model_revision"], model_sha256=data["model_sha256"],
        others={option: from_json(Pinned, other) for option, other in data["others"].items()},
        train_size=data.get("train_size"),  # plans of runs without this axis may be older than it
    )

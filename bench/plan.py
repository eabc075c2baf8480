"""A suite, narrowed or changed by a request, as the list of cells that it stands for, each with its fingerprint.

Knows names, declarations and what identifies data and checkpoints; trains nothing and imports no tensor library.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench import catalog, models, sources
from bench.errors import NothingSelectedError, RequestError, StoreError, UnavailableError, UnknownNameError
from bench.record import from_json, to_json
from bench.spec import Budget, Files, Method, Model, Pinned, Task
from bench.suite import Suite

HARNESS = 4
"""Version of how the harness trains and scores. A change that alters results bumps it, and every record is stale."""

Names = tuple[str, str, str]
"""Task, model and method: what a cell is called inside its run."""


@dataclass(frozen=True)
class Request:
    """What a user changes of a suite; None leaves it as the suite says."""

    tasks: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    source: str | None = None
    data_dir: Path | None = None


@dataclass(frozen=True)
class Cell:
    """One task x model x method, with all that its result depends on. `method_name` includes options: `lora[r=16]`.

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

    @property
    def names(self) -> Names:
        """Task, model and method."""
        return self.task.name, self.model.name, self.method_name

    @property
    def key(self) -> str:
        """The cell's name inside its run, as `Record.key`."""
        return "/".join(self.names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that the result depends on: a record with another one is stale.

        What only describes (titles, notes, other sources) is left out, and so is where the cell runs.
        """
        parts = {
            "harness": HARNESS,
            "task": _without(to_json(self.task), "title", "sources"),
            "data": [self.source, self.data_sha256],
            "model": _without(to_json(self.model), "note", "revision"),
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
    """The cells of a run, in the order of the table: by task, then model, then method."""

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
    sides = [_pinned(catalog.model(name)) for name in _chosen(request.models, named)]
    methods = [catalog.method(name) for name in _chosen(request.methods, suite.methods)]
    data = [_Data.of_task(suite, task, source, request) for task in tasks]
    cells = tuple(_cell(d, side, method, options) for d in data for side in sides for method, options in methods)
    _check_unique(cells)
    if not cells:
        raise NothingSelectedError("no cell is selected: name at least one task, one model and one method.")
    return Plan(suite.name, cells)


@dataclass(frozen=True)
class _Data:
    """A task with its rows identified: what all its cells share."""

    task: Task
    source: str
    data_dir: Path | None
    budget: Budget
    sha256: str
    revision: str | None

    @staticmethod
    def of_task(suite: Suite, task: Task, source: str, request: Request) -> _Data:
        if source not in task.sources:
            raise UnknownNameError(f"source of task {task.name!r}:", source, task.sources)
        if isinstance(task.sources[source], Files) and request.data_dir is None:
            raise RequestError(f"source {source!r} reads your files: say where they are with --data-dir DIR.")
        data_dir = request.data_dir if isinstance(task.sources[source], Files) else None
        budget = suite.budget_for(task.name, source)
        revision = sources.resolve(task, source)
        sha256 = sources.fingerprint(task, source, data_dir, budget, revision)
        return _Data(task, source, data_dir, budget, sha256, revision)


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
    return [_without(to_json(pinned.model), "note", "revision"), pinned.revision, pinned.sha256]


def _cell(data: _Data, side: Pinned, method: Method, options: Mapping[str, Any]) -> Cell:
    return Cell(
        task=data.task, model=side.model, method=method, options=options,
        method_name=catalog.method_name(method, options), source=data.source, data_dir=data.data_dir,
        budget=data.budget, data_sha256=data.sha256, data_revision=data.revision,
        model_revision=side.revision, model_sha256=side.sha256,
        others={option: _other(options[option]) for option in method.models},
    )


def _chosen(asked: tuple[str, ...] | None, default: Sequence[str]) -> tuple[str, ...]:
    """The names asked for, once each, in their order."""
    return tuple(dict.fromkeys(default if asked is None else asked))


def _check_unique(cells: Sequence[Cell]) -> None:
    keys = [cell.key for cell in cells]
    double = next((key for key in keys if keys.count(key) > 1), None)
    if double is not None:
        raise RequestError(f"two cells are called {double!r}. An option at its default counts as left out.")


def _without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _cell_to_json(cell: Cell) -> dict[str, Any]:
    task, _, method = cell.names
    kept = ("source", "data_sha256", "data_revision", "model_revision", "model_sha256", "fingerprint")
    return {
        "task": task, "model": to_json(cell.model), "method": method, "budget": to_json(cell.budget),
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
    )

"""The finished result of a cell, as frozen values that turn into JSON and back without loss.

Unknown is None, never a sentinel number. Knows nothing of how a result is made, stored or shown.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from bench import sizes

SCHEMA = 1
"""Version of the layout below; a record of another version is stale."""

T = TypeVar("T")

Names = tuple[str, str, str]
"""Task, model and method, with its training-set size where the run has several: what a cell is called in its run."""


class Outcome(StrEnum):
    """How a cell ended. A failure is a result."""

    OK = "OK"
    DIVERGED = "DIVERGED"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    TIMED_OUT = "TIMED_OUT"
    UNSUPPORTED = "UNSUPPORTED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Point:
    """One evaluation on the way of a training: `loss` is the mean training loss since the point before."""

    step: int
    epoch: float
    loss: float
    validation: float
    seconds: float


@dataclass(frozen=True)
class Health:
    """What a score alone would hide. Counts of test rows (of training rows for `truncated_train`).

    `truncated_train` includes rows whose answer the model cannot give: it lies outside all windows, or is lost on the
    way to text and back. `invalid` are written texts that are, in whole or in part, no answer, such as a word that is
    no label. `fewer_examples` were shown fewer examples than asked for, since no more fitted into the model.
    """

    truncated: int = 0
    truncated_train: int = 0
    capped: int = 0
    invalid: int = 0
    empty: int = 0
    distinct: int = 0
    fewer_examples: int = 0


@dataclass(frozen=True)
class Training:
    """One training, of the search (`seed` fixed, test never opened) or a final one (`scores` on test).

    Where nothing trains, `rate` and `value` are None and there are no steps.

    `state` is COMPLETE, PRUNED or DIVERGED. `choice` holds the options that were searched beside the rate. `value` is
    the best validation score, `best_step` where it was reached. Seconds are wall time of this training: `train_seconds`
    in optimizer steps, `evaluate_seconds` in validation and test. `answers` is the SHA-256 of the answers to the test
    rows in their order: equal ones mean that a difference in scores is the scoring's.

    Where memory did not suffice, `micro_batch` is the number of rows in the parts that batches were split into, with
    their gradients added up, and `prediction_tokens` the number of tokens that were predicted at once; else None.
    """

    number: int
    rate: float | None
    seed: int
    state: str
    value: float | None
    best_step: int | None
    curve: tuple[Point, ...]
    steps: int
    examples: int
    tokens: int
    train_seconds: float
    evaluate_seconds: float
    scores: Mapping[str, float] | None = None
    signatures: Mapping[str, str] = field(default_factory=dict)
    health: Health | None = None
    reason: str | None = None
    choice: Mapping[str, Any] = field(default_factory=dict)
    answers: str | None = None
    micro_batch: int | None = None
    prediction_tokens: int | None = None


@dataclass(frozen=True)
class Parameters:
    """Parameter counts. `trainable` = `method` + `head`; `total` is the whole network that was trained.

    `head` are the task's own new parameters that train, `method` everything else that trains. `stored_bytes` is the
    size of what must be kept to have the trained model again, beside the checkpoint. `reparametrisation` is the part of
    `method` that only makes others while they train, such as the network behind a prefix: it is not kept.
    """

    trainable: int
    method: int
    head: int
    total: int
    stored_bytes: int
    reparametrisation: int = 0


@dataclass(frozen=True)
class Cost:
    """`seconds` is the wall time of the whole cell; rates are of the optimizer steps; memory is the peak in bytes."""

    seconds: float
    train_seconds: float
    evaluate_seconds: float
    examples_per_second: float | None
    tokens_per_second: float | None
    peak_memory: int | None


@dataclass(frozen=True)
class Spent:
    """Seconds of wall time on a part of the work, and those in which the processor worked on it."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Data:
    """What was learnt from and scored on. `sha256` is of the rows used, `revision` of the hub data set.

    `overlap` counts the test rows with the very inputs of a train row, None where the test rows were never opened.
    `learnt` and `asked` are the SHA-256 of the rows as they were handed out, training and validation rows and test
    rows: they move when the reading of an unchanged source does.
    """

    source: str
    origin: str
    sha256: str
    revision: str | None
    train: int
    validation: int
    test: int
    synthetic: bool = False
    overlap: int | None = None
    learnt: str | None = None
    asked: str | None = None


@dataclass(frozen=True)
class Checkpoint:
    """Where the model came from: hub id or directory, revision, SHA-256 of its weights where they are local."""

    path: str
    revision: str | None
    sha256: str | None


@dataclass(frozen=True)
class Record:
    """The finished result of a cell.

    `score` is the mean of the seeds' test scores (in `finals`, by seed), `low` and `high` its 95% interval over seeds
    and test examples. `rate` is the chosen learning rate, `choice` what else was searched; `rate_at_edge` warns that
    nothing beyond the rate was tried. `train_size` is the training-set size that was asked for where the run has
    several of them, else None; how many rows there really were is in `data`. `spent` tells where the time went, by the
    parts of `bench.spent.PARTS`, for a run that was asked to measure it.
    """

    task: str
    model: str
    method: str
    source: str
    family: str
    head: str
    fingerprint: str
    outcome: Outcome
    metric: str
    higher_is_better: bool = True
    reason: str | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    scores: Mapping[str, float] | None = None
    rate: float | None = None
    rate_at_edge: bool | None = None
    choice: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[Training, ...] = ()
    finals: tuple[Training, ...] = ()
    floors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    cost: Cost | None = None
    parameters: Parameters | None = None
    data: Data | None = None
    checkpoint: Checkpoint | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    train_size: int | None = None
    spent: Mapping[str, Spent] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def names(self) -> Names:
        """What the cell is called inside its run, in parts."""
        return self.task, self.model, sizes.named(self.method, self.train_size)

    @property
    def key(self) -> str:
        """The cell's name inside its run: `sentiment/bert-mini/lora`, or `.../lora@100` with several sizes."""
        return "/".join(self.names)

    @property
    def seed_scores(self) -> tuple[float, ...]:
        """The primary test score of every seed, in order."""
        return tuple(t.scores[self.metric] for t in self.finals if t.scores is not None)


def brief(record: Record) -> Record:
    """The record without what makes it long: it goes through pipes, and a run may see very many."""
    finals = tuple(dataclasses.replace(final, curve=()) for final in record.finals)
    return dataclasses.replace(record, trials=(), finals=finals)


_PLAIN = frozenset({str, int, float, bool})
"""Types of nearly all values, which are JSON as they are."""


def to_json(value: Any) -> Any:
    """Dataclasses, enums, mappings and tuples as what `json.dumps` takes."""
    if value is None or type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if isinstance(value, StrEnum):
        return str(value)
    return value


def from_json(kind: type[T], data: Mapping[str, Any]) -> T:
    """The dataclass `kind` from what `to_json` made of it.

    Raises TypeError where `data` has unknown or missing entries or values of the wrong type, ValueError for a number
    that is not finite and for what an enum does not have.
    """
    hint: Any = kind  # which mypy does not take for something to look up
    return typing.cast(T, _reader(hint)(data, kind.__name__))


Reader = Callable[[Any, str], Any]
"""Takes a value and its name, and gives what the value stands for; raises as `from_json` does."""


@functools.cache
def _reader(hint: Any) -> Reader:
    """How a value of that type is read. Found once a type, since a run may have very many records."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(a for a in arguments if a is not type(None)))
        return lambda value, name: None if value is None else inner(value, name)
    if origin is tuple:
        entry = _reader(arguments[0])
        return lambda value, name: tuple(entry(v, name) for v in _checked(list, value, name))
    if origin is Mapping:
        entry = _reader(arguments[1])
        return lambda value, name: {k: entry(v, f"{name}.{k}") for k, v in _checked(dict, value, name).items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda value, name: hint(value)
    if hint is Any:
        return lambda value, name: value
    return _read_float if hint is float else functools.partial(_checked, hint)


def _dataclass_reader(kind: type) -> Reader:
    readers = {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}

    def read(value: Any, name: str) -> Any:
        found = {}
        for entry, content in _checked(dict, value, name).items():
            reader = readers.get(entry)
            if reader is None:
                raise TypeError(f"{kind.__name__}: unknown entries {sorted(set(value) - set(readers))}")
            found[entry] = reader(content, entry)
        return kind(**found)

    return read


def _read_float(value: Any, name: str) -> Any:
    """The same as `_checked`, without a detour for what nearly all numbers are."""
    return value if type(value) is float and math.isfinite(value) else _checked(float, value, name)


def _checked(kind: type, value: Any, name: str) -> Any:
    """`value`, of which JSON says too little: its type, and that it is finite. Whole numbers are floats as well."""
    if type(value) is kind and kind is not float:
        return value
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{name} must be of type {kind.__name__}, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value}")
    return value

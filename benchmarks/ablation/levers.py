"""The levers: what makes runs faster, each with what takes it away in a process of its own.

Nothing here is a switch of the product: constants and functions of it are replaced before a cell is made. Imports of
the product are late, because a process must have its environment first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import work

ROWS = 8
"""Rows of a batch of predictions where batches are not filled by tokens."""


def _nothing() -> None:
    """What takes nothing away."""


@dataclass(frozen=True)
class Lever:
    """`what` it is, measured on some `cells`. `off` takes it away, or other entries of the `budget`, or environment
    variables that are `unset`. With `fresh` each cell has a process of its own without it, which is counted whole.
    """

    what: str
    cells: tuple[str, ...]
    off: Callable[[], None] = _nothing
    budget: Mapping[str, Any] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()
    fresh: bool = False


def _compute_frozen_each_time() -> None:
    from bench.learn import fit

    fit.CACHE_LIMIT = 0


def _train_whole_tables() -> None:
    from bench.learn import fit

    vars(fit)["seen_rows"] = lambda network, tokens: None  # which it imports, and does not export


def _let_generate_write() -> None:
    from bench.learn import writing

    writing.WRITTEN_HERE = frozenset()


def _float32() -> None:
    from bench.learn import device

    device.CPU_BFLOAT16_WIDTH = sys.maxsize


def _draw_batches_blindly() -> None:
    from bench.learn import batch

    batch.POOL = 1


def _predict_in_order() -> None:
    from bench.learn import memory

    def in_order(lengths: Sequence[int], tokens: int) -> list[list[int]]:
        order = list(range(len(lengths)))
        return [order[start : start + ROWS] for start in range(0, len(order), ROWS)]

    vars(memory)["prediction_order"] = in_order


def _prune_nothing() -> None:
    from optuna.pruners import NopPruner

    from bench import tune

    tune.pruner = NopPruner


FROZEN, HEAD = "sentiment/bert-mini/freeze", "sentiment/gpt2-mini/head_only"
SHORT, LONG = "sentiment/bert-mini/full", "qa/t5-mini/full"
WRITES, WRITES_TOO = "translation/gpt2-mini/lora", "translation/t5-mini/full"

SINGLE = {
    "frozen": Lever("what is frozen is computed once", (FROZEN, HEAD), _compute_frozen_each_time),
    "tokens": Lever("of token tables only what occurs trains", (SHORT,), _train_whole_tables),
    "writing": Lever("own loop for greedy writing", (WRITES, WRITES_TOO), _let_generate_write),
    "bfloat16": Lever("bfloat16 from width 128", (LONG, WRITES), _float32),
    "allocator": Lever("memory kept from step to step", (LONG,), unset=frozenset(work.ALLOCATOR)),
    "pools": Lever("batches of similar lengths", (SHORT, LONG), _draw_batches_blindly),
    "predictions": Lever("predictions in batches of so many tokens", (LONG,), _predict_in_order),
    "pruning": Lever("hopeless trials end early", (SHORT, LONG), _prune_nothing),
    "half": Lever("trials of half the length", (SHORT,), budget={"search_epochs": 2}),
    "warm": Lever("workers that stay warm", (f"{FROZEN} {HEAD} {SHORT}",), fresh=True),
}

SEARCH = ("pruning", "half")
"""What leaves trainings out; all other levers make the same trainings faster."""


def _together(what: str, names: Sequence[str]) -> Lever:
    """All of these levers at once, on one cell for each of the ways in which cells differ."""
    levers = [SINGLE[name] for name in names]

    def off() -> None:
        for lever in levers:
            lever.off()

    return Lever(
        what, (" ".join((FROZEN, HEAD, SHORT, LONG, WRITES, WRITES_TOO)),), off,
        budget={name: value for lever in levers for name, value in lever.budget.items()},
        unset=frozenset().union(*(lever.unset for lever in levers)), fresh=any(lever.fresh for lever in levers),
    )


LEVERS = {
    **SINGLE,
    "search": _together("a shorter search", SEARCH),
    "faster": _together("the same trainings, faster", [name for name in SINGLE if name not in SEARCH]),
    "all": _together("all of these", list(SINGLE)),
}
"""By name. Several cells with blanks between them are made one after the other and counted together."""

"""Whether the checkpoints of a run can be loaded, asked before anything trains. (`bench.run` checks the data.)

Knows where checkpoints lie; loads no tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import models
from bench.errors import UnavailableError
from bench.plan import Cell

WEIGHTS = ("*.safetensors",)
TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
"""Files that hold a vocabulary. Without any, transformers silently makes a tokenizer that knows no word."""


def check_checkpoints(cells: Iterable[Cell]) -> None:
    """Raise UnavailableError for the first checkpoint that is needed and cannot be had.

    It must hold a vocabulary, and weights as safetensors unless all methods start from random ones. One of the hub is
    fetched, so that nothing of it is asked for while cells run.
    """
    for cell in {(c.model, c.model_revision, c.method.pretrained): c for c in cells}.values():
        _check(cell)


def _check(cell: Cell) -> None:
    place = models.directory(cell.model)
    if place is None:
        from bench.learn import cached

        place = cached.checkpoint(cell.model.path, cell.model_revision or "", cell.model.pickled)
    _require(cell, place, "tokenizer", TOKENIZER)
    if cell.method.pretrained:
        _require(cell, place, "weights", (*WEIGHTS, *models.PICKLED) if cell.model.pickled else WEIGHTS)


def _require(cell: Cell, place: Path, what: str, patterns: Sequence[str]) -> None:
    if not any(found for pattern in patterns for found in place.glob(pattern)):
        name = cell.model.name
        pickled = f" Weights that are a pickle are only read with --allow-pickle {name}." if what == "weights" else ""
        raise UnavailableError(
            f"model {name!r}: there is no file with its {what} ({', '.join(patterns)}) in {place}. "
            f"Put it there: `save_pretrained` of transformers writes it.{pickled}"
        )

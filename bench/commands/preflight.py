"""Whether the checkpoints of a run can be loaded, asked before anything trains. (`bench.run` checks the data.)

Knows where checkpoints lie; loads no tensors.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from bench import models
from bench.errors import UnavailableError
from bench.plan import Cell
from bench.spec import Model

WEIGHTS = ("*.safetensors",)
TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
"""Files that hold a vocabulary. Without any, transformers silently makes a tokenizer that knows no word."""


def check_checkpoints(cells: Collection[Cell]) -> None:
    """Raise UnavailableError for the first checkpoint that is needed and cannot be had.

    It must hold a vocabulary, and weights as safetensors unless all methods start from random ones. One of the hub is
    fetched, so that nothing of it is asked for while cells run. So is a model that an option names; one that could not
    even be found when the plan was made is left to the cells that need it, which will say so.
    """
    asked = {(c.model, c.model_revision, c.method.pretrained) for c in cells}
    asked |= {(o.model, o.revision, True) for c in cells for o in c.others.values() if o.revision or o.sha256}
    for model, revision, pretrained in sorted(asked, key=lambda entry: entry[0].name):
        _check(model, revision, pretrained)


def _check(model: Model, revision: str | None, pretrained: bool) -> None:
    place = models.directory(model)
    if place is None:
        from bench.learn import cached

        place = cached.checkpoint(model.path, revision or "", model.pickled)
    _require(model, place, "tokenizer", TOKENIZER)
    if pretrained:
        _require(model, place, "weights", (*WEIGHTS, *models.PICKLED) if model.pickled else WEIGHTS)


def _require(model: Model, place: Path, what: str, patterns: Sequence[str]) -> None:
    if not any(found for pattern in patterns for found in place.glob(pattern)):
        name = model.name
        pickled = f" Weights that are a pickle are only read with --allow-pickle {name}." if what == "weights" else ""
        raise UnavailableError(
            f"model {name!r}: there is no file with its {what} ({', '.join(patterns)}) in {place}. "
            f"Put it there: `save_pretrained` of transformers writes it.{pickled}"
        )

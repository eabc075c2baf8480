"""Checkpoints of an unfinished pretraining: weights and optimizer as safetensors, the rest as JSON, never a pickle.

Knows how a checkpoint lies on disk; knows nothing of texts or objectives. A checkpoint is a directory that is written
under another name and renamed, so the one that is found is whole.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bench.errors import RequestError
from bench.learn.recipes import Recipe
from bench.learn.stream import Place

FOLDER = ".resume"
_WEIGHT = "weight"
Optimizers = Sequence[torch.optim.Optimizer]
"""Every parameter belongs to one of them."""


@dataclass(frozen=True)
class Progressed:
    """How far a training has come.

    Steps taken, the next text, tokens seen (without padding), seconds, mean loss by step, and `unreported`: the sum of
    the losses since the curve's last point.
    """

    step: int = 0
    place: Place = field(default_factory=Place)
    tokens: int = 0
    seconds: float = 0.0
    curve: tuple[tuple[int, float], ...] = ()
    unreported: float = 0.0


def save(out: Path, recipe: Recipe, network: Any, optimizers: Optimizers, at: Progressed) -> None:
    """Write a checkpoint under `out` and delete the older ones."""
    folder = out / FOLDER
    part, whole = folder / "part", folder / f"step-{at.step:08d}"
    for leftover in (part, whole):
        shutil.rmtree(leftover, ignore_errors=True)
    part.mkdir(parents=True)
    save_file(_tensors(network, optimizers), part / "state.safetensors")
    state = {"recipe": describe(recipe), "at": dataclasses.asdict(at)}
    (part / "state.json").write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    part.rename(whole)
    for older in _checkpoints(out)[:-1]:
        shutil.rmtree(older)


def load(out: Path, recipe: Recipe, network: Any, optimizers: Optimizers) -> Progressed | None:
    """Put the newest checkpoint under `out` into `network` and `optimizers`; None if there is none.

    Raises `RequestError` when it was made by another recipe.
    """
    found = _checkpoints(out)
    if not found:
        return None
    state = json.loads((found[-1] / "state.json").read_text(encoding="utf-8"))
    if state["recipe"] != describe(recipe):
        changed = sorted(key for key, value in describe(recipe).items() if state["recipe"].get(key) != value)
        raise RequestError(
            f"{found[-1]} was left by another recipe (different: {', '.join(changed)}). "
            "Start again with --no-resume, or write to another directory with --out."
        )
    _restore(load_file(found[-1] / "state.safetensors"), network, optimizers)
    at = state["at"]
    place, curve = Place(**at.pop("place")), tuple((step, loss) for step, loss in at.pop("curve"))
    return Progressed(**at, place=place, curve=curve)


def describe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(recipe)))
    return plain


def _checkpoints(out: Path) -> list[Path]:
    return sorted((out / FOLDER).glob("step-*"))


def _tensors(network: Any, optimizers: Optimizers) -> dict[str, Tensor]:
    found = {}
    for name, parameter in network.named_parameters():
        found[f"{_WEIGHT}/{name}"] = parameter.detach().contiguous()
        for moment, value in _owner(optimizers, parameter).state[parameter].items():
            found[f"{moment}/{name}"] = value.contiguous()
    return found


def _owner(optimizers: Optimizers, parameter: Tensor) -> torch.optim.Optimizer:
    return next(o for o in optimizers for group in o.param_groups if any(p is parameter for p in group["params"]))


def _restore(tensors: dict[str, Tensor], network: Any, optimizers: Optimizers) -> None:
    # Copies: tensors in a memory-mapped file are not aligned, and unaligned kernels round differently.
    parameters = dict(network.named_parameters())
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        parameter = parameters[name]
        if kind == _WEIGHT:
            with torch.no_grad():
                parameter.copy_(value)
        else:
            _owner(optimizers, parameter).state[parameter][kind] = value.clone().to(parameter.device)

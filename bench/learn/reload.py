"""A kept model as something that answers: its network is built again and filled with what was stored.

Knows directories as `bench.keep` lays them out; nothing of runs. Never reads a pickle.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from bench import keep
from bench.errors import StoreError
from bench.keep import Kept
from bench.learn import device as devices
from bench.learn.batch import Encoded, prediction_order
from bench.learn.checkpoint import load_tokenizer
from bench.learn.heads import open_head
from bench.learn.heads.base import HeadLogic
from bench.learn.keep import probe
from bench.learn.network import Network
from bench.learn.prompting import PromptingLearner
from bench.learner import Assignment, Predicted
from bench.record import Health
from bench.spec import Budget, Method, Rows

CLOSE = 1e-3
"""How far the numbers of a network that was built again may be off, as a share of the largest: rounding, no more."""


@dataclass(frozen=True)
class Loaded:
    """A model that answers; `predict` reads the input columns of rows. `head` is None where it is asked in words.

    `plain` names the network's parameters as they were before the method was applied.
    """

    kept: Kept
    network: Network
    predict: Callable[[Rows], Predicted]
    head: HeadLogic | None = None
    plain: frozenset[str] = frozenset()


def load(place: Path) -> Loaded:
    """The model in a directory that `bench.learn.keep.save` or an export wrote.

    Raises StoreError where something is damaged, or where the network would not be the one that was kept;
    UnavailableError where its checkpoint cannot be had.
    """
    kept = keep.read(place)
    assignment = _assignment(place, kept, keep.method_of(kept))
    loaded = _asked(kept, assignment) if assignment.method.rates is None else _trained(place, kept, assignment)
    _check_probe(place, kept, loaded.network)
    return loaded


def _assignment(place: Path, kept: Kept, method: Method) -> Assignment:
    return Assignment(
        task=kept.task, model=keep.checkpoint_of(place, kept), method=method,
        options={**kept.options, **kept.choice}, budget=Budget(), train=kept.examples, validation=(),
        labels=kept.labels, revision=None if kept.merged else kept.revision, facts=kept.facts,
    )  # fmt: skip


def _asked(kept: Kept, assignment: Assignment) -> Loaded:
    learner = PromptingLearner(assignment)
    learner.precision = kept.precision
    return Loaded(kept, learner.network, lambda rows: learner.predict(rows, kept.examples))


def _trained(place: Path, kept: Kept, assignment: Assignment) -> Loaded:
    head = open_head(assignment, load_tokenizer(assignment.model, assignment.revision))
    network = head.build(pretrained=assignment.method.pretrained or kept.merged)
    plain = frozenset(name for name, _ in network.named_parameters())
    if kept.merged:
        _fill_head(place, network)
    else:
        _fill(place / keep.TENSORS, network, assignment)
    device = devices.pick_device()
    network.to(device).eval()
    head.fit_to(network)
    return Loaded(kept, network, lambda rows: _predicted(head, network, rows, device, kept.precision), head, plain)


def _fill(path: Path, network: Network, assignment: Assignment) -> None:
    """Apply the method, and put in place of what it starts from what was stored: all that trains, and nothing else."""
    assignment.method.apply(network, assignment.options)
    if getattr(network.soft, "reparametrised", False):
        cast(Any, network.soft).fold()
    wanted = {name: p for name, p in network.named_parameters() if p.requires_grad}
    _put(path, wanted)


def _fill_head(place: Path, network: Network) -> None:
    if network.head is not None:
        _put(place / keep.HEAD, dict(network.head.named_parameters()))


@torch.no_grad()
def _put(path: Path, wanted: dict[str, nn.Parameter]) -> None:
    """Copy the tensors of a file into the parameters of the same names.

    Raises StoreError where the file is damaged, or holds other tensors.
    """
    stored = _tensors(path)
    odd = sorted(set(stored) ^ set(wanted)) or [n for n, p in wanted.items() if p.shape != stored[n].shape]
    if odd:
        raise StoreError(f"{path}: does not hold the tensors of this method on this model ({odd[0]}). Export it again.")
    for name, parameter in wanted.items():
        parameter.copy_(stored[name])


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        stored: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{path}: not readable as safetensors ({error}). Export it again.") from error
    return stored


def _check_probe(place: Path, kept: Kept, network: Network) -> None:
    """Raise StoreError where the network is another than the one that was kept."""
    if not same_numbers(probe(network), kept.probe):
        made = ", ".join(f"{name} {version}" for name, version in kept.versions.items())
        raise StoreError(
            f"{place}: the network that was built again gives other numbers than the one that was kept. Something that "
            f"is not stored has changed: install the versions that made it ({made})."
        )


def same_numbers(found: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether two probes agree but for rounding."""
    largest = max(map(abs, expected), default=0.0)
    return len(found) == len(expected) and all(
        math.isclose(a, b, rel_tol=0.0, abs_tol=CLOSE * max(largest, 1.0)) for a, b in zip(found, expected, strict=True)
    )


def _predicted(head: HeadLogic, network: Network, rows: Rows, device: torch.device, precision: str) -> Predicted:
    started = time.perf_counter()
    encoded = head.encode(rows, targets=False)
    raw = _raw(head, network, encoded, device, precision)
    predictions = head.decode(raw, encoded)
    health = Health(
        truncated=encoded.truncated, capped=head.capped(raw), empty=sum(p == "" for p in predictions),
        distinct=len({str(p) for p in predictions}), invalid=head.invalid(raw, encoded),
    )  # fmt: skip
    return Predicted(predictions, health, time.perf_counter() - started)


@torch.inference_mode()
def _raw(
    head: HeadLogic, network: Network, encoded: Encoded, device: torch.device, precision: str
) -> list[object]:
    """One raw answer for each example, in the batches in which the run itself made its predictions."""
    raw: list[object] = [None] * len(encoded.examples)
    for members in prediction_order(encoded.lengths, devices.prediction_tokens(device.type, writes=head.writes)):
        with devices.autocast(device, precision):
            answers = head.predict(network, [encoded.examples[i] for i in members], device)
        for i, answer in zip(members, answers, strict=True):
            raw[i] = answer
    return raw

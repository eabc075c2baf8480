"""What is left of a training once it is over: the tensors that its method stores, in a file, with their description.

Writes into a directory that it is handed and knows nothing of runs; `bench.learn.reload` reads it again.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from bench import keep, models, provenance
from bench.atomic import make_folder
from bench.errors import StoreError
from bench.keep import Kept
from bench.learn import device as devices
from bench.learn.network import Network, trained_state
from bench.learner import NO_CHOICE, Assignment
from bench.spec import Row

PROBE_TOKENS, PROBE_NUMBERS = 8, 16
"""How many tokens the network is shown to be told from another, and how many of its numbers are looked at."""

LIBRARIES = ("torch", "transformers", "peft")


def describe(
    assignment: Assignment,
    *,
    seed: int,
    precision: str,
    rate: float | None = None,
    choice: Mapping[str, Any] = NO_CHOICE,
    facts: Mapping[str, Any] | None = None,
    examples: Sequence[Row] = (),
) -> Kept:
    """A training in words; its `probe` is still to be made. Examples keep the columns that the task reads."""
    task, method, installed = assignment.task, assignment.method, provenance.versions()
    columns = (*task.inputs, task.reference)
    return Kept(
        task=task, model=assignment.model, revision=assignment.revision,
        sha256=models.content_hash(assignment.model) if assignment.revision is None else None,
        method=method.name, method_version=method.version, options=assignment.options, labels=assignment.labels,
        seed=seed, precision=precision, probe=(), rate=rate, choice=dict(choice), facts=facts or {},
        examples=tuple({column: row[column] for column in columns} for row in examples),
        versions={name: installed[name] for name in LIBRARIES if name in installed},
    )  # fmt: skip


def save(place: Path, network: Network, kept: Kept) -> None:
    """Write the tensors that are stored, and `kept` with its probe, into the directory `place`, which is made.

    Raises StoreError where they cannot be written.
    """
    finished = folded(network, kept.precision)
    try:
        make_folder(place)
        write_tensors(place / keep.TENSORS, trained_state(finished))
        keep.write(place, with_probe(kept, finished))
    except OSError as error:
        raise unwritable(place, error) from error


def with_probe(kept: Kept, network: Network) -> Kept:
    """`kept` with what `network` gives."""
    return dataclasses.replace(kept, probe=probe(network))


def folded(network: Network, precision: str) -> Network:
    """The network as it is when it is loaded again: with a soft prompt that is kept, not made.

    The prompt is made in the precision in which predictions are, so that it is the same to the last bit.
    """
    if not getattr(network.soft, "reparametrised", False):
        return network
    finished = copy.deepcopy(network)
    with devices.autocast(next(network.parameters()).device, precision):
        cast(Any, finished.soft).fold()
    return finished


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file.

    Raises StoreError where that cannot be done.
    """
    try:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)
    except (OSError, SafetensorError) as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: Exception) -> StoreError:
    """What to say where a file cannot be written: the file, the reason, and what to do."""
    reason = getattr(error, "strerror", None) or str(error)
    return StoreError(
        f"{path.name}: the model cannot be kept ({reason}). Make room or choose another directory, then run the same "
        "command again."
    )


@torch.inference_mode()
def probe(network: Network) -> tuple[float, ...]:
    """Some float32 numbers that the network, put into evaluation mode, gives for an input that is always the same."""
    device = next(network.parameters()).device
    ids = torch.arange(1, PROBE_TOKENS + 1, device=device).unsqueeze(0)
    inputs = network.inputs({"ids": ids, "mask": torch.ones_like(ids)})
    if network.decodes:
        inputs["decoder_input_ids"] = ids
    output = cast(Any, network.eval().backbone)(**inputs)
    scores = output.logits if network.head is None else network.head(output.last_hidden_state)
    return tuple(round(float(number), 6) for number in cast(Tensor, scores).flatten()[-PROBE_NUMBERS:].nan_to_num())

"""A kept model as a plain checkpoint that transformers reads without this project: the method folded into the weights.

Knows networks and directories; nothing of runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from bench import keep
from bench.errors import RequestError, StoreError
from bench.keep import Kept
from bench.learn.checkpoint import load_body
from bench.learn.heads.base import HeadLogic
from bench.learn.keep import probe, unwritable, write_tensors
from bench.learn.network import Network
from bench.learn.reload import Loaded, load, same_numbers
from bench.learn.surgery import is_conv1d
from bench.spec import Family


def export(place: Path, out: Path) -> int:
    """Write the model kept in `place` as a checkpoint into the directory `out`, which must exist.

    Returns how many tokens of an input it reads. The task's head, where it is not the vocabulary projection, is in a
    file of its own. Raises RequestError where the method leaves something that no plain network has, StoreError where
    files cannot be read or written.
    """
    loaded = load(place)
    if loaded.head is None:
        raise RequestError(f"{loaded.kept.method} trains nothing, so there is nothing to merge: leave --merged out.")
    network = _merged(loaded, loaded.head).eval()
    if not same_numbers(probe(network.to(next(loaded.network.parameters()).device)), loaded.kept.probe):
        raise StoreError(f"{loaded.kept.method}: merging changes what the network gives. Leave --merged out.")
    network.to("cpu")
    with _told(out):
        _write_body(network, loaded.head, out)
        loaded.head.tokenizer.save_pretrained(out)
        keep.write(out, _described(loaded.kept))
    if network.head is not None:
        write_tensors(out / keep.HEAD, dict(network.head.named_parameters()))
    return loaded.head.input_tokens


def _described(kept: Kept) -> Kept:
    """`kept` for a directory that has the whole checkpoint in it, wherever that came from."""
    return dataclasses.replace(kept, merged=True, model=dataclasses.replace(kept.model, path=".", package=None))


def _merged(loaded: Loaded, head: HeadLogic) -> Network:
    """A network as the checkpoint's, with all that the method changed.

    Raises RequestError where the method adds what such a network does not have.
    """
    method = head.assignment.method
    if method.merge is not None:
        method.merge(loaded.network)
    plain = head.build(pretrained=method.pretrained)
    changed = dict(loaded.network.named_parameters())
    if plain.head is None and set(changed) != loaded.plain:
        plain.untie()
    if set(changed) != {name for name, _ in plain.named_parameters()}:
        raise RequestError(
            f"{method.name} cannot be merged: what it adds to the network has no place in a plain checkpoint. "
            "Leave --merged out."
        )
    copy_into(plain, loaded.network)
    return plain


@torch.no_grad()
def copy_into(plain: nn.Module, changed: nn.Module) -> None:
    """Put the parameters of `changed` into `plain`; layers that were made linear are turned back."""
    found = dict(changed.named_parameters())
    for name, parameter in plain.named_parameters():
        module = name.rpartition(".")[0]
        turned = is_conv1d(plain.get_submodule(module)) and not is_conv1d(changed.get_submodule(module))
        value = found[name].t() if turned and parameter.dim() == 2 else found[name]
        parameter.copy_(value)


def _write_body(network: Network, head: HeadLogic, out: Path) -> None:
    """The network that writes, or the body below the head; with its decoder as it was where none was read."""
    body: Any = network.backbone
    assignment = head.assignment
    if network.family is Family.ENCODER_DECODER and not network.decodes:
        body = load_body(assignment.model, assignment.revision)
        copy_into(body.get_encoder(), network.backbone)
    if network.head is not None and head.labels:
        body.config.id2label = dict(enumerate(head.labels))
        body.config.label2id = {label: number for number, label in enumerate(head.labels)}
    if network.head is None:
        _set_generation(body, head)
    body.save_pretrained(out)


def _set_generation(body: Any, head: HeadLogic) -> None:
    """Let a plain `generate` write as the run did: greedily, to the same end, and no longer."""
    settings: Any = body.generation_config
    generate: Any = head
    settings.max_new_tokens, settings.max_length = generate.cap, None
    settings.do_sample, settings.num_beams = False, 1
    settings.eos_token_id, settings.pad_token_id = generate.stop, generate.tokenizer.pad_token_id


@contextlib.contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise unwritable(out, error) from error

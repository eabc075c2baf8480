"""The layers at the bottom of a network that never change: what comes out of them is computed once and replayed.

Only the first stack has them: the layers of a decoder that reads an encoder change with what they read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.learn.network import Network


class _Reached(Exception):  # noqa: N818 (a signal, not an error)
    """Carries what left the frozen layers out of a forward pass whose rest is not needed."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def frozen_layers(network: Network) -> list[nn.Module]:
    """The lowest layers of the first stack in which nothing trains; none where something below them trains."""
    stacks = network.stacks()
    if not stacks or any(_trains(module) for module in network.embeddings()):
        return []
    return list(takewhile(lambda layer: not _trains(layer), stacks[0]))


@torch.no_grad()
def lower_states(network: Network, forward: Callable[[], object]) -> Tensor | None:
    """The hidden states (rows, tokens, width) that leave the frozen layers when `forward` runs the network.

    None where there is no such layer, or where a layer hands on more than `replayed` knows to stand in for.
    """
    layers = frozen_layers(network)
    if not layers:
        return None

    def reached(module: nn.Module, inputs: Any, output: Any) -> None:
        raise _Reached(output)

    hook = layers[-1].register_forward_hook(reached)
    try:
        forward()
    except _Reached as end:
        states = end.output[0] if _is_t5(layers[-1]) else end.output
        return states if isinstance(states, Tensor) else None
    finally:
        hook.remove()
    return None


@contextlib.contextmanager
def replayed(network: Network, states: Tensor) -> Iterator[None]:
    """Within, the frozen layers do not compute: they hand on `states`, as `lower_states` returned them."""
    layers = frozen_layers(network)
    for layer in layers:
        layer.forward = _t5_stand_in(layer, states) if _is_t5(layer) else lambda *inputs, **options: states
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _trains(module: nn.Module) -> bool:
    return any(p.requires_grad for p in module.parameters())


def _is_t5(layer: nn.Module) -> bool:
    return type(layer).__name__ == "T5Block"


def _t5_stand_in(layer: nn.Module, states: Tensor) -> Callable[..., Any]:
    """T5's layers also hand on the bias by relative position, which the lowest computes."""
    attention = cast(Any, layer).layer[0].SelfAttention

    def forward(hidden: Tensor, mask: Tensor | None, bias: Tensor | None, *inputs: Any, **options: Any) -> Any:
        if bias is None:
            bias = attention.compute_bias(hidden.shape[1], hidden.shape[1], device=hidden.device)
        return states, bias, None

    return forward

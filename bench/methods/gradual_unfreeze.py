"""Layers are unfrozen one after another from the top, and lower layers learn at lower rates (ULMFiT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.methods.full import apply as train_all
from bench.spec import Limits, LogRange, Method, Routine

if TYPE_CHECKING:
    from bench.learn.network import Network


def apply(network: Network, options: Mapping[str, Any]) -> None:
    """Everything counts as trainable, since everything trains in the end.

    A vocabulary projection that is tied to the input embeddings gets weights of its own: it trains first, they last.
    """
    train_all(network, options)
    if network.head is None:
        network.untie()


def routine(network: Network, options: Mapping[str, Any], steps: int) -> Routine:
    """Groups, from the top: what is new or above the layers, each layer (of both stacks at once), the embeddings.

    The first trains from the start. The others join at equal distances within the first `unfreeze` of the steps, where
    Howard and Ruder give each an epoch and then train on. A group's rate is that of the group above it divided by
    `decay`. For deep networks a smaller decay is usual: Sun et al. 2019, How to Fine-Tune BERT, take 1/0.95. The loop's
    schedule is the slanted triangle of the paper (the rate rises for a tenth of the steps, then falls), drawn once over
    the whole training and down to 0, where the paper draws one for each group, down to 1/32.
    """
    groups = [group for group in depths(network) if group]
    factors = {name: options["decay"] ** -depth for depth, group in enumerate(depths(network)) for name in group}
    named = dict(network.named_parameters())
    every = options["unfreeze"] * steps / len(groups)

    def before_step(step: int) -> None:
        for number, group in enumerate(groups):
            for name in group:
                named[name].requires_grad_(step > int(number * every))

    return Routine(before_step=before_step, rate_factors=factors)


def depths(network: Network) -> list[list[str]]:
    """The names of the parameters that train, the topmost group first; a group may be empty."""
    stacks = network.stacks()
    layers = max(map(len, stacks), default=0)
    place = {id(p): layers + 1 for module in network.embeddings() for p in module.parameters()}
    for stack in stacks:
        for depth, layer in enumerate(reversed(stack), start=1):
            place |= {id(p): depth for p in layer.parameters()}
    place |= {id(p): 0 for p in network.head_parameters().values()}
    groups: list[list[str]] = [[] for _ in range(layers + 2)]
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups[place.get(id(parameter), 0)].append(name)
    return groups


METHOD = Method(
    name="gradual_unfreeze",
    title="gradual unfreezing (ULMFiT)",
    version=1,
    rates=LogRange(low=5e-5, high=2e-3, default=4e-4),
    apply=apply,
    options={"decay": 2.6, "unfreeze": 0.5},
    source="Howard and Ruder 2018, Universal Language Model Fine-tuning for Text Classification (decay 2.6)",
    routine=routine,
    limits={"decay": Limits(1), "unfreeze": Limits(0, most=1)},
)

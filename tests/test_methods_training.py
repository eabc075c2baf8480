"""What methods do before and around a training: what their names say, on tiny real checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.learn import device, fit
from bench.learn.fit import ModelLearner
from bench.learn.loop import make_optimizer
from bench.learn.network import Network
from bench.methods import gradual_unfreeze
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def _float32() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CPU_BFLOAT16_WIDTH", 10**9)
        yield


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


def learner(root: Path, head: Head, family: Family, method: str, **budget: Any) -> ModelLearner:
    return fit.open_learner(tiny.assignment(head, tiny.checkpoint(family, root / str(family)), method, **budget))


# -- Gradual unfreezing --

DEPTH = {"head": 0, "layer.1": 1, "layer.0": 2, "embeddings": 3}
"""Of a BERT of two layers; each part joins an eighth of the steps after the one above it."""


def depth_of(name: str) -> int:
    return next(depth for part, depth in DEPTH.items() if part in name)


def test_layers_join_from_the_top_and_stay(root: Path) -> None:
    network = learner(root, Head.CLASSIFY, Family.ENCODER, "gradual_unfreeze")._network(0)
    routine = gradual_unfreeze.routine(network, {"decay": 2.6, "unfreeze": 0.5}, 16)
    assert routine.before_step is not None
    joined: dict[int, int] = {}
    for step in range(1, 17):
        routine.before_step(step)
        awake = {depth_of(n) for n, p in network.named_parameters() if p.requires_grad}
        asleep = {depth_of(n) for n, p in network.named_parameters() if not p.requires_grad}
        assert not awake & asleep
        for depth in awake - set(joined):
            joined[depth] = step
    assert joined == {0: 1, 1: 3, 2: 5, 3: 7}


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("head", [Head.TAG, Head.GENERATE])
def test_every_lower_group_learns_at_a_lower_rate(root: Path, head: Head, family: Family) -> None:
    network = learner(root, head, family, "gradual_unfreeze")._network(0)
    factors = gradual_unfreeze.routine(network, {"decay": 2.6, "unfreeze": 0.5}, 16).rate_factors
    groups = gradual_unfreeze.depths(network)
    assert sorted(name for group in groups for name in group) == sorted(n for n, _ in network.named_parameters())
    assert [{factors[name] for name in group} for group in groups] == [{2.6**-depth} for depth in range(4)]
    assert set(network.head_parameters()) <= set(groups[0])
    optimizer = make_optimizer(network, 1e-3, factors)
    assert {group["factor"] for group in optimizer.param_groups} == {2.6**-depth for depth in range(4)}


def test_what_joins_after_the_best_evaluation_is_kept_as_it_was_then(root: Path) -> None:
    """The state of the best evaluation holds every tensor that ever trains, those asleep at the time too."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "gradual_unfreeze[unfreeze=1]", batch_size=8, epochs=8,
                   evaluations=4, patience=9)
    kept: list[Network] = []
    start: dict[str, torch.Tensor] = {}
    build = made._network

    def watched(seed: int) -> Network:
        kept.append(build(seed))
        start.update({n: p.detach().clone() for n, p in kept[-1].named_parameters()})
        return kept[-1]

    values = iter([1.0, 0.0, 0.0, 0.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_network", watched)
        fitted = made.fit(1e-2, 1, lambda predictions: next(values), lambda point: True)
    assert (fitted.best_step, fitted.steps) == (2, 8)
    moved = {depth_of(n) for n, p in kept[-1].named_parameters() if not torch.equal(p, start[n])}
    assert moved == {0}
    assert all(p.requires_grad for p in kept[-1].parameters())

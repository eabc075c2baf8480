"""Our loop writes what transformers' `generate` does, under every method, and lets rows that are done leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from bench import catalog
from bench.learn import writing
from bench.learn.fit import ModelLearner
from bench.learn.heads import generate
from bench.learn.network import Network
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

METHODS = [
    name for name, method in catalog.methods().items()
    if method.rates is not None and not method.models and name != "domain_adaptive"
]
"""All that train, but for two that leave a network as `full` has it."""

CELLS = [
    (method, family) for method in METHODS for family in tiny.FAMILIES
    if (method, family) != ("bitfit", Family.ENCODER_DECODER)
]


def shaken(root: Path, method: str, family: Family) -> tuple[ModelLearner, Network]:
    """A learner and a network of its, whose numbers are far enough from zero to write something different each row."""
    made = ModelLearner(tiny.assignment(Head.GENERATE, tiny.checkpoint(family, root / family), method))
    network = made._network(1).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made, network


def told(made: ModelLearner, network: Network) -> list[Any]:
    return made.head.predict(network, made.validation_examples, made.torch_device)


def stops(rows: list[Any]) -> list[int]:
    """A token that ends no row, and the two that end most."""
    counts = [token for ids, _ in rows for token in set(ids)]
    return [-1, *sorted(set(counts), key=counts.count)[-2:]]


@pytest.mark.parametrize(("method", "family"), CELLS, ids=lambda value: str(value))
def test_tokens_are_those_of_generate(root: Path, method: str, family: Family) -> None:
    made, network = shaken(root, method, family)
    head = cast(Any, made.head)
    for stop in stops(told(made, network)):
        head.stop = stop
        ours = told(made, network)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writing, "WRITTEN_HERE", frozenset())
            assert ours == told(made, network)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_rows_that_are_done_leave_and_the_others_write_on(
    root: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, network = shaken(root, "full", family)
    head = cast(Any, made.head)
    head.stop = stops(told(made, network))[-1]
    sizes: list[int] = []
    scores = writing._Decoder.scores if family is Family.DECODER else writing._EncoderDecoder.scores

    def counted(self: Any) -> Tensor:
        found = scores(self)
        sizes.append(len(found))
        return found

    kind = "_Decoder" if family is Family.DECODER else "_EncoderDecoder"
    monkeypatch.setattr(getattr(writing, kind), "scores", counted)
    rows = told(made, network)
    lengths = [len(ids) for ids, _ in rows]
    assert len(set(lengths)) > 1, "the rows must end at different places for this to show anything"
    assert sizes[0] == len(rows)
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == min(head.cap, max(lengths) + 1)
    assert sizes[-1] < len(rows)


def test_an_architecture_that_is_not_known_here_is_left_to_generate(root: Path) -> None:
    made, network = shaken(root, "full", Family.DECODER)
    expected = told(made, network)
    network.config.model_type = "another"
    assert told(made, network) == expected


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_targets_that_only_fill_a_batch_up_are_not_learnt(
    root: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss and gradients are those of the real targets alone."""
    made = ModelLearner(tiny.assignment(Head.GENERATE, tiny.checkpoint(family, root / str(family)), "full"))
    batch = made.head.collate(made.train_examples, made.torch_device)
    assert made.head.targets(batch) % generate.TOGETHER, "there must be something to fill up"
    network = tiny.without_dropout(made._network(1))
    found = {}
    for together in (generate.TOGETHER, 1):
        monkeypatch.setattr(generate, "TOGETHER", together)
        network.zero_grad()
        loss = made.head.loss(network, made.head.features(network, batch), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        found[together] = [loss.detach(), *(p.grad.clone() for p in network.parameters() if p.grad is not None)]
    for filled, alone in zip(*found.values(), strict=True):
        assert torch.allclose(filled, alone, atol=1e-6)

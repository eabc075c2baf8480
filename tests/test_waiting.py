"""Between evaluations no training waits for its device: no step needs a number before the next one begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from transformers.masking_utils import bidirectional_mask_function, causal_mask_function, sdpa_mask

from bench import catalog
from bench.errors import UnsupportedError
from bench.learn import adapt, attention, batch
from bench.learn.fit import ModelLearner
from bench.spec import Family, Head
from tests import tiny
from tests.waits import Watch

STEPS = 8


@pytest.fixture(scope="module", autouse=True)
def as_on_a_gpu() -> Iterator[None]:
    """One thread, and the attention of GPUs."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for user in ("bench.learn.device", "bench.learn.checkpoint"):
            patch.setattr(f"{user}.pick_attention", attention.fused)
        yield


def waits(root: Path, head: Head, family: Family, method: str) -> Counter[str]:
    """What would wait in the steps of a training."""
    model = tiny.checkpoint(family, root / str(family))
    learner = ModelLearner(tiny.assignment(head, model, method, evaluations=1, epochs=STEPS // 2))
    watch = Watch()
    with watch.looking():
        fitted = learner.fit(1e-3, 1, lambda found: 0.0, lambda point: True, STEPS // 2)
    assert fitted.steps == len(watch.steps) == STEPS
    return watch.later


METHODS = sorted(name for name, method in catalog.methods().items() if method.rates)
CASES = [
    *((head, family, "full") for head in tiny.TASKS for family in tiny.FAMILIES),
    *((Head.CLASSIFY, Family.ENCODER, method) for method in METHODS),
]
MORE = [
    *((Head.CLASSIFY, family, method) for method in METHODS for family in tiny.FAMILIES[1:]),
    *((Head.GENERATE, family, method) for method in METHODS for family in tiny.FAMILIES),
]


@pytest.mark.parametrize(
    ("head", "family", "method"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE)]
)
def test_no_step_waits_for_the_device(root: Path, head: Head, family: Family, method: str) -> None:
    named = f"distill[teacher={tiny.teacher(root / 'teacher')}]" if method == "distill" else method
    try:
        found = waits(root, head, family, named)
    except UnsupportedError as error:
        pytest.skip(str(error))
    assert not found


def test_continued_pretraining_does_not_wait_either(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "MARKS", 1)  # it evaluates at its marks
    watch, model = Watch(), tiny.checkpoint(Family.ENCODER, root / "encoder")
    with watch.looking():
        ModelLearner(tiny.assignment(Head.CLASSIFY, model, f"domain_adaptive[steps={STEPS}]"))
    assert len(watch.steps) == STEPS
    assert not watch.later


@pytest.mark.parametrize(
    ("ask", "seen"),
    [
        (lambda x: x.sum().item(), {".item", "_local_scalar_dense"}),
        (lambda x: bool(x.sum() > 0), {".__bool__", "_local_scalar_dense"}),
        (lambda x: x.tolist(), {".tolist"}),
        (lambda x: x[x > 0], {"index by a mask"}),
        (lambda x: x.masked_fill_(x > 0, 0.0), set()),
        (lambda x: (x > 0).nonzero(), {"nonzero"}),
        (lambda x: x * torch.tensor([1.0, 2.0], device=x.device), {"tensor: sends Python's numbers to the device"}),
        (lambda x: x * torch.tensor([1.0, 2.0]).to(x.device), {"to: sends a tensor to the device"}),
        (lambda x: x * batch.sent(torch.tensor([1.0, 2.0]), x.device), set()),
        (lambda x: torch.rand(1) > 0.5 and x, set()),
    ],
)
def test_what_waits_is_seen(ask: Callable[[Tensor], object], seen: set[str]) -> None:
    x, watch = torch.tensor([1.0, 2.0]), Watch()
    with watch.looking():
        ask(x)
    assert set(watch.now) == seen


def test_only_what_goes_to_a_gpu_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[Tensor] = []

    def pin(tensor: Tensor) -> Tensor:
        pinned.append(tensor)
        return tensor

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    batch.sent(torch.ones(2), torch.device("cpu"))
    batch.sent(torch.ones(2), torch.device("meta"))
    assert not pinned
    with pytest.raises((RuntimeError, AssertionError)):  # there may be no such GPU
        batch.sent(torch.ones(2), torch.device("cuda", 99))
    assert len(pinned) == 1


@pytest.mark.parametrize("causal", [False, True])
def test_a_mask_is_made_whatever_the_padding_is(causal: bool) -> None:
    """transformers leaves it out where nothing is padded, and asks the device for that."""
    function = causal_mask_function if causal else bidirectional_mask_function
    asked: dict[str, Any] = {
        "batch_size": 2, "q_length": 3, "kv_length": 3, "mask_function": function, "allow_is_causal_skip": causal,
        "allow_is_bidirectional_skip": not causal,
    }
    whole = torch.ones(2, 3, dtype=torch.bool)
    make = attention.unasked(sdpa_mask)
    assert sdpa_mask(attention_mask=whole, **asked) is None
    assert make(attention_mask=None, **asked) is None
    made = make(attention_mask=whole, **asked)
    assert made is not None
    assert made.shape == (2, 1, 3, 3)
    assert bool(made.all()) is not causal


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_answers_are_those_of_transformers_own_masks(root: Path, family: Family) -> None:
    model = tiny.checkpoint(family, root / str(family))
    learner = ModelLearner(tiny.assignment(Head.CLASSIFY, model, "full"))
    padded = learner.head.collate(learner.train_examples[:4], learner.torch_device)
    network = learner.template.eval()
    with torch.no_grad():
        ours = network.hidden(padded)
        for module in network.backbone.modules():
            if hasattr(module, "config"):
                cast(Any, module).config._attn_implementation = "sdpa"
        theirs = network.hidden(padded)
    real = padded["mask"].bool()
    torch.testing.assert_close(ours[real], theirs[real])

"""Where memory does not suffice, work is done in parts, to the same end; and where that does not help, it is said."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.learn import adapt, unfinished
from bench.learn.batch import Batch
from bench.learn.fit import ModelLearner
from bench.learn.memory import Room, parts, size
from bench.learn.network import Network
from bench.learn.prompting import PromptingLearner
from bench.learner import Fitted
from bench.record import Training
from bench.spec import Family, Head
from leaderboard import health
from tests import fake_records, tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")


class Narrow(ModelLearner):
    """A learner without dropout that runs out of memory, as a GPU does, on more than `most` rows of training."""

    most = 10**9
    drawn: list[float]

    def _network(self, seed: int) -> Network:
        return tiny.without_dropout(super()._network(seed))

    def _losses(self, network: Network, batch: Batch, whole: Batch | None = None) -> tuple[Tensor, Tensor]:
        self.drawn = [*getattr(self, "drawn", []), float(torch.rand(()))]
        found = super()._losses(network, batch, whole)
        if size(batch) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return found


def learner(root: Path, head: Head, family: str, method: str = "full", **budget: Any) -> Narrow:
    if method == "distill":
        method = f"distill[teacher={tiny.teacher(root / 'teacher')}]"
    model = tiny.checkpoint(family, root / str(family))
    return Narrow(tiny.assignment(head, model, method, **{"batch_size": 8, "epochs": 2, **budget}))


def fit(made: Narrow, most: int = 10**9) -> Fitted:
    made.most, made.drawn = most, []
    return made.fit(1e-3, 1, lambda predictions: 0.0, lambda point: True, 2)


def gradients(made: Narrow, network: Network, batch: Batch, rows: int) -> tuple[float, dict[str, Tensor]]:
    """The loss and the gradients of a batch in parts of so many rows."""
    network.zero_grad()
    total = 0.0
    for part in parts(batch, rows):
        loss, objective = made._losses(network, part, batch)
        total += float(loss.detach())
        if objective.requires_grad:
            objective.backward()  # type: ignore[no-untyped-call]
    return total, {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}


EACH = [(head, str(family), "full") for head in Head for family in tiny.FAMILIES]
EACH += [(head, str(Family.ENCODER), "distill") for head in (Head.CLASSIFY, Head.REGRESS, Head.TAG)]


@pytest.mark.parametrize(("head", "family", "method"), EACH)
def test_parts_of_a_batch_have_together_its_loss_and_its_gradients(
    root: Path, head: Head, family: str, method: str
) -> None:
    """Rows have different numbers of targets, which a mean of means would weigh wrongly."""
    made = learner(root, head, family, method)
    network = made._network(1)
    network.eval()
    batch = next(made._batches(1))[0]
    loss, objective = made._losses(network, batch)
    objective.backward()  # type: ignore[no-untyped-call]
    whole = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    for rows in (1, 3, 4):
        found, split = gradients(made, network, batch, rows)
        assert found == pytest.approx(float(loss.detach()), abs=1e-5)
        assert split.keys() == whole.keys()
        for name, gradient in whole.items():
            assert torch.allclose(split[name], gradient, atol=1e-6 + 1e-5 * float(gradient.abs().max())), name


def test_a_part_without_any_target_adds_nothing(root: Path) -> None:
    made = learner(root, Head.TAG, Family.ENCODER)
    network = made._network(1).eval()
    batch = next(made._batches(1))[0]
    batch["labels"][:4] = -100
    expected = made._losses(network, batch)[0]
    assert gradients(made, network, batch, 4)[0] == pytest.approx(float(expected.detach()), abs=1e-6)


SPLIT = ("full", "lora", "adalora", "head_only", "gradual_unfreeze", "p_tuning[encoder=mlp]")


@pytest.mark.parametrize("method", SPLIT)
def test_a_training_that_must_split_its_batches_learns_the_same_and_says_so(root: Path, method: str) -> None:
    made = learner(root, Head.TAG, Family.ENCODER, method, epochs=3)
    plain, split = fit(made), fit(made, most=3)
    assert (plain.micro_batch, split.micro_batch) == (None, 2)
    assert (split.steps, split.examples, split.tokens) == (plain.steps, plain.examples, plain.tokens)
    for one, other in zip(split.curve, plain.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)


def test_every_training_tries_whole_batches_first(root: Path) -> None:
    """So that it does not matter which trainings came before it, or whether a worker has died since."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER)
    assert fit(made, most=2).micro_batch == 2
    assert fit(made).micro_batch is None


def test_a_batch_is_tried_again_with_the_random_numbers_that_it_had(root: Path) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER)
    fit(made, most=4)
    whole, first, second = made.drawn[:3]
    assert whole == first != second


def test_a_pretraining_that_must_split_its_batches_learns_the_same_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt, "Network", lambda *given: tiny.without_dropout(Network(*given)))
    plain = learner(root, Head.CLASSIFY, Family.ENCODER, "domain_adaptive[steps=4]")
    real = adapt.language_loss

    def narrow(network: Network, batch: Batch) -> Tensor:
        if size(batch) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(network, batch)

    monkeypatch.setattr(adapt, "language_loss", narrow)
    split = learner(root, Head.CLASSIFY, Family.ENCODER, "domain_adaptive[steps=4]")
    for one, other in zip(split.template.parameters(), plain.template.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    assert (fit(plain).micro_batch, fit(split).micro_batch) == (None, 2)


def test_a_row_that_does_not_fit_alone_ends_the_training(root: Path) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER)
    with pytest.raises(torch.OutOfMemoryError):
        fit(made, most=0)


def test_another_error_is_not_taken_for_a_lack_of_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER)

    def broken(*_: Any) -> Tensor:
        raise RuntimeError("sizes do not match")

    monkeypatch.setattr(made.head, "loss", broken)
    with pytest.raises(RuntimeError, match="sizes"):
        fit(made)
    assert len(made.drawn) == 1


def test_a_training_that_goes_on_splits_as_before(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
    wanted = dataclasses.replace(learner(root, Head.CLASSIFY, Family.ENCODER).assignment, halfway=tmp_path)
    first = fit(Narrow(wanted), most=2)
    made = Narrow(wanted)
    assert fit(made).micro_batch == first.micro_batch == 2
    assert made.drawn == []


# -- Predicting, and features that are computed once --


def cramped(made: Any, monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let the learner's network run out of memory beyond so many tokens, padding included; returns what was tried."""
    tried: list[int] = []
    real = made.head.features

    def features(network: Network, batch: Batch) -> Tensor:
        if not torch.is_grad_enabled():
            tried.append(batch["ids"].numel())
            if tried[-1] > most:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")
        result: Tensor = real(network, batch)
        return result

    monkeypatch.setattr(made.head, "features", features)
    return tried


def test_predictions_in_smaller_batches_are_the_same_and_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner(root, Head.TAG, Family.ENCODER)
    plain = fit(made).predict(tiny.rows(Head.TAG))
    tried = cramped(made, monkeypatch, most=60)
    fitted = fit(made)
    found = fitted.predict(tiny.rows(Head.TAG))
    assert plain.tokens is None
    assert fitted.prediction_tokens is not None
    assert found.tokens == fitted.prediction_tokens <= 64
    assert max(tried) > 60
    assert found.predictions == plain.predictions


def test_frozen_features_are_computed_in_smaller_batches(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "head_only")
    plain = [example["features"] for example in made.train_examples]
    cramped(made, monkeypatch, most=60)
    made._compute_frozen(made._network(0))
    for one, other in zip(made.train_examples, plain, strict=True):
        assert torch.allclose(one["features"], other, atol=1e-5)


def test_what_asks_in_words_asks_in_smaller_batches(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.checkpoint(Family.DECODER, root / "decoder")
    made = PromptingLearner(tiny.assignment(Head.GENERATE, model, "zero_shot"))
    rows: Sequence[Any] = tiny.rows(Head.GENERATE)
    plain = made.predict(rows, ())
    real = made._continuations

    def few(questions: Any) -> list[list[int]]:
        if len(questions) > 2:
            raise MemoryError
        return real(questions)

    monkeypatch.setattr(made, "_continuations", few)
    found = made.predict(rows, ())
    assert found.predictions == plain.predictions
    assert (plain.tokens, found.health) == (None, plain.health)
    assert found.tokens is not None


def test_every_example_is_read_once_however_often_memory_gives_out() -> None:
    lengths = [3, 40, 7, 7, 21, 1, 30, 2]
    for most in (40, 45, 60, 1000):
        done: list[int] = []

        def work(members: list[int], done: list[int] = done, most: int = most) -> None:
            if len(members) * max(lengths[i] for i in members) > most:
                raise MemoryError
            done += members

        room = Room(320)
        room.each(lengths, work)
        assert sorted(done) == list(range(8))
        assert (room.least is None) == (most == 1000)


def test_an_example_that_does_not_fit_alone_is_an_error() -> None:
    def work(members: list[int]) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        Room(100).each([5, 5], work)


# -- What is said of it --


def test_the_cells_page_says_what_was_split() -> None:
    record = fake_records.record("sentiment", "bert-mini", "full")
    assert not any("memory" in words for words in health.words(record))
    final: Training = dataclasses.replace(record.finals[0], micro_batch=4, prediction_tokens=1024)
    words = health.words(dataclasses.replace(record, finals=(final, *record.finals[1:])))
    assert "batches split for want of memory, down to 4 rows" in words
    assert "predicted in smaller batches for want of memory, down to 1,024 tokens" in words


# -- A real lack of memory --

REAL = """
import resource, sys
from pathlib import Path
import torch
from bench.spec import Head
from tests import test_memory, tiny
torch.set_num_threads(1)
made = test_memory.learner(Path(sys.argv[1]), Head.CLASSIFY, "encoder", epochs=1, evaluations=1)
loss = made.head.loss
made.head.loss = lambda network, features, batch: loss(network, features, batch) + 0 * torch.ones(
    (len(features), 2**22), requires_grad=True).sum()
test_memory.fit(made)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100 * 2**20,) * 2)
print("micro_batch", test_memory.fit(made).micro_batch)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads its size from /proc")
def test_a_process_that_may_have_no_more_memory_trains_on_in_parts(root: Path) -> None:
    """16 MiB a row, and as much for its gradient, in a process that may grow by 100: eight rows do not fit."""
    done = subprocess.run(
        [sys.executable, "-c", REAL, str(root)], capture_output=True, text=True, timeout=300, check=False,
        cwd=Path(__file__).resolve().parent.parent,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-1] in ("1", "2", "4")

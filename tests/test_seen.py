"""Training the rows of a token table that occur is training the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from bench.learn import seen
from bench.learn.fit import ModelLearner
from bench.learn.seen import seen_rows
from bench.learner import Prediction
from bench.record import Point
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

Parameters = dict[str, torch.Tensor]


def go_on(point: Point) -> bool:
    return True


def opened(root: Path, method: str, head: Head, family: Family) -> ModelLearner:
    """A learner of only half the rows, so that the other half's tokens are met in validation alone."""
    assignment = tiny.assignment(head, tiny.checkpoint(family, root / str(family)), method, batch_size=2)
    assignment = dataclasses.replace(assignment, train=assignment.train[:2])
    return ModelLearner(assignment)


def trained(learner: ModelLearner) -> tuple[Parameters, list[list[Prediction]]]:
    """The parameters at the last evaluation, and the predictions of all."""
    answers: list[list[Prediction]] = []
    found: Parameters = {}

    def look(predictions: Sequence[Prediction]) -> float:
        answers.append(list(predictions))
        found.update({name: p.detach().clone() for name, p in learner.network.named_parameters()})
        return 0.0

    learner.fit(1e-3, 1, look, go_on, 6)
    return found, answers


@pytest.mark.parametrize("method", ["full", "augment"])
@pytest.mark.parametrize("head", [Head.CLASSIFY, Head.TAG])
@pytest.mark.parametrize("family", Family)
def test_every_row_of_the_table_ends_as_if_the_whole_table_had_trained(
    root: Path, monkeypatch: pytest.MonkeyPatch, method: str, head: Head, family: Family
) -> None:
    """Those that do not occur are decayed just so."""
    learner = opened(root, method, head, family)
    before = learner.template.backbone.get_input_embeddings().weight.detach().clone()  # type: ignore[operator]
    monkeypatch.setattr(seen, "WORTH", 0.0)
    plain, plain_answers = trained(learner)
    monkeypatch.setattr(seen, "WORTH", 1.0)
    found, answers = trained(learner)
    for name, expected in plain.items():
        torch.testing.assert_close(found[name], expected, atol=2e-6, rtol=1e-4, msg=name)
    assert answers == plain_answers
    table = learner.network.backbone.get_input_embeddings()  # type: ignore[operator]
    changed = (table.weight != before).any(dim=1)
    unseen = torch.ones(len(before), dtype=torch.bool)
    unseen[sorted(learner._training_tokens(learner.network))] = False
    assert unseen.any()
    assert changed[unseen].all()
    assert "forward" not in vars(table)


def test_a_table_that_does_not_train_or_is_the_projection_too_is_left_alone(root: Path) -> None:
    asked = iter([{1, 2}])
    assert seen_rows(opened(root, "lora", Head.TAG, Family.ENCODER)._network(1), lambda: next(asked)) is None
    assert seen_rows(opened(root, "full", Head.GENERATE, Family.DECODER)._network(1), lambda: next(asked)) is None
    assert next(asked) == {1, 2}, "the training rows were gone through for nothing"


def test_a_table_of_which_most_rows_occur_is_left_alone(root: Path) -> None:
    network = opened(root, "full", Head.TAG, Family.ENCODER)._network(1)
    rows = len(network.backbone.get_input_embeddings().weight)  # type: ignore[operator]
    assert seen_rows(network, lambda: range(rows // 2)) is not None
    assert seen_rows(network, lambda: range(rows // 2 + 1)) is None


def test_a_gradient_of_the_table_itself_is_never_lost(root: Path) -> None:
    network = opened(root, "full", Head.TAG, Family.ENCODER)._network(1)
    rows = seen_rows(network, lambda: {1, 2})
    assert rows is not None
    rows.weight.grad = torch.zeros_like(rows.weight)
    with pytest.raises(RuntimeError, match="embeddings"):
        rows.stepped({"lr": 0.1, "weight_decay": 0.0})

"""The card of an exported model: its code answers as the run did, with nothing but transformers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import keep
from bench.commands import model_card
from bench.learn import merge
from bench.learn.fit import ModelLearner
from bench.record import Outcome, Record, Training
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

UNTIED = [("head_only", Head.GENERATE, family) for family in tiny.FAMILIES]
"""What gives the vocabulary projection weights of its own."""

EACH = [("lora", head, family) for head in Head if head is not Head.REGRESS for family in tiny.FAMILIES] + UNTIED
"""Heads that a few lines serve; a pair of texts is read in a way of its own by each family."""


def record(kept: keep.Kept) -> Record:
    return Record(
        kept.task.name, kept.model.name, kept.method, "files", str(kept.model.family), str(kept.task.head), "f" * 64,
        Outcome.OK, "accuracy", score=81.25, low=70.0, high=90.0,
        floors={"majority": {"accuracy": 50.0}},
    )


def exported(made: ModelLearner, place: Path) -> tuple[list[Any], str]:
    """Predictions for all rows of a short training, and the card of its merged export in `place`."""
    fitted = made.fit(1e-2, 1, lambda predictions: 0.0, lambda point: True, made.assignment.budget.epochs)
    fitted.save(place / "kept")
    out = place / "out"
    out.mkdir()
    limit = merge.export(place / "kept", out)
    kept = keep.read(out)
    final = Training(1, 1e-2, 1, "COMPLETE", 90.0, 3, (), 3, 24, 300, 1.0, 0.5, scores={"accuracy": 80.0})
    answered = fitted.predict(tiny.rows(made.assignment.task.head)).predictions
    return list(answered), model_card.render(record(kept), final, kept, limit)


def predict_of(card: str) -> Callable[..., Any]:
    """The function that the card's Python defines."""
    (code,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[..., Any] = names["predict"]
    return found


@pytest.mark.parametrize(("method", "head", "family"), EACH, ids=lambda value: str(value))
def test_the_cards_code_answers_as_the_run_did(
    root: Path, method: str, head: Head, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny.checkpoint(family, root / str(family))
    made = ModelLearner(tiny.assignment(head, model, method, batch_size=8, epochs=3, evaluations=1))
    expected, card = exported(made, tmp_path)
    monkeypatch.chdir(tmp_path / "out")
    predict = predict_of(card)
    task = made.assignment.task
    assert tiny.alike([predict(*(row[column] for column in task.inputs)) for row in tiny.rows(head)], expected)

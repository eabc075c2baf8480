"""The room where tensors live: what trains, what it costs to pad, and that the same request gives the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import catalog
from bench.errors import UnsupportedError
from bench.learn import fit
from bench.learn.batch import collate, prediction_order
from bench.learn.fit import ModelLearner
from bench.learn.lower import frozen_layers, lower_states, replayed
from bench.learn.network import Network
from bench.learner import Fitted
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")
CELLS = [(head, family) for head in Head for family in tiny.FAMILIES]


def learner(root: Path, head: Head, family: Family, method: str, **budget: Any) -> ModelLearner:
    model = tiny.checkpoint(family, root / str(family))
    return ModelLearner(tiny.assignment(head, model, method, **budget))


def accept(predictions: Sequence[Any]) -> float:
    return 0.0


def exact(head: Head) -> Any:
    """The share of rows whose answer is right, or the number nearest to it among those of the rows."""
    answers = tiny.answers(head)
    return lambda predictions: sum(
        tiny.alike([p], [a], within=0.2) for p, a in zip(predictions, answers, strict=True)
    ) / len(answers)


def train(made: ModelLearner, rate: float = 1e-3, seed: int = 1) -> Fitted:
    return made.fit(rate, seed, accept, lambda point: True, made.assignment.budget.epochs)


@pytest.mark.parametrize(("head", "family"), CELLS)
def test_a_training_set_can_be_learnt_by_heart(root: Path, head: Head, family: Family) -> None:
    """`runs without error` is not `learns`: full fine-tuning answers its own training rows."""
    made = learner(root, head, family, "full", epochs=300, batch_size=8, evaluations=10, patience=10)
    fitted = made.fit(5e-3, 1, exact(head), lambda point: point.validation < 0.99, 300)
    assert fitted.value is not None
    assert fitted.value >= 0.99


@pytest.mark.parametrize(
    ("head", "family"), [(h, f) for h, f in CELLS if h is not Head.GENERATE or f is not Family.ENCODER]
)
def test_frozen_features_computed_once_give_the_plain_result(
    root: Path, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = learner(root, head, family, "head_only")
    monkeypatch.setattr(fit, "CACHE_LIMIT", -1)
    plain = learner(root, head, family, "head_only")
    assert "features" in cached.train_examples[0]
    assert "features" not in plain.train_examples[0]
    a, b = train(cached, 1e-2), train(plain, 1e-2)
    for one, other in zip(a.curve, b.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert tiny.alike(a.predict(tiny.rows(head)).predictions, b.predict(tiny.rows(head)).predictions)


@pytest.mark.parametrize(("head", "family"), CELLS)
def test_frozen_lower_layers_computed_once_give_the_plain_result(
    root: Path, head: Head, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout, which would act on the embeddings of the plain run."""
    cached = without_dropout(learner(root, head, family, "freeze"))
    monkeypatch.setattr(fit, "CACHE_LIMIT", -1)
    plain = without_dropout(learner(root, head, family, "freeze"))
    assert cached.train_examples[0]["lower"].shape == (len(cached.train_examples[0]["ids"]), tiny.SIZE)
    assert "lower" not in plain.train_examples[0]
    a, b = train(cached, 3e-3), train(plain, 3e-3)
    for one, other in zip(a.curve, b.curve, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert tiny.alike(a.predict(tiny.rows(head)).predictions, b.predict(tiny.rows(head)).predictions)


@pytest.mark.parametrize("method", ["head_only", "freeze"])
@pytest.mark.parametrize("head", [Head.CLASSIFY, Head.TAG, Head.SPAN])
def test_rows_that_every_seed_answers_go_through_what_is_frozen_once(
    root: Path, head: Head, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tiny.rows(head)
    computed: list[Any] = []
    made = learner(root, head, Family.ENCODER, method)
    one, other = train(made, 1e-2, seed=1), train(made, 1e-2, seed=2)
    compute = made.computed

    def counted(*given: Any) -> Any:
        computed.append(given)
        return compute(*given)

    monkeypatch.setattr(made, "computed", counted)
    found = [one.predict(rows), other.predict(rows)]
    assert len(computed) == 1
    monkeypatch.setattr(fit, "CACHE_LIMIT", -1)
    again = [fitted.predict(list(rows)) for fitted in (one, other)]
    assert len(computed) == 1
    for cached, plain in zip(found, again, strict=True):
        assert tiny.alike(cached.predictions, plain.predictions)


def without_dropout(made: ModelLearner) -> ModelLearner:
    for module in made.template.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return made


def test_a_replayed_layer_is_not_computed_and_is_whole_again_afterwards(root: Path) -> None:
    """What the frozen layers would compute no longer matters while their states are replayed."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "freeze")
    network = made._network(0).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    before = made.head.features(network, batch)
    states = lower_states(network, lambda: made.head.features(network, batch))
    assert states is not None
    (lowest,) = frozen_layers(network)
    with torch.no_grad():
        for parameter in lowest.parameters():
            parameter.zero_()
    with replayed(network, states):
        assert torch.allclose(made.head.features(network, batch), before, atol=1e-6)
    assert not torch.allclose(made.head.features(network, batch), before, atol=1e-3)


def test_no_layer_is_replayed_where_something_below_it_trains(root: Path) -> None:
    network = learner(root, Head.CLASSIFY, Family.ENCODER, "freeze")._network(0)
    assert len(frozen_layers(network)) == 1
    network.backbone.get_parameter("embeddings.word_embeddings.weight").requires_grad_(True)
    assert frozen_layers(network) == []
    assert lower_states(network, lambda: pytest.fail("nothing to run")) is None


@pytest.mark.parametrize(("longest", "limit", "length"), [(9, None, 16), (8, None, 8), (9, 12, 12), (12, 12, 12)])
def test_lengths_are_padded_to_a_multiple_but_not_beyond_the_networks_positions(
    longest: int, limit: int | None, length: int
) -> None:
    examples = [{"ids": [5] * n, "states": torch.ones(n, 3)} for n in (2, longest)]
    made = collate(examples, {"ids": 0}, torch.device("cpu"), limit=limit)
    assert made["ids"].shape == made["mask"].shape == (2, length)
    assert made["states"].shape == (2, length, 3)
    assert made["mask"].sum(1).tolist() == [2, longest]
    assert made["states"].sum((1, 2)).tolist() == [6.0, 3.0 * longest]


def test_prediction_batches_keep_to_their_tokens_longest_first() -> None:
    lengths = [3, 50, 7, 50, 9, 200, 1]
    batches = prediction_order(lengths, 100)
    assert batches == [[5], [1, 3], [4, 2, 0, 6]]
    assert prediction_order([], 100) == []


def test_two_fused_encoders_are_not_cached_since_their_cross_attention_trains(root: Path) -> None:
    assert "features" not in learner(root, Head.GENERATE, Family.ENCODER, "head_only").train_examples[0]


@pytest.mark.parametrize("method", [name for name, found in catalog.methods().items() if found.rates])
def test_the_same_seed_gives_the_same_training_whatever_ran_before(root: Path, method: str) -> None:
    if "teacher" in catalog.methods()[method].models:
        method += f"[teacher={tiny.teacher(root / 'teacher')}]"
    first = learner(root, Head.CLASSIFY, Family.ENCODER, method)
    curve = train(first, seed=3).curve
    torch.rand(5)
    train(first, seed=4)
    again = train(first, seed=3).curve
    fresh = train(learner(root, Head.CLASSIFY, Family.ENCODER, method), seed=3).curve
    losses = [[point.loss for point in c] for c in (curve, again, fresh)]
    assert losses[0] == losses[1] == losses[2]
    assert losses[0] != [point.loss for point in train(first, seed=4).curve]


def test_scratch_starts_from_other_weights_for_every_seed(root: Path) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "scratch")
    weights = [made._network(seed).backbone.get_parameter("embeddings.word_embeddings.weight") for seed in (1, 2)]
    assert not torch.equal(*weights)


def test_frozen_parts_run_without_dropout(root: Path) -> None:
    """Else a frozen layer would not be a fixed function, and computing it once would change the result."""
    from bench.learn.network import train_mode

    network = learner(root, Head.CLASSIFY, Family.ENCODER, "freeze")._network(0)
    train_mode(network)
    lower, upper = network.stacks()[0]
    assert not any(m.training for m in lower.modules())
    assert all(m.training for m in upper.modules())
    assert not any(m.training for m in network.embeddings())


def test_a_loss_that_is_no_number_ends_the_training_as_diverged(root: Path) -> None:
    fitted = train(learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=10), rate=1e30)
    assert fitted.state == "DIVERGED"
    assert fitted.value is None
    assert "step" in str(fitted.reason)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("value", [math.inf, math.nan])
@pytest.mark.parametrize("step", [2, 4])
def test_one_gradient_that_is_no_number_ends_the_training_as_diverged(
    root: Path, step: int, value: float, precision: str
) -> None:
    """Though every loss was one: the last step's doing would else be scored as some answer."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=2, evaluations=1)
    made.precision = precision
    network, steps = made._network, []

    def watched(seed: int) -> Network:
        found = network(seed)
        assert found.head is not None

        def spoil(gradient: torch.Tensor) -> torch.Tensor:
            steps.append(1)
            return gradient * value if len(steps) == step else gradient

        next(found.head.parameters()).register_hook(spoil)  # type: ignore[no-untyped-call]
        return found

    made._network = watched  # type: ignore[method-assign]
    fitted = made.fit(1e-4, 1, accept, lambda point: True, 2)
    assert len(steps) == 4
    assert (fitted.state, fitted.value) == ("DIVERGED", None)
    assert "by step 4" in str(fitted.reason)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_validation_score_that_is_no_number_ends_the_training_as_diverged(root: Path, value: float) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=2, evaluations=2)
    fitted = made.fit(1e-4, 1, lambda predictions: value, lambda point: True, 2)
    assert (fitted.state, fitted.value, fitted.curve) == ("DIVERGED", None, ())
    assert f"the validation score was {value} at step" in str(fitted.reason)


def test_a_hopeless_training_is_pruned_and_its_last_evaluation_is_not_asked(root: Path) -> None:
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=4, evaluations=4)
    fitted = made.fit(1e-3, 1, accept, lambda point: False, 4)
    assert (fitted.state, len(fitted.curve)) == ("PRUNED", 1)


def test_the_best_parameters_are_kept_and_patience_ends_a_training(root: Path) -> None:
    """Validation that peaks at the second evaluation: the training stops two later, and predicts as it did then."""
    made = learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=8, evaluations=8, patience=2)
    seen: list[list[Any]] = []

    def validate(predictions: Sequence[Any]) -> float:
        seen.append(list(predictions))
        return -abs(len(seen) - 2.0)

    fitted = made.fit(5e-3, 1, validate, lambda point: True, 8)
    assert len(fitted.curve) == 4
    assert fitted.best_step == fitted.curve[1].step
    assert list(fitted.predict(tiny.rows(Head.CLASSIFY)).predictions) == seen[1]


def test_evaluations_are_spread_evenly_and_end_with_the_last_step(root: Path) -> None:
    curve = train(learner(root, Head.CLASSIFY, Family.ENCODER, "full", epochs=3, evaluations=3, patience=9)).curve
    assert [point.step for point in curve] == [2, 4, 6]
    assert [point.epoch for point in curve] == [1, 2, 3]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_target_that_is_cut_is_counted_and_does_not_teach_to_stop(root: Path, family: Family) -> None:
    head = learner(root, Head.GENERATE, family, "full").head
    row = {"source": "anna met him", "target": "paris anna"}
    long = {**row, "target": "paris anna " * 40}
    encoded = head.encode([row, long], targets=True)
    assert encoded.truncated == 1
    whole, cut = ([t for t in example["labels"] if t != -100] for example in encoded.examples)
    assert len(cut) == tiny.TASKS[Head.GENERATE].output_tokens
    assert whole[-1] not in cut
    assert head.encode([row, long], targets=False).truncated == 0


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_question_that_is_cut_and_an_answer_that_fits_nowhere_are_counted(root: Path, family: Family) -> None:
    head = learner(root, Head.SPAN, family, "full").head
    row = tiny.rows(Head.SPAN)[0]
    long = "anna met him in paris. " * 30
    unread = {**row, "question": "who met him in the old house? " * 20}
    unreachable = {**row, "context": long, "answers": {"text": [long.strip()], "answer_start": [0]}}
    assert head.encode([row, unread, unreachable], targets=True).truncated == 2
    assert head.encode([row, unread, unreachable], targets=False).truncated == 1


def test_a_first_loss_is_that_of_guessing(root: Path) -> None:
    """A head that starts out of scale (T5's in transformers starts at std 1) would show here."""
    for family in tiny.FAMILIES:
        for head in (Head.CLASSIFY, Head.TAG):
            loss = train(learner(root, head, family, "full", batch_size=8, epochs=1, evaluations=1), 1e-9).curve[0].loss
            assert loss == pytest.approx(math.log(len(tiny.LABELS[head])), abs=0.15)
        made = learner(root, Head.REGRESS, family, "full", batch_size=8, epochs=1, evaluations=1)
        assert train(made, 1e-9).curve[0].loss == pytest.approx(1, abs=0.3)


def test_an_encoder_that_has_no_decoder_is_unsupported(tmp_path: Path) -> None:
    from transformers import DistilBertConfig, DistilBertModel

    model = tiny.checkpoint(Family.ENCODER, tmp_path)
    DistilBertModel(DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64, vocab_size=130)).save_pretrained(
        tmp_path
    )
    with pytest.raises(UnsupportedError, match="distilbert"):
        fit.open_learner(tiny.assignment(Head.GENERATE, model, "full"))


def test_the_best_span_is_that_of_trying_every_pair() -> None:
    """Start and end scores are drawn at random; every pair in order, of allowed tokens and length, is compared."""
    from bench.learn.heads import span

    class Scored(torch.nn.Module):
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return features

    torch.manual_seed(0)
    scores, allowed = torch.randn(20, 60, 2), (torch.rand(20, 60) < 0.6).long()
    network = Network(torch.nn.Identity(), Family.ENCODER, Scored())
    found = span.Span.answers(object.__new__(span.Span), network, scores, {"allowed": allowed})
    start, end = span._log_probabilities(network, scores, {"allowed": allowed.clone()})
    for row, (score, first, last) in enumerate(found):
        places = [i for i in range(60) if allowed[row, i]]
        pairs = [(i, j) for i in places for j in places if i <= j < i + span.LONGEST_ANSWER]
        best = max(pairs, key=lambda pair: float(start[row, pair[0]] + end[row, pair[1]]))
        assert (first, last) == best
        assert score == pytest.approx(float(start[row, first] + end[row, last]))


@pytest.mark.parametrize("method", ["full", "lora", "prompt_tuning"])
@pytest.mark.parametrize("rate", [1e-4, 1e-1])
def test_a_new_head_has_the_same_rate_under_every_method(root: Path, method: str, rate: float) -> None:
    """Methods differ in what they do to the model; how soon its head is learnt must not depend on them."""
    made = learner(root, Head.TAG, Family.DECODER, method)
    network = made._network(1)
    factors = made._head_factors(network, rate)
    assert set(factors) == {"head.weight", "head.bias"}
    assert [factor * rate for factor in factors.values()] == pytest.approx([fit.HEAD_RATE * 768 / tiny.SIZE] * 2)


@pytest.mark.parametrize("head", [Head.TAG, Head.GENERATE])
def test_a_head_that_trains_alone_or_is_the_models_own_has_the_rate_that_is_searched(root: Path, head: Head) -> None:
    made = learner(root, head, Family.DECODER, "head_only" if head is Head.TAG else "lora")
    assert made._head_factors(made._network(1), 1e-3) == {}

"""What must be true of every method, for each family and head: a new file in bench/methods is tested by being there.

Each cell is trained once, for a few steps on tiny real checkpoints, and then looked at from several sides.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import safetensors.torch
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from bench import catalog, keep
from bench.errors import RequestError, UnsupportedError
from bench.learn import fit, merge, reload
from bench.learn.fit import ModelLearner
from bench.learn.network import Network, count, trained_state
from bench.learner import Assignment, Fitted
from bench.spec import Family, Head, LogRange
from tests import tiny

torch.set_num_threads(1)

pytestmark = pytest.mark.usefixtures("float32")

NO_BIASES = "has no biases"
REFUSED = {("bitfit", Family.ENCODER_DECODER): NO_BIASES, ("bitfit", tiny.WRITER): NO_BIASES}
"""Method and family that cannot be, with words of the reason; the tests below show that it is so."""

TRAINED: dict[str, LogRange] = {name: m.rates for name, m in catalog.methods().items() if m.rates is not None}
"""The methods that train something, with their ranges; those that only ask have tests/test_prompting.py."""

LEFT_OUT = ((Head.SPAN, tiny.WRITER), (Head.GENERATE, tiny.WRITER))
"""The first is only other targets than classify's and tag's (one test has it), the second is the plain family's."""

CELLS: list[tuple[str, Head, str]] = [
    (method, head, family)
    for method in TRAINED
    for head in Head
    for family in (*tiny.FAMILIES, tiny.WRITER)
    if (method, family) not in REFUSED and (head, family) not in LEFT_OUT
]
SPANS = [(method, Head.SPAN, tiny.WRITER) for method in TRAINED if (method, tiny.WRITER) not in REFUSED]
EACH_CELL = pytest.mark.parametrize(("method", "head", "family"), CELLS, ids=lambda value: str(value))
UNMERGEABLE = ("houlsby", "pfeiffer", "prompt_tuning", "p_tuning", "prefix_tuning")
"""Methods that add something which a plain network has no place for."""

UNTIED = {"backbone.lm_head.weight", "backbone.decoder.cls.predictions.decoder.weight"}
"""Vocabulary projections that are the input embeddings in the checkpoint, and may have weights of their own later."""

MERGEABLE = [cell for cell in CELLS if cell[0] not in UNMERGEABLE]

WHOLE = ("full", "scratch", "gradual_unfreeze", "augment", "domain_adaptive", "distill")
"""Methods under which everything trains."""


class Kept(ModelLearner):
    """A learner that keeps the network that it made last, and what its parameters were at first."""

    kept: Network
    start: dict[str, Tensor]

    def _network(self, seed: int) -> Network:
        self.kept = super()._network(seed)
        self.start = {name: p.detach().clone() for name, p in self.kept.named_parameters()}
        return self.kept


class WithoutDropout(Kept):
    """A learner whose networks have none, so that a training loss can be computed again."""

    def _network(self, seed: int) -> Network:
        return tiny.without_dropout(super()._network(seed))


@dataclasses.dataclass(frozen=True)
class Cell:
    """A learner with a training of its behind it."""

    learner: Kept
    fitted: Fitted
    head: Head

    @property
    def network(self) -> Network:
        return self.learner.kept

    @functools.cached_property
    def predictions(self) -> list[Any]:
        """For the training rows, all in one batch."""
        return list(self.fitted.predict(tiny.rows(self.head)).predictions)

    def answers(self, network: Network) -> list[Any]:
        """Predictions of a network for the training rows."""
        learner = self.learner
        return learner._answers(network.eval(), learner.validation_set, learner.validation_set.examples)[0]

    def scores(self, network: Network, examples: Sequence[Any]) -> Tensor:
        """Scores of classes or of the vocabulary, (tokens or rows, answers), for real tokens only."""
        head, learner = self.learner.head, self.learner
        with torch.no_grad():
            batch = head.collate(examples, learner.torch_device)
            features = head.features(network.eval(), batch)
            if head.writes:
                keep = (batch["mask"] if head.decoder else batch["labels"] != -100).bool()
                return cast(Tensor, network.projection()(features[keep]))
            scores = cast(nn.Module, network.head)(features)
            return cast(Tensor, scores[batch["mask"].bool()] if self.head in (Head.TAG, Head.SPAN) else scores)


def assignment(root: Path, method: str, head: Head, family: str, **budget: Any) -> Assignment:
    settings = {"distill": f"teacher={tiny.teacher(root / 'teacher')}", "domain_adaptive": "steps=10"}
    named = f"{method}[{settings[method]}]" if method in settings else method
    return tiny.assignment(head, tiny.checkpoint(family, root / str(family)), named, **budget)


@functools.cache
def trained(root: Path, method: str, head: Head, family: str) -> Cell:
    """Four steps at a rate high enough to move everything well away from where it was."""
    made = Kept(assignment(root, method, head, family, batch_size=8, epochs=4, evaluations=1))
    fitted = made.fit(1e-2, 1, lambda predictions: 0.0, lambda point: True, made.assignment.budget.epochs)
    assert fitted.state == "COMPLETE", fitted.reason
    return Cell(made, fitted, head)


@functools.cache
def kept(root: Path, method: str, head: Head, family: str) -> Path:
    """The directory that the training's model is kept in."""
    place = root / "kept" / method / head / family
    trained(root, method, head, family).fitted.save(place)
    return place


@pytest.mark.parametrize(("method", "head", "family"), [*CELLS, *SPANS], ids=lambda value: str(value))
def test_exactly_what_trains_has_moved(root: Path, method: str, head: Head, family: str) -> None:
    """After a few steps every trainable tensor has moved, every other is bit-identical, and the head trains."""
    cell = trained(root, method, head, family)
    after = dict(cell.network.named_parameters())
    moved = {name for name, p in after.items() if not torch.equal(p, cell.learner.start[name])}
    asked = {name for name, p in after.items() if p.requires_grad}
    assert moved <= asked
    # A key's bias shifts all scores of a query alike, which softmax undoes: its true gradient is zero.
    assert {name for name in asked - moved if not name.endswith(("key.bias", "k_proj.bias"))} == set()
    assert asked == set(after) if method in WHOLE else asked < set(after)
    assert asked >= set(cell.network.head_parameters())
    if not cell.learner.head.writes:
        assert {name for name in asked if name.startswith("head.")} == {"head.weight", "head.bias"}


@EACH_CELL
def test_counts_are_those_of_what_is_stored(root: Path, method: str, head: Head, family: str) -> None:
    """Counted from the bytes of a safetensors file, and from the names that the method added to the checkpoint's.

    What is there only to make a soft prompt is trained but not stored; tests/test_soft_prompts.py counts it by hand.
    """
    cell = trained(root, method, head, family)
    counted = cell.learner.parameters
    stored = safetensors.torch.load(safetensors.torch.save(trained_state(cell.network)))
    sizes = {name: tensor.nbytes // 4 for name, tensor in stored.items()}
    own = set(cell.network.head_parameters())
    if counted.reparametrisation:
        assert counted.stored_bytes < 4 * sum(sizes.values())
    else:
        assert counted.stored_bytes == 4 * sum(sizes.values())
    assert counted.trainable == sum(sizes.values())
    assert counted.head == sum(size for name, size in sizes.items() if name in own)
    assert counted.method == sum(size for name, size in sizes.items() if name not in own)
    if not cell.learner.head.writes:
        assert counted.head == (tiny.SIZE + 1) * tiny.OUTPUTS[head]
    plain = {name: p.numel() for name, p in cell.learner.template.named_parameters()}
    added = {n: p.numel() for n, p in cell.network.named_parameters() if n.replace(".base_layer", "") not in plain}
    assert counted.total == sum(plain.values()) + sum(added.values())


@EACH_CELL
def test_a_kept_model_is_all_that_is_needed_to_predict_the_same(
    root: Path, method: str, head: Head, family: str
) -> None:
    """Its file has exactly the bytes that the record tells, and what is drawn while it is loaded does not matter."""
    cell = trained(root, method, head, family)
    place = kept(root, method, head, family)
    stored = safetensors.torch.load_file(place / keep.TENSORS)
    assert sum(tensor.nbytes for tensor in stored.values()) == cell.learner.parameters.stored_bytes
    assert {path.name for path in place.iterdir()} == {keep.ABOUT, keep.TENSORS}
    torch.manual_seed(7)
    loaded = reload.load(place)
    examples = cell.learner.train_set.examples
    assert torch.allclose(cell.scores(loaded.network, examples), cell.scores(cell.network, examples), atol=1e-5)
    assert tiny.alike(loaded.predict(tiny.rows(head)).predictions, cell.predictions)


@pytest.mark.parametrize(("method", "head", "family"), MERGEABLE, ids=lambda value: str(value))
def test_a_merged_export_predicts_the_same(root: Path, method: str, head: Head, family: str, tmp_path: Path) -> None:
    """And its files have the parameters of the plain checkpoint only (a vocabulary projection perhaps untied)."""
    cell = trained(root, method, head, family)
    merge.export(kept(root, method, head, family), tmp_path)
    loaded = reload.load(tmp_path)
    examples = cell.learner.train_set.examples
    names = {name for name, _ in loaded.network.named_parameters()}
    assert names - {name for name, _ in cell.learner.template.named_parameters()} <= UNTIED
    assert torch.allclose(cell.scores(loaded.network, examples), cell.scores(cell.network, examples), atol=1e-4)
    assert tiny.alike(loaded.predict(tiny.rows(head)).predictions, cell.predictions, within=1e-3)


@pytest.mark.parametrize("method", UNMERGEABLE)
def test_a_method_that_adds_layers_cannot_be_merged(root: Path, method: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no place in a plain checkpoint"):
        merge.export(kept(root, method, Head.TAG, Family.ENCODER), tmp_path)
    assert list(tmp_path.iterdir()) == []


@EACH_CELL
def test_padding_batch_size_and_order_do_not_change_predictions(
    root: Path, method: str, head: Head, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = trained(root, method, head, family)
    rows = tiny.rows(head)
    together = cell.predictions
    tiny.predict_by(monkeypatch, 40)
    assert tiny.alike(list(cell.fitted.predict(rows[::-1]).predictions)[::-1], together)
    examples = cell.learner.train_set.examples
    alone = torch.cat([cell.scores(cell.network, [example]) for example in examples])
    assert torch.allclose(cell.scores(cell.network, examples), alone, atol=1e-4)


LOSSES = [
    (method, head, family)
    for head, family in (
        (Head.TAG, Family.ENCODER), (Head.GENERATE, Family.DECODER), (Head.GENERATE, Family.ENCODER_DECODER),
    )
    for method in TRAINED
    if (method, family) not in REFUSED
]  # fmt: skip
"""Where virtual tokens stand before what is read alone, before what is learnt too, and before another stack's input."""


@pytest.mark.parametrize(("method", "head", "family"), LOSSES, ids=lambda value: str(value))
def test_the_reported_loss_is_the_tasks(root: Path, method: str, head: Head, family: str) -> None:
    """The first loss of a training, without dropout, is the head's loss on an untrained network, and nothing more."""
    made = WithoutDropout(assignment(root, method, head, family, batch_size=8, epochs=1, evaluations=1))
    fitted = made.fit(1e-9, 1, lambda predictions: 0.0, lambda point: True, made.assignment.budget.epochs)
    network = made._network(1)
    with torch.no_grad():
        loss = float(made._losses(network, next(made._batches(1))[0])[0])
    assert fitted.curve[0].loss == pytest.approx(loss, rel=1e-4)


class OwnParametersOnly(Kept):
    """The task's head stays as it was drawn, wide enough to tell labels apart; random weights are those of a network
    whose layers do something, as those of trained ones do (transformers draws them for far greater widths).
    """

    def __init__(self, wanted: Assignment) -> None:
        super().__init__(wanted)
        if wanted.model.family is not Family.ENCODER_DECODER:
            self.enlarge(self.template)

    @staticmethod
    @torch.no_grad()
    def enlarge(network: Network) -> None:
        for parameter in network.backbone.parameters():
            if parameter.dim() > 1:
                parameter.mul_(10)

    def _network(self, seed: int) -> Network:
        network = super()._network(seed)
        assert isinstance(network.head, nn.Linear)
        network.head.requires_grad_(False)
        with torch.no_grad():
            network.head.weight.mul_(20)
        return network


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("method", [name for name in TRAINED if name != "head_only"])
def test_a_training_set_is_learnt_by_heart_by_the_methods_own_parameters(
    root: Path, method: str, family: str
) -> None:
    """Under a head that does not train, since a head alone could learn eight rows."""
    if (method, family) in REFUSED:
        return
    rows = [str(row["label"]) for row in tiny.rows(Head.CLASSIFY)]
    wanted = assignment(root, method, Head.CLASSIFY, family, batch_size=8, epochs=300, evaluations=30, patience=99)
    made = OwnParametersOnly(wanted)

    def share(predictions: Sequence[Any]) -> float:
        return float(sum(p == label for p, label in zip(predictions, rows, strict=True)) / len(rows))

    rates = TRAINED[method]
    scaled = rates.scaled(768 / tiny.SIZE)
    tried = (math.sqrt(scaled.default * scaled.high), scaled.default)  # most are quickest in the upper half
    epochs = made.assignment.budget.epochs
    fits = (made.fit(rate, 1, share, lambda point: point.validation < 0.99, epochs) for rate in tried)
    assert any(fitted.value is not None and fitted.value >= 0.99 for fitted in fits)


class Enlarged(Kept):
    """Random weights as those of a network whose layers do something; the head trains as ever."""

    def __init__(self, wanted: Assignment) -> None:
        super().__init__(wanted)
        if wanted.model.family is not Family.ENCODER_DECODER:
            OwnParametersOnly.enlarge(self.template)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "family"),
    [(Head.TAG, Family.ENCODER), (Head.SPAN, Family.ENCODER_DECODER), (Head.REGRESS, Family.ENCODER)],
)
@pytest.mark.parametrize("method", TRAINED)
def test_a_training_set_is_learnt_by_heart(root: Path, method: str, head: Head, family: str) -> None:
    """Labels have a harder test above. Writing has no head of its own: few parameters cannot teach random weights."""
    if (method, family) in REFUSED:
        return
    made = Enlarged(assignment(root, method, head, family, batch_size=8, epochs=300, evaluations=30, patience=99))
    answers = tiny.answers(head)

    def score(predictions: Sequence[Any]) -> float:
        """The share of right answers, or Spearman's correlation with the numbers."""
        if head is Head.REGRESS:
            return float(spearmanr(predictions, answers).statistic)
        return float(sum(p == a for p, a in zip(predictions, answers, strict=True)) / len(answers))

    scaled = TRAINED[method].scaled(768 / tiny.SIZE)
    epochs = made.assignment.budget.epochs
    tried = (math.sqrt(scaled.default * scaled.high), scaled.default)
    fits = (made.fit(rate, 1, score, lambda point: point.validation < 0.95, epochs) for rate in tried)
    assert any(fitted.value is not None and fitted.value >= 0.95 for fitted in fits)


def test_the_head_alone_learns_a_training_set_by_heart(root: Path) -> None:
    made = Kept(assignment(root, "head_only", Head.CLASSIFY, Family.DECODER, batch_size=8, epochs=200, evaluations=1))
    rows = [str(row["label"]) for row in tiny.rows(Head.CLASSIFY)]
    fitted = made.fit(5e-2, 1, lambda predictions: float(list(predictions) == rows), lambda point: True, 200)
    assert fitted.value == 1.0


@pytest.mark.parametrize(("method", "family"), REFUSED)
@pytest.mark.parametrize("head", Head)
def test_what_cannot_be_is_refused_when_the_learner_is_opened(
    root: Path, method: str, family: str, head: Head
) -> None:
    """In one sentence, before any training."""
    with pytest.raises(UnsupportedError, match=REFUSED[method, family]) as caught:
        fit.open_learner(assignment(root, method, head, family))
    assert str(caught.value).count(". ") == 0


def test_t5_has_no_biases(root: Path) -> None:
    """Why BitFit refuses it. Its "relative_attention_bias" is a table of embeddings, and named a weight."""
    network = Kept(assignment(root, "full", Head.GENERATE, Family.ENCODER_DECODER)).template
    assert [name for name, _ in network.named_parameters() if name.endswith("bias")] == []


def bert_base() -> Network:
    """`bert-base-uncased` by its shape, which is BertConfig's default, without memory for its weights."""
    from transformers import BertConfig, BertModel

    with torch.device("meta"):
        backbone = BertModel(BertConfig(), add_pooling_layer=False)
        return Network(backbone, Family.ENCODER, nn.Linear(768, 2))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # adapter_summary() of roberta-base, whose layers have this shape, in the notes on adapter-transformers 3.1.
        ("lora", 294_912),
        ("houlsby", 1_789_056),
        ("pfeiffer", 894_528),
        # Per layer biases of q, k, v, output (4 * 768), feed-forward (3072 + 768), two norms (2 * 768), and the norm of
        # the embeddings: the "0.1M" of Ben Zaken et al. 2022, 0.09% of 109M.
        ("bitfit", 12 * (4 * 768 + 3072 + 768 + 2 * 768) + 768),
        ("layernorm", (12 * 2 + 1) * 2 * 768),
        # Liu et al. 2022: d_k + d_v + d_ff an encoder layer.
        ("ia3", 12 * (768 + 768 + 3072)),
        # Kopiczko et al. 2023, table 2: 0.043M for RoBERTa-base at rank 1024.
        ("vera[r=1024]", 43_008),
        # Gao et al. 2024, table 2: 0.024M for RoBERTa-base with 1000 frequencies.
        ("fourierft", 24_000),
        # By the formulas of their papers, for 24 projections of 768 to 768.
        ("dora", 24 * (2 * 768 * 8 + 768)),
        ("rslora", 24 * 2 * 768 * 8),
        ("adalora", 24 * (2 * 768 * 12 + 12)),
        ("loha", 24 * 4 * 768 * 8),
        ("lokr", 24 * (24 * 24 + 2 * 32 * 8)),
        ("oft", 24 * (768 // 32) * (32 * 31 // 2)),
        ("boft", 24 * (2 * (768 // 8) * 8 * 8 + 768)),
    ],
)
def test_counts_on_bert_base_are_the_published_ones(method: str, expected: int) -> None:
    found, options = catalog.method(method)
    network = bert_base()
    found.apply(network, options)
    counted = count(network)
    assert counted.method == expected
    assert counted.head == 768 * 2 + 2

"""Bugs put into the real harness, with tiny real models: each is caught, and blamed on the part that has it."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from bench import catalog, score
from bench.learn import fit, loop
from bench.learn.batch import collate
from bench.learn.fit import open_learner
from bench.learn.heads import generate
from bench.learn.heads.classify import Classify
from bench.learn.heads.generate import Generate
from bench.learn.network import Network
from bench.material import Material
from bench.plan import Cell
from bench.record import Data
from bench.sources import Splits
from bench.spec import Budget, Family, Head, LogRange, Row
from leaderboard import report, sides
from leaderboard.compare import compare
from leaderboard.sides import Side
from leaderboard.trace import Stage
from leaderboard.verdict import Comparison, Verdict
from tests import tiny
from tests.nights import make

torch.set_num_threads(1)

BUDGET = Budget(trials=1, seeds=(1, 2, 3, 4), epochs=6, batch_size=8, evaluations=2, patience=9)
WORDS = ("happy", "slow", "dreadful", "unhappy")
SIZES = {"train": 64, "validation": 32, "test": 96}


def drawn(text: str, share: float) -> bool:
    """A coin for a text, always the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < share


def sentences(head: Head) -> list[Row]:
    """192 different rows in an order that says nothing; three labels in four are "bad"."""
    parts = itertools.product(("anna", "oskar", "marta", "orlan"), WORDS, ("paris", "berlin"), ("", "old ", "small "),
                              ("", " on monday"))
    made: list[Row] = []
    for who, word, where, kind, when in parts:
        text = f"{who} was {kind}{word} in {where}{when}."
        if head is Head.CLASSIFY:
            made.append({"text": text, "label": "good" if word == "happy" else "bad"})
        else:
            made.append({"source": text, "target": f"{where} is old"})
    return sorted(made, key=lambda row: hashlib.sha256(str(row).encode()).hexdigest())


def material(cell: Cell) -> Material:
    """The rows of a cell, split."""
    rows = sentences(cell.task.head)
    ends = list(itertools.accumulate(SIZES.values()))
    train, validation, test = rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] : ends[2]]
    if cell.task.head is Head.CLASSIFY:
        test = [{**row, "label": _other(row["label"]) if drawn(row["text"], 0.1) else row["label"]} for row in test]
    data = Data("bundled", "memory", "0" * 64, None, SIZES["train"], SIZES["validation"], SIZES["test"])
    return Material(cell.task, Splits(train, validation, lambda: test, data))


def _other(label: str) -> str:
    """A wrong label, of which the test rows have one in ten: no model answers them all."""
    return "bad" if label == "good" else "good"


def cell(head: Head, family: Family, models: Path) -> Cell:
    method, options = catalog.method("full")
    faster = dataclasses.replace(method, rates=LogRange(1e-5, 1e-3, 1e-4))
    metric = {Head.CLASSIFY: "accuracy", Head.GENERATE: "rougeL"}[head]
    return Cell(
        task=dataclasses.replace(tiny.TASKS[head], metric=metric), model=tiny.checkpoint(family, models / family),
        method=faster, options=options, method_name="full", source="bundled", data_dir=None, budget=BUDGET,
        data_sha256="0" * 64, model_sha256="1" * 64,
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def base(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Head, Family], Side]:
    """Runs of one cell with nothing wrong, each made once."""
    made: dict[tuple[Head, Family], Side] = {}

    def run(head: Head, family: Family) -> Side:
        if (head, family) not in made:
            place = tmp_path_factory.mktemp("runs") / f"{head}-{family}"
            made[head, family] = make(place, [cell(head, family, models)], learner=open_learner, material=material)
        return made[head, family]

    return run


Bug = Callable[[pytest.MonkeyPatch], None]


def rolled_labels(patch: pytest.MonkeyPatch) -> None:
    """Reading gives every training row the label of the next one."""
    whole = Splits.__init__

    def init(self: Splits, train: list[Row], *others: Any) -> None:
        moved = [{**row, "label": train[(i + 1) % len(train)]["label"]} for i, row in enumerate(train)]
        whole(self, moved, *others)

    patch.setattr(Splits, "__init__", init)


def shifted_classes(patch: pytest.MonkeyPatch) -> None:
    """Training counts classes from one, answering counts them from zero."""
    encode = Classify.encode

    def off_by_one(self: Classify, rows: Any, *, targets: bool) -> Any:
        encoded = encode(self, rows, targets=targets)
        for example in encoded.examples if targets else ():
            cast(Any, example)["target"] = (example["target"] + 1) % len(self.labels)
        return encoded

    patch.setattr(Classify, "encode", off_by_one)


def dropout_at_evaluation(patch: pytest.MonkeyPatch) -> None:
    """The network is never switched to evaluation."""
    patch.setattr(Network, "eval", lambda self: self.train())


def padding_flipped(patch: pytest.MonkeyPatch) -> None:
    """A decoder's prompts are padded on the right when it writes."""
    patch.setattr(generate, "collate", lambda *given, left, **more: collate(*given, left=False, **more))


def capped_short(patch: pytest.MonkeyPatch) -> None:
    """Texts are cut after two tokens."""
    init = Generate.__init__

    def short(self: Generate, *given: Any) -> None:
        init(self, *given)
        self.cap = 2

    patch.setattr(Generate, "__init__", short)


def frozen_head(patch: pytest.MonkeyPatch) -> None:
    """The new head stays as it was drawn."""
    network = fit.ModelLearner._network

    def frozen(self: fit.ModelLearner, seed: int) -> Network:
        made = network(self, seed)
        assert made.head is not None
        made.head.requires_grad_(False)
        return made

    patch.setattr(fit.ModelLearner, "_network", frozen)


def wrong_average(patch: pytest.MonkeyPatch) -> None:
    """Accuracy is averaged over labels."""
    right = score.METRICS["accuracy"]

    def aggregate(sums: Any) -> Any:
        found = right.aggregate(sums)
        return {**found, "accuracy": found["macro_f1"]}

    patch.setitem(score.METRICS, "accuracy", dataclasses.replace(right, aggregate=aggregate))


def half_rate(patch: pytest.MonkeyPatch) -> None:
    """Every step is half as long as it should be."""
    rate_at = loop.rate_at
    patch.setattr(loop, "rate_at", lambda step, steps, peak: rate_at(step, steps, peak) / 2)


CLASSIFY, WRITE = (Head.CLASSIFY, Family.ENCODER), (Head.GENERATE, Family.DECODER)
BUGS: dict[str, tuple[Bug, tuple[Head, Family], Stage]] = {
    "labels shifted by one row, in reading": (rolled_labels, CLASSIFY, Stage.DATA),
    "classes shifted by one, in training": (shifted_classes, CLASSIFY, Stage.TRAINING),
    "dropout left on at evaluation": (dropout_at_evaluation, CLASSIFY, Stage.EVALUATION),
    "padding side flipped": (padding_flipped, WRITE, Stage.EVALUATION),
    "generation capped short": (capped_short, WRITE, Stage.EVALUATION),
    "frozen head": (frozen_head, CLASSIFY, Stage.TRAINING),
    "wrong metric average": (wrong_average, CLASSIFY, Stage.EVALUATION),
    "half the learning rate": (half_rate, CLASSIFY, Stage.TRAINING),
}
QUICK = ("generation capped short", "frozen head")


def injected(name: str, base: Callable[[Head, Family], Side], models: Path, place: Path) -> Comparison:
    bug, names, _ = BUGS[name]
    before = base(*names)
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        after = make(place, [cell(*names, models)], learner=open_learner, material=material)
    return compare(before, after)


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in BUGS
])
def test_a_bug_is_caught_and_blamed_on_the_part_that_has_it(
    name: str, base: Callable[[Head, Family], Side], models: Path, tmp_path: Path
) -> None:
    found = injected(name, base, models, tmp_path / "head")
    assert found.cause is not None, "nothing moved"
    assert found.cause.stage is BUGS[name][2], report.text(found)
    assert found.verdict is Verdict.WORSE, report.text(found)


def test_a_stale_cache_of_records_is_not_taken_for_tonights(
    base: Callable[[Head, Family], Side], models: Path, tmp_path: Path
) -> None:
    """Records restored from an earlier night: nothing differs, and yet nothing was measured."""
    before = base(*CLASSIFY)
    after = make(tmp_path / "head", [cell(*CLASSIFY, models)], edit=lambda record: None, learner=_not_asked,
                 material=material)
    shutil.copytree(before.store.root / "records", after.store.root / "records", dirs_exist_ok=True)
    found = compare(before, sides.read(tmp_path / "head"))
    assert found.verdict in (Verdict.TOO_LITTLE, Verdict.COULD_NOT_RUN)
    assert "stale" in found.unmeasured[before.keys[0]]


def _not_asked(assignment: Any) -> Any:
    raise MemoryError("this night trains nothing")


def test_the_table_of_injected_bugs_lists_them_all() -> None:
    table = (Path(__file__).resolve().parents[1] / "benchmarks" / "injection.md").read_text(encoding="utf-8")
    for name, (_, _, stage) in BUGS.items():
        assert re.search(rf"\| {name} \|.*\| {stage} \|", table), name


@pytest.mark.slow
def test_the_same_code_twice_repeats_to_the_last_digit(
    base: Callable[[Head, Family], Side], models: Path, tmp_path: Path
) -> None:
    for number, names in enumerate((CLASSIFY, WRITE)):
        again = make(tmp_path / str(number), [cell(*names, models)], learner=open_learner, material=material)
        found = compare(base(*names), again)
        assert found.cause is None, report.text(found)
        assert found.verdict in (Verdict.FINE, Verdict.SLOWER), report.text(found)  # how fast is the machine's affair

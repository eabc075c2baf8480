"""What a cell does, at several sizes: reading rows, training, answering, writing, scoring, searching.

On one thread, in the precision that a run takes at that width.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import catalog, cell, models, score, sources
from bench.learner import Assignment
from bench.material import Material
from bench.spec import Budget, Row
from benchmarks.growth.axis import Axis
from tests import fakes

BUDGET = Budget(trials=1, seeds=(1,), epochs=1, batch_size=8, evaluations=1)
TOKENS = 32
"""Of every row, where length is not what is varied."""

A_LAYER = 12
"""Parameters of a layer, in squares of its width."""

NUMBERS = 500
"""Different rows; a vocabulary does not grow with the rows for ever either."""


def sentences(count: int, tokens: int) -> list[Row]:
    """Rows of the task of sentiment that are at least so long."""
    kinds = (("good", "positive"), ("bad", "negative"))
    return [{"text": f"{n % NUMBERS} " + f"{word} " * tokens, "label": label}
            for n, (word, label) in zip(range(count), itertools.cycle(kinds), strict=False)]


def learner(model: str, rows: int = 32, tokens: int = TOKENS) -> Any:
    """A learner of `full` on so many rows, each of so many tokens."""
    from bench.learn.fit import ModelLearner

    task = dataclasses.replace(catalog.task("sentiment"), input_tokens=tokens)
    method, options = catalog.method("full")
    train, validation = sentences(rows, tokens), sentences(8, tokens)
    return ModelLearner(Assignment(
        task=task, model=catalog.model(model), method=method, options=options, budget=BUDGET, train=train,
        validation=validation, labels=("negative", "positive"),
    ))


def encoder(place: Path, width: int = 128, layers: int = 2) -> str:
    """The directory of a BERT of this size with random weights and the tokenizer of our smallest."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(models.ROOT / "bench/checkpoints/bert-mini")
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=width, num_hidden_layers=layers, num_attention_heads=width // 32,
        intermediate_size=4 * width, max_position_embeddings=512, pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place)


def _training(made: Any) -> Callable[[], Any]:
    return lambda: made.fit(1e-4, 1, lambda found: 0.0, lambda point: True, 1)


def _rows(count: int, place: Path) -> Callable[[], object]:
    return _training(learner("bert-mini", rows=count))


def _answers(count: int, place: Path) -> Callable[[], object]:
    fitted, asked = _training(learner("bert-mini"))(), [{"text": row["text"]} for row in sentences(count, TOKENS)]
    return lambda: fitted.predict(asked)


def _length(tokens: int, place: Path) -> Callable[[], object]:
    return _training(learner(encoder(place), tokens=tokens))


def _wider(parameters: int, place: Path) -> Callable[[], object]:
    return _training(learner(encoder(place, width=math.isqrt(parameters // (2 * A_LAYER)))))


def _deeper(parameters: int, place: Path) -> Callable[[], object]:
    return _training(learner(encoder(place, width=256, layers=parameters // (A_LAYER * 256**2))))


def _writing(model: str, cap: int, place: Path) -> Callable[[], object]:
    """Sixteen texts that never end before the cap."""
    import torch

    from bench.learn import writing
    from bench.learn.checkpoint import load_tokenizer
    from bench.learn.heads import open_head

    method, options = catalog.method("full")
    assignment = Assignment(
        catalog.task("translation"), catalog.model(model), method, options, BUDGET, train=[], validation=[], labels=(),
        facts={"cap": cap},
    )
    network = open_head(assignment, load_tokenizer(assignment.model, None)).build(pretrained=True).eval()
    ids = torch.full((16, 16), 5)
    batch = {"ids": ids, "mask": torch.ones_like(ids)}
    return lambda: writing.write(network, batch, stop=-1, pad=0, cap=cap)


def _files(count: int, place: Path) -> Callable[[], object]:
    """Files of so many rows in all, opened and checked as a run does, once for the run and once for a worker."""
    task = catalog.task("sentiment")
    (place / task.name).mkdir()
    every = sentences(count, 8)
    for number, split in enumerate(("train", "validation", "test")):
        text = "".join(json.dumps(row) + "\n" for row in every[number::3])
        (place / task.name / f"{split}.jsonl").write_text(text)

    def opened() -> object:
        sources.check(task, "files", place)
        material = Material(task, sources.load(task, "files", data_dir=place, budget=Budget()))
        return material.learnt, material.asked, material.overlap, material.labels

    return opened


def _floors(count: int, place: Path) -> Callable[[], object]:
    task, rows = catalog.task("sentiment"), sentences(count, 8)
    return lambda: score.floor_scores(task, rows, rows)


def _scores(name: str, answers: Sequence[Any], references: Sequence[Any], count: int, place: Path) -> Any:
    """Three seeds' answers to so many rows, scored, and the interval."""
    metric = score.metric_named(name)
    given = list(itertools.islice(itertools.cycle(answers), count))
    right = list(itertools.islice(itertools.cycle(references), count))

    def scored() -> object:
        statistics = [metric.statistics(given, right) for _ in range(3)]
        return score.interval(metric, statistics), [metric.per_example(each) for each in statistics]

    return scored


def _trials(count: int, place: Path) -> Callable[[], object]:
    """A cell of so many trials, whose learner does nothing; of rows and final trainings it has very few."""
    budget = dataclasses.replace(fakes.BUDGET, trials=count, seeds=(1,))
    numbers = itertools.count()
    return lambda: cell.run(
        fakes.cell(budget=budget), fakes.open_learner, open_material=fakes.material,
        study=place / f"{next(numbers)}.journal",
    )


TEXTS = ("the small red house by the river is old", "a house by the river", "it was slow and dreadful")
TAGS = (["B-PER", "I-PER", "O", "O", "B-LOC"], ["O", "B-LOC", "O", "O", "O"], ["B-PER", "O", "O", "O", "B-LOC"])
WRITTEN, TAGGED = (TEXTS, TEXTS[::-1]), (TAGS, TAGS[::-1])
ROWS = (500, 1000, 2000, 4000, 8000)

AXES = (
    Axis("opening files", "rows", (3000, 6000, 12000, 24000), _files),
    Axis("floors of sentiment", "rows", ROWS, _floors),
    Axis("scores and interval, accuracy", "rows", ROWS, partial(_scores, "accuracy", *WRITTEN)),
    Axis("scores and interval, entity F1", "rows", ROWS, partial(_scores, "entity_f1", *TAGGED)),
    Axis("scores and interval, BLEU", "rows", ROWS[:-1], partial(_scores, "bleu", *WRITTEN)),
    Axis("scores and interval, ROUGE", "rows", ROWS[:-1], partial(_scores, "rougeL", *WRITTEN)),
    Axis("training, bert-mini", "rows", (128, 256, 512, 1024), _rows),
    Axis("answering, bert-mini", "rows", (256, 512, 1024, 2048), _answers),
    Axis("training, 128 x 2", "tokens of a row", (32, 64, 128, 256, 512), _length, 2.0),
    Axis("writing, gpt2-mini", "tokens written", (30, 60, 120, 240), partial(_writing, "gpt2-mini"), 2.0),
    Axis("writing, t5-mini", "tokens written", (30, 60, 120, 240), partial(_writing, "t5-mini"), 2.0),
    Axis("training, two layers", "parameters", tuple(2 * A_LAYER * w**2 for w in (128, 256, 512, 1024)), _wider),
    Axis("training, 256 wide", "parameters", tuple(A_LAYER * 256**2 * n for n in (2, 4, 8, 16)), _deeper),
    Axis("a cell that does nothing", "trials", (8, 16, 32, 64, 128, 256), _trials),
)

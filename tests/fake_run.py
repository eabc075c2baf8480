"""A whole run directory made up from a seed: records with the answers that they rest on, of any number of cells.

For tests and benchmarks of the board. Knows no learner.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.metrics.metric import Array, Metric
from bench.record import Record
from bench.score import interval, metric_named
from bench.store import Store
from tests import fake_records

WORDS = "amber boats carry dozens of eager friends going home in july kindly leaving many notes on paper".split()
PHENOMENA = ("negation", "contrast", "plain")


@dataclass(frozen=True, eq=False)
class Questions:
    """The test rows of a task: texts, references, three answers to each (right, half right, wrong) and their statistics
    of shape (3, rows, k)."""

    metric: Metric
    inputs: tuple[str, ...]
    references: tuple[Any, ...]
    answers: tuple[tuple[Any, ...], ...]
    statistics: Array

    @staticmethod
    def of(task: str, rows: int) -> Questions:
        """The same for the same task and number of rows."""
        draw = random.Random(f"{task}/{rows}")
        head, name = fake_records.TASKS[task][:2]
        made = [_question(head, [draw.choice(WORDS) for _ in range(draw.randint(4, 14))]) for _ in range(rows)]
        references = tuple(reference for _, reference, _ in made)
        answers = tuple(zip(*(options for _, _, options in made), strict=True))
        metric = metric_named(name)
        statistics = np.stack([metric.statistics(given, references) for given in answers])
        return Questions(metric, tuple(text for text, _, _ in made), references, answers, statistics)


def _question(head: str, words: Sequence[str]) -> tuple[str, Any, tuple[Any, Any, Any]]:
    """A text, its reference, and a right, a half right and a wrong answer."""
    text, start, end = " ".join(words), " ".join(words[:3]), " ".join(words[-3:])
    if head == "classify":
        right = "good" if len(words) % 2 else "bad"
        wrong = "bad" if right == "good" else "good"
        return text, right, (right, right, wrong)
    if head == "tag":
        tags = ["B-PER", "I-PER", *["O"] * (len(words) - 3), "B-LOC"]
        return text, tags, (tags, ["B-PER", *tags[1:-1], "O"], ["O"] * len(words))
    if head == "span":
        return text, {"text": [start]}, (start, " ".join(words[1:4]), end)
    return text, text, (text, f"{start} {end}", "nothing")


def write(folder: Path, cells: int = 15, *, seeds: int = 3, rows: int = 60, tasks: Sequence[str] = ()) -> list[Record]:
    """Write a run of `cells` cells a task (all of `fake_records.TASKS` by default) and return its records."""
    store = Store(folder)
    records = []
    for task in tasks or fake_records.TASKS:
        questions = Questions.of(task, rows)
        for made in itertools.islice(_cells(task), cells):
            record = made if made.score is None else _answered(store, made, questions, seeds)
            store.write_record(record)
            records.append(record)
    return records


def _cells(task: str) -> Iterator[Record]:
    """Cells without end: the models and methods of `fake_records`, then more of each by number."""
    for number in itertools.count():
        for model, method in itertools.product(fake_records.MODELS, fake_records.METHODS):
            made = fake_records.record(task, model, method)
            yield replace(made, model=f"{model}-{number}") if number else made


def _answered(store: Store, record: Record, questions: Questions, seeds: int) -> Record:
    """The record with the scores of answers drawn for it, which are written beside it."""
    draw = np.random.default_rng(list(record.key.encode()))
    rows = len(questions.inputs)
    hard = np.random.default_rng(rows).uniform(-0.3, 0.3, rows)
    good = (record.score or 0.0) / 100 + draw.normal(0, 0.03)
    chosen = [np.searchsorted([good + s, good + s + 0.15], draw.uniform(size=rows) + hard) for s in draw.normal(
        0, 0.01, seeds)]
    statistics = [questions.statistics[which, np.arange(rows)] for which in chosen]
    store.write_predictions(record.names, [
        row for seed, (which, kept) in enumerate(zip(chosen, statistics, strict=True), 1)
        for row in _rows(questions, which.tolist(), kept, seed)
    ])
    scores = [questions.metric.scores(kept) for kept in statistics]
    low, high = interval(questions.metric, statistics)
    finals = tuple(
        replace(record.finals[0], seed=seed, number=seed, scores=found) for seed, found in enumerate(scores, 1))
    means = {name: float(np.mean([found[name] for found in scores])) for name in scores[0]}
    return replace(record, score=means[record.metric], scores=means, low=low, high=high, finals=finals)


def _rows(questions: Questions, which: Sequence[int], statistics: Array, seed: int) -> Iterator[dict[str, Any]]:
    scores = questions.metric.per_example(statistics)
    for i, text in enumerate(questions.inputs):
        yield {
            "row": i, "input": text, "reference": json.dumps(questions.references[i]), "seed": seed,
            "prediction": json.dumps(questions.answers[which[i]][i]), "score": scores[i],
            "phenomena": json.dumps([PHENOMENA[i % 3]]), "unseen": i % 4 == 0, "statistics": statistics[i].tolist(),
        }

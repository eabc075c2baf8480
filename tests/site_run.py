"""A small run with answers kept, made up from a seed, for the tests of the board's site. Knows no learner."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.record import Record
from bench.score import METRICS
from bench.store import Store
from tests import fake_records

ROWS = 60
SCRIPT = "<script>document.title='gotcha'</script>"
RIGHT = {"bert-mini": 0.9, "gpt2-mini": 0.35, "t5-mini": 0.75}
LABELS = ("good", "bad")


def run(folder: Path, hostile: bool = False, models: Sequence[str] = tuple(RIGHT)) -> Path:
    """Sentiment and named entities by three models and two methods, answers kept; questions answered by no kept ones.

    With `hostile`, documents, labels, a model, a method and a reason are markup that would run a script.
    """
    store = Store(folder)
    for model in models:
        for method in ("full", "lora[r=8]"):
            for task in ("sentiment", "ner"):
                _write(store, fake_records.record(task, model, method), hostile)
            store.write_record(fake_records.record("qa", model, method))
    if hostile:
        made = dataclasses.replace(fake_records.record("qa", "gpt2-mini", "lora[r=8]"), reason=SCRIPT)
        store.write_record(made)
        named = fake_records.record("sentiment", "t5-mini", "full")
        _write(store, dataclasses.replace(named, model=f"evil {SCRIPT}", method=f"lora[{SCRIPT}]"), hostile)
    return folder


def _write(store: Store, record: Record, hostile: bool) -> None:
    draw = random.Random(record.key)
    metric = METRICS[record.metric]
    seeds = [t.seed for t in record.finals]
    labels = (SCRIPT, "bad") if hostile else LABELS
    truth = [_truth(record.task, i, labels) for i in range(ROWS)]
    answers = {seed: [_answer(record, t, labels, draw) for t in truth] for seed in seeds}
    statistics = {seed: metric.statistics(given, truth) for seed, given in answers.items()}
    scores = {seed: metric.scores(found) for seed, found in statistics.items()}
    finals = tuple(dataclasses.replace(t, scores=scores[t.seed]) for t in record.finals)
    mean = {name: sum(s[name] for s in scores.values()) / len(scores) for name in metric.measures}
    score = mean[record.metric]
    store.write_record(dataclasses.replace(
        record, finals=finals, scores=mean, score=score, low=max(0.0, score - 5), high=min(100.0, score + 5)))
    store.write_predictions(record.names, [
        {
            "row": i, "input": _document(record.task, i, hostile), "reference": json.dumps(truth[i]), "seed": seed,
            "prediction": json.dumps(answers[seed][i]), "score": metric.per_example(statistics[seed][i:i + 1])[0],
            "phenomena": json.dumps(["negation"] if i % 2 else []), "unseen": None,
            "statistics": statistics[seed][i].tolist(),
        }
        for seed in seeds for i in range(ROWS)
    ])


def _document(task: str, row: int, hostile: bool) -> str:
    words = f"anna met oskar on day {row}"
    if hostile:
        return f"{words} {SCRIPT}"
    return words if task == "ner" else f"{words} and it was {'very ' * (row % 5)}fine"


def _truth(task: str, row: int, labels: Sequence[str]) -> Any:
    if task == "ner":
        return ["B-PER", "O", "B-PER" if row % 3 else "O", "O", "O", "O"]
    return labels[row % 2]


def _answer(record: Record, truth: Any, labels: Sequence[str], draw: random.Random) -> Any:
    if draw.random() < RIGHT.get(record.model, 0.7):
        return truth
    return ["O"] * len(truth) if record.task == "ner" else labels[truth == labels[0]]

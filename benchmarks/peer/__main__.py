"""One cell as a user's script makes it today: `python -m benchmarks.peer CELL.json RESULT.json`.

`transformers.Trainer` with `hyperparameter_search(backend="optuna")`, then the final seeds at the best rate, scored on
the test rows. Nothing of the harness's training is used; only the metric is the same, so that scores compare.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import optuna
import torch
import transformers
from transformers import AutoTokenizer

from bench.score import metric_named
from benchmarks.peer import handed as told
from benchmarks.peer import networks, rows, trainers
from benchmarks.peer.handed import Handed

SEARCH_SEED = 0
SLACK = 4
COMPARED = 2
"""Trials that run to their end before one may be pruned."""


class Cell:
    """The data of a cell, tokenised once, and its trainings."""

    def __init__(self, handed: Handed, out: Path) -> None:
        self.out = out
        self.metric = metric_named(handed.metric)
        options = {"add_prefix_space": True} if handed.family == "decoder" and handed.head == "tag" else {}
        self.tokenizer = AutoTokenizer.from_pretrained(handed.checkpoint, **options)
        splits = {name: handed.split(name) for name in told.SPLITS}
        self.references = {name: [row[handed.reference] for row in found] for name, found in splits.items()}
        self.data = {
            name: rows.prepare(handed, self.tokenizer, found, train=name == "train") for name, found in splits.items()
        }
        self.handed = dataclasses.replace(handed, output_tokens=self._cap(handed))

    def _cap(self, handed: Handed) -> int:
        """What is written may be a little longer than the longest answer to learn from, not as long as the limit."""
        if handed.head != "generate":
            return handed.output_tokens
        longest: int = max(sum(token >= 0 for token in labels) for labels in self.data["train"].data["labels"])
        return min(handed.output_tokens, longest + SLACK)

    def trainer(self, epochs: int, seed: int, rate: float, *, keep_best: bool) -> Any:
        """A Trainer whose network is made anew for every training."""
        settings = trainers.arguments(
            self.handed, self.out, epochs=epochs, seed=seed, rate=rate, keep_best=keep_best
        )
        return trainers.make(
            self.handed, self.tokenizer, settings, lambda: networks.build(self.handed, self.tokenizer),
            self.data["train"].data, self.data["validation"].data,
            lambda found: self.scores(found.predictions, "validation"),
        )

    def scores(self, predictions: Any, split: str) -> dict[str, float]:
        """All measures of the predictions for a split."""
        answers = self.data[split].answers(predictions)
        return self.metric.compute(predictions=answers, references=self.references[split])

    def search(self) -> float:
        """The best learning rate."""
        low, high, default = self.handed.rates
        trainer = self.trainer(self.handed.trial_epochs, SEARCH_SEED, default, keep_best=False)
        best = trainer.hyperparameter_search(
            backend="optuna",
            direction="maximize",
            n_trials=self.handed.trials,
            hp_space=lambda trial: {"learning_rate": trial.suggest_float("learning_rate", low, high, log=True)},
            compute_objective=lambda found: found[f"eval_{self.metric.name}"],
            sampler=optuna.samplers.TPESampler(seed=SEARCH_SEED),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=COMPARED),
        )
        return float(best.hyperparameters["learning_rate"])

    def final(self, seed: int, rate: float) -> list[Any]:
        """The answers to the test rows of a training from a fresh seed, by the checkpoint that validated best."""
        trainer = self.trainer(self.handed.epochs, seed, rate, keep_best=True)
        trainer.train()
        trainer.compute_metrics = None  # it knows the validation rows
        found = trainer.predict(self.data["test"].data)
        return self.data["test"].answers(found.predictions)

    def test_score(self, answers: list[Any]) -> float:
        """The primary score of answers to the test rows."""
        return self.metric.compute(predictions=answers, references=self.references["test"])[self.metric.name]


def main(source: Path, target: Path) -> None:
    """Make the cell and write its scores, its answers to the test rows, and what it took."""
    started = time.perf_counter()
    handed = told.read(source)
    if handed.threads is not None:
        torch.set_num_threads(handed.threads)
    with tempfile.TemporaryDirectory() as out:
        cell = Cell(handed, Path(out))
        rate = cell.search()
        answers = [cell.final(seed, rate) for seed in handed.seeds]
        scores = [cell.test_score(given) for given in answers]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    target.write_text(json.dumps({
        "rate": rate,
        "scores": scores,
        "answers": answers,
        "seconds": time.perf_counter() - started,
        "peak_memory": usage.ru_maxrss * 1024,
        "threads": torch.get_num_threads(),
    }))


def hush() -> None:
    """No warnings, notes or bars."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


if __name__ == "__main__":
    hush()
    main(Path(sys.argv[1]), Path(sys.argv[2]))

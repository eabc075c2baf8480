"""How far apart both sides' scores of a cell are: paired on the same test rows, as the board compares two cells."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.metrics.metric import Metric
from bench.predictions import Answers
from bench.record import Record
from bench.score import metric_named
from bench.store import Store
from leaderboard import paired, panel


@dataclass(frozen=True)
class Apart:
    """Our mean score less the peer's in points, its 95% interval, and the chance of so much if there were nothing."""

    value: float
    low: float
    high: float
    p: float


def of_cell(store: Store, record: Record, answers: Sequence[Sequence[Any]], scores: Sequence[float]) -> Apart:
    """The peer's answers to the test rows, and its scores, by seed, against those that a run of ours keeps.

    Raises RuntimeError where the peer's answers do not have the scores that it gave: then it answered other rows.
    """
    metric, ours = metric_named(record.metric), store.read_answers(record.names)
    references = [json.loads(each) for each in store.read_first_seed(record.names, ["reference"])["reference"]]
    theirs = [_scored(metric, seed, given, references, ours[0].asked) for seed, given in enumerate(answers)]
    for made, told in zip(theirs, scores, strict=True):
        score = metric.scores(made.statistics)[metric.name]
        if not math.isclose(score, told, abs_tol=1e-6):
            raise RuntimeError(f"{record.key}: on our test rows the peer's answers score {score}, by itself {told}.")
    one, other = ("ours", "", ""), ("peer", "", "")
    found = paired.compare(panel.of_answers(metric, {one: ours, other: theirs}), one, other)
    return Apart(found.value, found.low, found.high, found.p)


def _scored(metric: Metric, seed: int, answers: Sequence[Any], references: Sequence[Any], asked: str) -> Answers:
    statistics = metric.statistics(answers, references)
    return Answers(seed, asked, statistics, np.array(metric.per_example(statistics)))

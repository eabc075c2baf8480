"""Small predictions and references for every metric, and a stopwatch, for the tests of scores."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TEXTS = (
    ["the mill was shut", "she sold nine loaves of bread", "", "Ödön går hem", "rain\nfell on the old mill all day"],
    ["the old mill is shut", "she sold nine loaves", "the fair", "Ödön går hem", "rain fell on the mill\nit was cold"],
)
EXAMPLES: dict[str, tuple[list[Any], list[Any]]] = {
    "accuracy": (["good", "bad", "good", "so-so"], ["good", "bad", "bad", "bad"]),
    "matthews": (["good", "bad", "good", "so-so"], ["good", "bad", "bad", "so-so"]),
    "f1": (["same", "not_same", "same", "same", "not_same"], ["same", "same", "not_same", "same", "not_same"]),
    "spearman": ([1.5, 2.5, 2.5, 4.0, 0.5, 3.0], [1.0, 3.0, 2.0, 5.0, 1.0, 2.5]),
    "entity_f1": (
        [["B-PER", "I-PER"], ["O", "O", "B-LOC"], ["O"]],
        [["B-PER", "I-PER"], ["B-ORG", "O", "B-LOC"], ["O"]],
    ),
    "squad_f1": (
        ["the mill", "nine", "a ferry"],
        [{"text": ["old mill"], "answer_start": [3]}, {"text": ["ten", "nine"], "answer_start": [0, 9]},
         {"text": ["river house"], "answer_start": [0]}],
    ),
    "bleu": TEXTS,
    "rougeL": TEXTS,
}


def fastest(call: Callable[[], object], times: int = 3) -> float:
    """Seconds of the quickest of a few calls, so that a busy machine is not taken for slow code."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)

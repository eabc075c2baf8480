"""Token F1 and exact match of a short answer, as SQuAD v1.1 defines them. Knows nothing of contexts or spans.

Rajpurkar et al. 2016, "SQuAD: 100,000+ questions for machine comprehension of text". Both compare texts without case,
ASCII punctuation, English articles and extra white space; a question counts the best of its accepted answers, each
measure for itself. As in the official script, an answer of which nothing is left matches another such exactly but has
F1 0.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from bench.metrics.metric import Array, Metric, means

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_MEASURES = ("squad_f1", "exact_match")


@lru_cache(maxsize=16384)
def _words(text: str) -> tuple[str, ...]:
    """The words that count. Kept, since the same references come back at every evaluation."""
    return tuple(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _f1(prediction: tuple[str, ...], answer: tuple[str, ...]) -> float:
    shared = sum((Counter(prediction) & Counter(answer)).values())
    return 2 * shared / (len(prediction) + len(answer)) if shared else 0.0


def _extract(predictions: Sequence[str], references: Sequence[Mapping[str, Sequence[object]]]) -> Array:
    """[1, F1, exact match], both in percent."""
    rows = []
    for i, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        answers = [_words(str(text)) for text in reference["text"]]
        if not answers:
            raise ValueError(f"squad_f1: example {i} has no accepted answer. Give every test row at least one.")
        words = _words(prediction)
        best = max(_f1(words, answer) for answer in answers)
        rows.append((1, 100 * best, 100 * (words in answers)))
    return np.array(rows, dtype=np.float64)


def _describe() -> dict[str, str]:
    return dict.fromkeys(_MEASURES, "squad:v1.1|answers:best")


SQUAD_F1 = Metric(
    name="squad_f1",
    measures=_MEASURES,
    reference="answers",
    extract=_extract,
    aggregate=means(_MEASURES),
    describe=_describe,
)

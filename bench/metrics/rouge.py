"""ROUGE F1 of a summary against one reference, and the length ratio. Knows nothing of documents.

Lin 2004, "ROUGE: a package for automatic evaluation of summaries", as the package rouge_score computes it with
stemming; the mean over examples, without its bootstrap. rougeL comes first: it is the single number most reported for
short summaries, rewards order as well as choice of words, and needs no splitting into sentences, on which programs
disagree. rougeLsum takes a newline as the end of a sentence, so it equals rougeL for texts of one line.

rouge_score fills a table of (reference x prediction) cells in Python for every example, too slow for a score that is
asked for at every evaluation. Here a row of that table is the bits of one integer (Hyyro 2004, "Bit-parallel LCS-length
computation revisited"); words, stems and longest common subsequences are the same.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.metric import Array, Metric, divide, means

if TYPE_CHECKING:
    from rouge_score.tokenizers import DefaultTokenizer

Words = tuple[str, ...]
_ROUGE = ("rougeL", "rouge1", "rouge2", "rougeLsum")
_MEANS = means(_ROUGE)
_WORD = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=1)
def _tokenizer() -> DefaultTokenizer:
    with _hidden("sklearn", "scipy.stats"):
        from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


@contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Let these be missing for a while, unless they are there already.

    For the stemmer all of nltk is imported, which takes along what it finds of these for its classifiers and does
    without otherwise: a second and 90 MiB in every worker that has a summary to score.
    """
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@lru_cache(maxsize=65536)
def _stems(word: str) -> Words:
    """What rouge_score makes of one word. Kept, since stemming costs more than all the rest of a score."""
    return tuple(_tokenizer().tokenize(word))


@lru_cache(maxsize=16384)
def _sentences(text: str) -> tuple[Words, ...]:
    """The stemmed words of each line that has any. Kept, since references come back at every evaluation."""
    lines = (tuple(stem for word in _WORD.findall(line.lower()) for stem in _stems(word)) for line in text.split("\n"))
    return tuple(line for line in lines if line)


def _rows(reference: Words, prediction: Words) -> list[int]:
    """The table of common subsequences, one integer for each prefix of `prediction`.

    Bit i of row j is 0 where the longest common subsequence with the first j words grows from i to i + 1 reference
    words.
    """
    places: dict[str, int] = {}
    for i, word in enumerate(reference):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(reference)) - 1
    rows = [full]
    for word in prediction:
        row = rows[-1]
        matched = row & places.get(word, 0)
        rows.append((row + matched | row - matched) & full)
    return rows


def _common_length(reference: Words, prediction: Words) -> int:
    return len(reference) - _rows(reference, prediction)[-1].bit_count()


def _common_places(reference: Words, prediction: Words) -> set[int]:
    """The places in `reference` of one longest common subsequence; of several, the one that rouge_score takes."""
    rows = _rows(reference, prediction)
    i, j, places = len(reference), len(prediction), set()
    while i and j:
        if reference[i - 1] == prediction[j - 1]:
            i, j = i - 1, j - 1
            places.add(i)
        elif rows[j] >> (i - 1) & 1:
            i -= 1
        else:
            j -= 1
    return places


def _union_hits(reference: Sequence[Words], prediction: Sequence[Words], overlap: Counter[str]) -> int:
    """Reference words in common subsequences with any predicted sentence, no word counted beyond its `overlap`."""
    left = overlap.copy()
    hits = 0
    for sentence in reference:
        union = set().union(*(_common_places(sentence, other) for other in prediction))
        for i in sorted(union):
            if left[sentence[i]] > 0:
                left[sentence[i]] -= 1
                hits += 1
    return hits


def _f1(matched: int, predicted: int, true: int) -> float:
    return 200 * matched / (predicted + true) if matched else 0.0


def _example(prediction: str, reference: str) -> tuple[float, ...]:
    lines, true_lines = _sentences(prediction), _sentences(reference)
    words: Words = sum(lines, ())
    true: Words = sum(true_lines, ())
    single = Counter(words) & Counter(true)
    double = Counter(pairwise(words)) & Counter(pairwise(true))
    common = _common_length(true, words)
    # One line against one line: the union is the common subsequence itself.
    hits = common if len(lines) == len(true_lines) == 1 else _union_hits(true_lines, lines, single)
    n, m = len(words), len(true)
    scores = (_f1(common, n, m), _f1(single.total(), n, m), _f1(double.total(), n - 1, m - 1), _f1(hits, n, m))
    return (1, *scores, n, m)


def _extract(predictions: Sequence[str], references: Sequence[str]) -> Array:
    """[1, rougeL, rouge1, rouge2, rougeLsum in percent, words predicted, words of the reference]."""
    return np.array([_example(p, r) for p, r in zip(predictions, references, strict=True)], dtype=np.float64)


def _aggregate(sums: Array) -> dict[str, Array]:
    return {**_MEANS(sums), "length_ratio": divide(sums[..., 5], sums[..., 6])}


def _describe() -> dict[str, str]:
    settings = f"stemmer:porter|sentences:newline|average:examples|rouge_score:{version('rouge_score')}"
    return dict.fromkeys((*_ROUGE, "length_ratio"), f"{settings}|nltk:{version('nltk')}")


ROUGE = Metric(
    name="rougeL",
    measures=(*_ROUGE, "length_ratio"),
    reference="text",
    extract=_extract,
    aggregate=_aggregate,
    describe=_describe,
)

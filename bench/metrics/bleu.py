"""Corpus BLEU, chrF++ and the length ratio of a translation against one reference. Knows no language.

Counts come from sacrebleu, which also gives the signatures; only the last step, from summed counts to scores, is
written here, for whole arrays of sums at once. BLEU: Papineni et al. 2002 as standardised by Post 2018 (13a tokens,
mixed case, exponential smoothing). "chrf" is chrF++ (Popovic 2017: character 6-grams, word 2-grams, beta 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.metric import Array, Metric, divide

if TYPE_CHECKING:
    import sacrebleu

_ORDER = 4
_COUNTS = 2 + 2 * _ORDER
"""Columns of BLEU: tokens predicted, tokens of the reference, matched n-grams (4), predicted n-grams (4)."""
_BETA = 2


@lru_cache(maxsize=2)
def _scorers(references: tuple[str, ...]) -> tuple[sacrebleu.BLEU, sacrebleu.CHRF]:
    """Scorers with the n-grams of `references` counted once, since a validation set is scored many times."""
    import sacrebleu

    # force: no warning about tokenised input, which would come back at every evaluation.
    bleu = sacrebleu.BLEU(references=[references], force=True)
    return bleu, sacrebleu.CHRF(word_order=2, references=[references])


def _extract(predictions: Sequence[str], references: Sequence[str]) -> Array:
    """BLEU's 10 counts, then (predicted, true, matched) n-grams for each of chrF++'s 8 orders; k = 34."""
    bleu, chrf = _scorers(tuple(references))
    # The counts of single examples are behind a private name; sacrebleu.significance uses it the same way.
    return np.column_stack(
        [
            np.array(bleu._extract_corpus_statistics(predictions, None), dtype=np.float64),
            np.array(chrf._extract_corpus_statistics(predictions, None), dtype=np.float64),
        ]
    )


def _bleu(sums: Array, effective_order: bool = False) -> Array:
    """BLEU in percent. An n-gram order without a match gets half the precision of the one missed before it.

    With `effective_order`, orders longer than the prediction are left out: what sacrebleu advises for one sentence.
    """
    length, reference = sums[..., 0], sums[..., 1]
    matched, total = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER : _COUNTS]
    missed = (matched == 0) & (total > 0)
    precision = divide(np.where(missed, 0.5 ** missed.cumsum(axis=-1), matched), total)
    used = total > 0
    logs = np.log(precision, out=np.zeros(precision.shape), where=used).sum(axis=-1)
    orders = used.sum(axis=-1) if effective_order else np.full(used.shape[:-1], _ORDER)
    brevity = np.where(length < reference, np.exp(1 - divide(reference, length)), 1.0)
    scored = matched.any(axis=-1) & (used.all(axis=-1) | effective_order)
    return np.where(scored, 100 * brevity * np.exp(logs / np.maximum(orders, 1)), 0.0)


def _chrf(sums: Array) -> Array:
    """chrF++ in percent: F-beta of the precision and recall averaged over the orders that both sides have."""
    counts = sums[..., _COUNTS:].reshape(*sums.shape[:-1], -1, 3)
    predicted, true, matched = counts[..., 0], counts[..., 1], counts[..., 2]
    both = (predicted > 0) & (true > 0)
    orders = both.sum(axis=-1)
    precision = divide((divide(matched, predicted) * both).sum(axis=-1), orders)
    recall = divide((divide(matched, true) * both).sum(axis=-1), orders)
    return 100 * divide((1 + _BETA**2) * precision * recall, _BETA**2 * precision + recall)


def _aggregate(sums: Array) -> dict[str, Array]:
    return {"bleu": _bleu(sums), "chrf": _chrf(sums), "length_ratio": divide(sums[..., 0], sums[..., 1])}


def _examples(statistics: Array) -> Array:
    return _bleu(statistics, effective_order=True)


def _describe() -> dict[str, str]:
    bleu, chrf = _scorers(("",))
    tokens = str(bleu.get_signature())
    return {"bleu": tokens, "chrf": str(chrf.get_signature()), "length_ratio": tokens}


BLEU = Metric(
    name="bleu",
    measures=("bleu", "chrf", "length_ratio"),
    reference="text",
    extract=_extract,
    aggregate=_aggregate,
    describe=_describe,
    examples=_examples,
)

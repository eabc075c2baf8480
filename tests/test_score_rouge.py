"""ROUGE against the package rouge_score."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bench.metrics.rouge import ROUGE
from tests.score_examples import fastest

NAMES = ("rougeL", "rouge1", "rouge2", "rougeLsum")
WORDS = ["mills", "milling", "the", "a", "running", "ran", "Été", "дом", "x-1", "9", "!", "\n", "\n\n", "İz", "ß"]


def random_text(rng: random.Random, longest: int = 25) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(0, longest)))


def official(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    scorer = RougeScorer(list(NAMES), use_stemmer=True)
    scores = [scorer.score(r, p) for p, r in zip(predictions, references, strict=True)]
    return {name: 100 * sum(s[name].fmeasure for s in scores) / len(scores) for name in NAMES}


def check(predictions: Sequence[str], references: Sequence[str]) -> None:
    scores = ROUGE.compute(predictions=predictions, references=references)
    del scores["length_ratio"]
    assert scores == pytest.approx(official(predictions, references), abs=1e-9)


def test_each_of_many_random_pairs_scores_what_rouge_score_gives() -> None:
    """Few distinct words and many lines, so that there are many longest common subsequences to choose from."""
    rng = random.Random(1)
    for _ in range(1500):
        check([random_text(rng)], [random_text(rng)])


def test_a_corpus_scores_the_mean_of_what_rouge_score_gives() -> None:
    rng = random.Random(2)
    references = [random_text(rng, 80) for _ in range(60)]
    check([r if rng.random() < 0.2 else random_text(rng, 80) for r in references], references)


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("", "the mill"), ("the mill", ""), ("", ""), ("!!!", "???"), ("дом", "дом"), ("mill", "mills"),
        ("one", "one two"), ("\n\nmill\n", "mill"), ("a b\nc d", "c d\na b"), ("a b c d", "c d\na b"),
        ("the the the", "the"), ("the", "the\nthe\nthe"), ("Straße ß", "strasse ss"),
    ],
)  # fmt: skip
def test_awkward_examples_score_what_rouge_score_gives(prediction: str, reference: str) -> None:
    check([prediction], [reference])


def test_the_length_ratio_is_of_all_words_predicted_to_all_words_of_references() -> None:
    scores = ROUGE.compute(predictions=["one two three", "four"], references=["one", "four five six seven eight nine"])
    assert scores["length_ratio"] == pytest.approx(4 / 7)
    assert ROUGE.compute(predictions=["one"], references=[""])["length_ratio"] == 0


def test_two_hundred_summaries_are_scored_several_times_faster_than_by_rouge_score() -> None:
    rng = random.Random(3)
    references = [random_text(rng, 80) for _ in range(200)]
    predictions = [random_text(rng, 80) for _ in range(200)]
    ours = fastest(lambda: ROUGE.compute(predictions=predictions, references=references))
    assert 3 * ours < fastest(lambda: official(predictions, references), times=1)

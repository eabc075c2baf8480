"""BLEU, chrF++ and the length ratio against sacrebleu."""

from __future__ import annotations

import logging
import random

import pytest
import sacrebleu

from bench.metrics.bleu import BLEU

WORDS = ["der", "Hund", "gräbt", "im", ".", "(hi)", "1.5", "x-y", "&quot;", "дом", "猫は", "é", "e\u0301", "😂", "\n"]


def random_text(rng: random.Random, longest: int = 9) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(0, longest)))


def official(predictions: list[str], references: list[str]) -> dict[str, float]:
    bleu = sacrebleu.BLEU().corpus_score(predictions, [references])
    chrf = sacrebleu.CHRF(word_order=2).corpus_score(predictions, [references])
    return {"bleu": bleu.score, "chrf": chrf.score, "length_ratio": bleu.ratio}


def check(predictions: list[str], references: list[str]) -> None:
    scores = BLEU.compute(predictions=predictions, references=references)
    assert scores == pytest.approx(official(predictions, references), abs=1e-9)


def test_random_corpora_score_what_sacrebleu_gives() -> None:
    rng = random.Random(1)
    for size in (1, 2, 5, 20) * 25:
        references = [random_text(rng) for _ in range(size)]
        predictions = [r if rng.random() < 0.3 else random_text(rng) for r in references]
        check(predictions, references)


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        ("", "the mill"), ("the mill", ""), ("", ""), (" ", "\n"), ("mill", "mill"), ("the mill", "the mill"),
        ("the old mill", "the old mill"), ("mill the old", "the old mill"), ("a b c d e f", "u v w x y z"),
        ("a b c d", "a x c y"), ("ночь", "ночь"), ("猫はここ", "猫がここ"), ("!", "!"), ("a " * 60, "a b"),
    ],
)  # fmt: skip
def test_awkward_single_examples_score_what_sacrebleu_gives(prediction: str, reference: str) -> None:
    """Nothing predicted, nothing to predict, fewer than four tokens, no match, other scripts."""
    check([prediction], [reference])
    check([prediction, "the mill was shut"], [reference, "the mill was shut"])


def test_the_score_of_one_example_is_the_sentence_bleu_that_sacrebleu_advises() -> None:
    rng = random.Random(2)
    references = [random_text(rng) for _ in range(300)]
    predictions = [r if rng.random() < 0.3 else random_text(rng) for r in references]
    theirs = [
        sacrebleu.sentence_bleu(p, [r], use_effective_order=True).score
        for p, r in zip(predictions, references, strict=True)
    ]
    assert BLEU.per_example(BLEU.statistics(predictions, references)) == pytest.approx(theirs, abs=1e-9)


def test_signatures_are_those_of_sacrebleu() -> None:
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF(word_order=2)
    bleu.corpus_score(["a"], [["a"]])
    chrf.corpus_score(["a"], [["a"]])
    signatures = BLEU.signatures()
    assert signatures["bleu"] == str(bleu.get_signature())
    assert signatures["chrf"] == str(chrf.get_signature())
    assert "nw:2" in signatures["chrf"]


def test_other_references_of_the_same_number_are_not_taken_for_the_cached_ones() -> None:
    assert BLEU.compute(predictions=["a b c d"], references=["a b c d"])["bleu"] == pytest.approx(100)
    assert BLEU.compute(predictions=["a b c d"], references=["e f g h"])["bleu"] == 0


def test_tokenised_text_makes_no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        BLEU.compute(predictions=["it rains ."] * 200, references=["it rains ."] * 200)
    assert not caplog.records

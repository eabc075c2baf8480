"""The review world: sizes, splits, balance, solvability, and what its texts may say."""

from __future__ import annotations

import itertools
import math
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from tasks.corpora import sentiment
from tasks.corpora.draw import Corpus, Row, content_hash
from tasks.corpora.sentiment_words import NEGATORS, POLARITIES, VERDICTS, past


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return sentiment.corpus()


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return list(itertools.islice(sentiment.texts(), 6000))


def forms(pool: sentiment.Pool) -> dict[str, str]:
    """Every form of every opinion word of `pool`, with its polarity."""
    found = {}
    for (part, _, polarity), words in pool.items():
        for word in words:
            found[word] = polarity
            if part == "verb":
                found[past(word)] = polarity
    return found


ALL_FORMS = {word: polarity for pool in sentiment.word_splits().values() for word, polarity in forms(pool).items()}
NEGATOR = re.compile(r"\b(" + "|".join(NEGATORS) + r")\b")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text)


def oracle(text: str) -> str:
    """The polarity of the last opinion word, turned round by a negator before it in its clause."""
    for clause in reversed(re.split(r"[.,;]|(?<!anything) but | yet | and ", text)):
        for word in reversed(words(clause)):
            if word in ALL_FORMS:
                return sentiment.opposite(ALL_FORMS[word]) if NEGATOR.search(clause) else ALL_FORMS[word]
    raise AssertionError(f"no opinion in {text!r}")


def bayes(train: list[Row], test: list[Row], *, without_opinions: bool) -> float:
    """Accuracy of naive Bayes over the words of a row."""
    counts: dict[str, Counter[str]] = {polarity: Counter() for polarity in POLARITIES}
    for row in train:
        counts[row["label"]].update(w for w in words(row["text"]) if not (without_opinions and w in ALL_FORMS))

    def score(text: str, polarity: str) -> float:
        total = counts[polarity].total() + 1000
        return sum(
            math.log((counts[polarity][w] + 1) / total)
            for w in words(text)
            if not (without_opinions and w in ALL_FORMS)
        )

    hits: int = sum(max(POLARITIES, key=lambda p: score(row["text"], p)) == row["label"] for row in test)
    return hits / len(test)


def test_every_split_has_its_size(corpus: Corpus) -> None:
    assert {split: len(rows) for split, rows in corpus.items()} == sentiment.SIZES


def test_same_seed_same_bytes_in_any_process(corpus: Corpus) -> None:
    code = (
        "from tasks.corpora import sentiment; from tasks.corpora.draw import content_hash;"
        "print(content_hash(sentiment.corpus()), next(sentiment.texts(3)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"{content_hash(corpus)} {next(sentiment.texts(3))}"
    assert content_hash(sentiment.corpus(1)) != content_hash(corpus)


def test_no_text_occurs_twice(corpus: Corpus) -> None:
    texts = [row["text"] for rows in corpus.values() for row in rows]
    assert len(set(texts)) == len(texts)


def test_rows_have_the_schema_and_the_length(corpus: Corpus) -> None:
    for row in itertools.chain.from_iterable(corpus.values()):
        assert set(row) == {"text", "label", "phenomena"}
        assert row["label"] in POLARITIES
        assert row["phenomena"]
        assert re.fullmatch(r"[a-z ,.;]+\.", row["text"])
        assert sentiment.SHORTEST <= len(row["text"].split()) <= sentiment.LONGEST


def test_labels_are_balanced_in_every_split(corpus: Corpus) -> None:
    for rows in corpus.values():
        assert abs(sum(row["label"] == "positive" for row in rows) / len(rows) - 0.5) < 0.02


def test_the_lexicon_has_as_many_words_of_either_polarity() -> None:
    pool = [len(found) for found in (sentiment.word_splits()["test"], sentiment.word_splits()["train"])]
    assert pool[0] == pool[1]
    assert len(ALL_FORMS) == 260 + 28
    assert Counter(ALL_FORMS.values()) == {"positive": 144, "negative": 144}


def test_held_out_words_are_absent_from_train_and_from_each_other(corpus: Corpus) -> None:
    seen = {split: {word for row in rows for word in words(row["text"])} for split, rows in corpus.items()}
    pools = {split: set(forms(pool)) for split, pool in sentiment.word_splits().items()}
    assert not seen["train"] & (pools["validation"] | pools["test"])
    assert not seen["validation"] & pools["test"]
    assert not seen["test"] & pools["validation"]


def test_three_in_five_test_rows_hinge_on_unseen_words_alone(corpus: Corpus) -> None:
    held_out = set(forms(sentiment.word_splits()["test"]))
    hinge = [not (set(words(row["text"])) & set(ALL_FORMS)) - held_out for row in corpus["test"]]
    assert 0.58 <= sum(hinge) / len(hinge) <= 0.62
    assert hinge == ["unseen_word" in row["phenomena"] for row in corpus["test"]]


def test_a_reader_who_knows_the_words_solves_every_split(corpus: Corpus) -> None:
    for rows in corpus.values():
        assert sum(oracle(row["text"]) == row["label"] for row in rows) / len(rows) >= 0.97


def test_words_other_than_opinions_say_nothing_about_the_label(corpus: Corpus) -> None:
    assert bayes(corpus["train"], corpus["test"], without_opinions=True) < 0.57


def test_the_words_of_train_do_not_solve_the_unseen_rows(corpus: Corpus) -> None:
    unseen = [row for row in corpus["test"] if "unseen_word" in row["phenomena"]]
    assert bayes(corpus["train"], unseen, without_opinions=False) < 0.58


def test_texts_show_every_opinion_word_soon(documents: list[str]) -> None:
    counts = Counter(word for document in documents for word in words(document))
    assert min(counts[word] for word in ALL_FORMS) >= 5


def test_most_documents_carry_a_verdict(documents: list[str]) -> None:
    verdicts = [verdict for said in VERDICTS.values() for verdict in said if len(verdict) > 5]
    assert sum(any(verdict in document for verdict in verdicts) for document in documents) / len(documents) > 0.7


def test_texts_never_repeat_a_row(documents: list[str]) -> None:
    for seed in (0, 5):
        rows = [row["text"] for rows in sentiment.corpus(seed).values() for row in rows]
        page = "\n".join(documents)
        assert not [text for text in rows if text in page]


def test_documents_are_short_and_lower_case(documents: list[str]) -> None:
    for document in documents:
        assert 3 <= len(document.split()) <= 90
        assert re.fullmatch(r"[a-z ,.;:]+", document)


def test_another_seed_gives_other_texts() -> None:
    assert next(sentiment.texts(0)) != next(sentiment.texts(1))

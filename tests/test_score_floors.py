"""Trivial answers: what each says, and that none looks at a test reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.floors import FLOORS
from bench.spec import Bundled, Head, Task


def task(head: Head, inputs: tuple[str, ...], reference: str) -> Task:
    schema = dict.fromkeys((*inputs, reference), "text")
    return Task(
        name="t", title="", version=1, head=head, metric="accuracy", schema=schema, inputs=inputs, reference=reference,
        sources={"bundled": Bundled("none", "")}, input_tokens=8,
    )  # fmt: skip


RATING = task(Head.CLASSIFY, ("text",), "label")
TAGS = task(Head.TAG, ("tokens",), "tags")
QUESTION = task(Head.SPAN, ("question", "context"), "answers")
PAIR = task(Head.REGRESS, ("one", "other"), "score")
TRANSLATION = task(Head.GENERATE, ("source",), "target")
SUMMARY = task(Head.GENERATE, ("document",), "summary")

TAGGED = [
    {"tokens": ["Harrow", "sells", "Tarn"], "tags": ["B-LOC", "O", "B-PER"]},
    {"tokens": ["Harrow", "Tarn"], "tags": ["B-ORG", "B-PER"]},
    {"tokens": ["Harrow"], "tags": ["B-LOC"]},
]
CONTEXT = "The mill stands by the river. It was sold in 1804 by Anna Tarn! Who knows?\nThe fair is in May."


@pytest.mark.parametrize(
    ("floor", "of", "train", "test", "expected"),
    [
        ("majority", RATING, [{"label": x} for x in ("b", "a", "a")], [{"text": "x"}] * 2, ["a", "a"]),
        ("majority", RATING, [{"label": x} for x in ("b", "a", "a", "b")], [{"text": "x"}], ["b"]),
        ("minority", RATING, [{"label": x} for x in ("b", "a", "b")], [{"text": "x"}] * 2, ["a", "a"]),
        ("mean_number", PAIR, [{"score": x} for x in (1, 2.0, 4.5)], [{"one": "x", "other": "y"}] * 2, [2.5, 2.5]),
        ("word_overlap", PAIR, [{"score": x} for x in (3.0, 1.0, 2.0)],
         [{"one": "A dog barks.", "other": "a dog"}, {"one": "x", "other": "y"}, {"one": "Yes!", "other": "yes"},
          {"one": "?", "other": "!"}], [1 + 2 * 2 / 3, 1.0, 3.0, 1.0]),
        ("all_outside", TAGS, TAGGED, [{"tokens": ["Harrow", "sells"]}, {"tokens": []}], [["O", "O"], []]),
        ("most_frequent_tag", TAGS, TAGGED, [{"tokens": ["Tarn", "left", "Harrow"]}], [["B-PER", "O", "B-LOC"]]),
        ("first_sentence", QUESTION, [], [{"question": "?", "context": CONTEXT}], ["The mill stands by the river."]),
        ("first_sentence", SUMMARY, [], [{"document": "  One.  Two."}, {"document": ""}], ["One.", ""]),
        ("lead_3", SUMMARY, [], [{"document": "One. Two? Three! Four."}], ["One.\nTwo?\nThree!"]),
        ("nearest_sentence", QUESTION, [], [{"question": "When is the fair?", "context": CONTEXT}],
         ["The fair is in May."]),
        ("nearest_sentence", QUESTION, [], [{"question": "?", "context": CONTEXT}], ["The mill stands by the river."]),
        ("whole_context", QUESTION, [], [{"question": "?", "context": CONTEXT}], [CONTEXT]),
        ("copy_source", TRANSLATION, [], [{"source": "a dog"}, {"source": ""}], ["a dog", ""]),
        ("most_frequent_target", TRANSLATION, [{"target": x} for x in ("x", "y", "y")], [{"source": "a"}] * 2,
         ["y", "y"]),
    ],
)  # fmt: skip
def test_a_floor_answers_as_its_name_says_without_any_test_reference(
    floor: str, of: Task, train: list[Mapping[str, Any]], test: list[Mapping[str, Any]], expected: list[Any]
) -> None:
    """The test rows have no reference column, so that a floor that reads it fails."""
    assert FLOORS[floor](train, test, of) == expected


def test_a_logistic_regression_on_words_weighs_words_and_pairs_of_words() -> None:
    good, bad = ("a lovely room", "lovely food", "not bad at all"), ("a dull room", "dull food", "bad food")
    train = [{"text": text, "label": label} for label, found in (("good", good), ("bad", bad)) for text in found]
    test = [{"text": text} for text in ("Lovely!", "so dull", "not bad", "bad")]
    assert FLOORS["tfidf_logistic"](train, test, RATING) == ["good", "bad", "good", "bad"]


@pytest.mark.parametrize("train", [[("x y", "good")] * 3, [("?", "good"), ("!", "good"), (" ", "bad")]])
def test_with_one_label_or_no_word_the_regression_is_the_majority(train: list[tuple[str, str]]) -> None:
    rows = [{"text": text, "label": label} for text, label in train]
    assert FLOORS["tfidf_logistic"](rows, [{"text": "x"}, {"text": ""}], RATING) == ["good", "good"]

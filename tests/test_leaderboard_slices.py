"""Parts of the test rows: which there are, what cells score on them, where two differ."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bench.predictions import Answers
from bench.score import METRICS
from leaderboard.panel import of_answers
from leaderboard.slices import Slice, slices
from tests.answers import named

A, B = named("a"), named("b")


def row(text: str, reference: Any, tags: list[str] | None = None, unseen: bool | None = None) -> dict[str, Any]:
    phenomena = None if tags is None else json.dumps(tags)
    return {"input": text, "reference": json.dumps(reference), "phenomena": phenomena, "unseen": unseen}


def found(rows: list[dict[str, Any]], fewest: int = 1) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(s.column, s.value): s.rows for s in slices(rows, fewest)}


def test_a_row_is_in_the_slice_of_each_of_its_phenomena_and_of_its_label() -> None:
    rows = [row("x", "good", ["negation", "plain"]), row("x", "bad", ["plain"]), row("x", "good", [])]
    assert found(rows) == {
        ("phenomenon", "negation"): (0,), ("phenomenon", "plain"): (0, 1), ("label", "good"): (0, 2),
        ("label", "bad"): (1,),
    }


def test_tags_are_sliced_by_the_types_of_entity_and_by_whether_one_is_unseen() -> None:
    rows = [row("x y", ["B-PER", "I-PER"], unseen=True), row("x y", ["O", "B-LOC"], unseen=False), row("x", ["O"])]
    assert found(rows) == {
        ("label", "PER"): (0,), ("label", "LOC"): (1,), ("label", "no entity"): (2,),
        ("entity", "unseen"): (0,), ("entity", "seen"): (1,),
    }


def test_lengths_are_cut_into_thirds_named_by_their_ranges() -> None:
    rows = [row("w " * n, {"text": ["a"]}) for n in (1, 9, 2, 8, 3, 7, 4, 6, 5)]
    assert found(rows) == {
        ("length", "1 short (to 3 words)"): (0, 2, 4), ("length", "2 middle (to 6 words)"): (6, 7, 8),
        ("length", "3 long (over 6 words)"): (1, 3, 5),
    }


def test_small_slices_and_rare_labels_are_left_out() -> None:
    rows = [row("x", "good")] * 20 + [row("x", "rare")] * 3
    assert list(found(rows, fewest=20)) == [("label", "good")]
    many = [row("x", f"label {n % 30:02d}") for n in range(60)]
    assert len(found(many)) == 20


def test_no_rows_have_no_slices() -> None:
    assert slices([]) == ()


def test_a_slice_is_scored_as_if_it_were_the_whole_test_set() -> None:
    tags = [["B-PER"], ["O"], ["B-LOC"], ["B-PER"]]
    guesses = [["B-PER"], ["O"], ["O"], ["B-LOC"]]
    metric = METRICS["entity_f1"]
    cell = {A: [Answers(1, "rows", metric.statistics(guesses, tags), np.zeros(4))]}
    part = Slice("label", "PER", (0, 3))
    known = metric.compute(predictions=[guesses[0], guesses[3]], references=[tags[0], tags[3]])
    assert of_answers(metric, cell, part.rows).values == pytest.approx([known["entity_f1"]])

"""Entity F1 against seqeval and against conlleval.pl, the script of the CoNLL-2003 shared task.

`fixtures/conlleval.json` keeps the script's own output. Where OFFICIAL_METRICS names a directory with conlleval.pl (or
it lies in ../shared/data/metrics), the script itself is run, too.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2, Entities

from bench.metrics.entity_f1 import ENTITY_F1, entities

FIXTURE: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "conlleval.json").read_text("utf-8"))
OFFICIAL = Path(os.environ.get("OFFICIAL_METRICS", Path(__file__).parents[2] / "shared/data/metrics")) / "conlleval.pl"
needs_script = pytest.mark.skipif(
    not OFFICIAL.exists() or shutil.which("perl") is None, reason="conlleval.pl or perl is not here"
)

Sentences = list[list[str]]


def random_tags(rng: random.Random, count: int, kinds: Sequence[str] = ("PER", "LOC", "A-B")) -> Sentences:
    """Sentences of any tags, most of them not valid IOB2."""
    tags = ["O", *(f"{prefix}-{kind}" for prefix in "BI" for kind in kinds)]
    return [[rng.choice(tags) for _ in range(rng.randrange(0, 9))] for _ in range(count)]


def repaired(sentence: Sequence[str]) -> list[str]:
    """Valid IOB2: an I- that continues nothing becomes a B-."""
    valid: list[str] = []
    for tag in sentence:
        before = valid[-1] if valid else "O"
        orphan = tag.startswith("I-") and before[2:] != tag[2:]
        valid.append("B" + tag[1:] if orphan else tag)
    return valid


def altered(rng: random.Random, sentences: Sentences) -> Sentences:
    """Predictions of the same lengths that are partly right."""
    return [s if rng.random() < 0.5 else [rng.choice(t) if rng.random() < 0.5 else x for x in s]
            for s, t in ((s, [*s, "O", "B-PER"]) for s in sentences)]


def conlleval(true: Sentences, predicted: Sentences) -> dict[str, float]:
    blocks = ("".join(f"w {t} {p}\n" for t, p in zip(*pair, strict=True)) for pair in zip(true, predicted, strict=True))
    out = subprocess.run(["perl", str(OFFICIAL)], input="\n".join(blocks), capture_output=True, text=True, check=True)
    pattern = (r"with (\d+) phrases; found: (\d+) phrases; correct: (\d+).*?"
               r"precision: +([\d.]+)%; recall: +([\d.]+)%; FB1: +([\d.]+)")
    match = re.search(pattern, out.stdout, re.DOTALL)
    assert match, out.stdout
    names = ("true", "found", "correct", "precision", "recall", "f1")
    return dict(zip(names, map(float, match.groups()), strict=True))


def fixture_block(name: str) -> tuple[Sentences, Sentences, dict[str, float]]:
    block = FIXTURE[name]
    return [s["true"] for s in block["sentences"]], [s["predicted"] for s in block["sentences"]], block["official"]


def ours(true: Sentences, predicted: Sentences) -> dict[str, float]:
    statistics = ENTITY_F1.statistics(predicted, true)
    correct, found, gold = statistics.sum(axis=0)
    scores = {name.removeprefix("entity_"): round(value, 2) for name, value in ENTITY_F1.scores(statistics).items()}
    return {"true": gold, "found": found, "correct": correct, **scores}


def test_the_entities_of_any_tags_are_those_of_seqeval() -> None:
    sentences = random_tags(random.Random(1), 4000)
    theirs = Entities(sentences, IOB2).entities
    assert [entities(s) for s in sentences] == [{(e.start, e.end, e.tag) for e in found} for found in theirs]


def test_the_scores_of_any_tags_are_those_of_seqeval_in_strict_mode() -> None:
    rng = random.Random(2)
    for size in (1, 2, 5, 30) * 15:
        true = [s for s in random_tags(rng, size) if s] or [["O"]]
        predicted = altered(rng, true)
        precision, recall, f1, _ = precision_recall_fscore_support(
            true, predicted, average="micro", scheme=IOB2, zero_division=0
        )
        scores = ENTITY_F1.compute(predictions=predicted, references=true)
        assert list(scores.values()) == pytest.approx([100 * f1, 100 * precision, 100 * recall], abs=1e-9)


def test_on_valid_tags_the_scores_are_those_that_conlleval_printed() -> None:
    true, predicted, official = fixture_block("valid")
    assert ours(true, predicted) == official


def test_an_inside_tag_that_continues_nothing_is_an_entity_for_conlleval_and_none_here() -> None:
    true, predicted, official = fixture_block("orphans")
    assert official["found"] == 11
    assert ours(true, predicted)["found"] == 5
    assert ours(true, [repaired(s) for s in predicted]) == official


@needs_script
def test_the_fixture_keeps_what_conlleval_says() -> None:
    for name in ("valid", "orphans"):
        true, predicted, official = fixture_block(name)
        assert conlleval(true, predicted) == official


@needs_script
def test_on_thousands_of_random_valid_tags_the_scores_are_those_of_conlleval() -> None:
    rng = random.Random(3)
    for size in (10, 100, 3000):
        true = [repaired(s) for s in random_tags(rng, size) if s]
        predicted = [repaired(s) for s in altered(rng, true)]
        theirs, mine = conlleval(true, predicted), ours(true, predicted)
        assert [mine[k] for k in ("true", "found", "correct")] == [theirs[k] for k in ("true", "found", "correct")]
        assert mine == pytest.approx(theirs, abs=0.011)


def test_where_nothing_is_true_or_predicted_the_corpus_scores_0_and_the_silent_sentence_100() -> None:
    statistics = ENTITY_F1.statistics([["O", "O"]], [["O", "O"]])
    assert set(ENTITY_F1.scores(statistics).values()) == {0.0}
    assert ENTITY_F1.per_example(statistics) == [100.0]


def test_a_sentence_with_a_missed_and_one_with_an_invented_entity_score_0() -> None:
    statistics = ENTITY_F1.statistics([["O"], ["B-PER"]], [["B-PER"], ["O"]])
    assert ENTITY_F1.per_example(statistics) == [0.0, 0.0]


@pytest.mark.parametrize("tag", ["E-PER", "PER", "B", "B-", "", "o", "O-PER"])
def test_a_tag_outside_iob2_is_an_error_that_names_it(tag: str) -> None:
    with pytest.raises(ValueError, match=f"tag '{tag}' at token 1 is not IOB2"):
        entities(["O", tag])


def test_a_missing_tag_is_an_error_that_names_the_example() -> None:
    with pytest.raises(ValueError, match="example 1 has 1 predicted tags for 2 tokens"):
        ENTITY_F1.compute(predictions=[["O"], ["O"]], references=[["O"], ["O", "O"]])

"""SQuAD F1 and exact match against the official v1.1 script.

`fixtures/squad_v1.1.json` keeps the script's own output. Where OFFICIAL_METRICS names a directory with the script (or
it lies in ../shared/data/metrics), the script itself is run, too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.metrics.squad_f1 import SQUAD_F1

FIXTURE: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "squad_v1.1.json").read_text("utf-8"))
PREDICTIONS = [example["prediction"] for example in FIXTURE["examples"]]
REFERENCES = [{"text": example["answers"], "answer_start": []} for example in FIXTURE["examples"]]
SCRIPTS = Path(os.environ.get("OFFICIAL_METRICS", Path(__file__).parents[2] / "shared/data/metrics"))
OFFICIAL = SCRIPTS / "squad_evaluate-v1.1.py"
needs_script = pytest.mark.skipif(not OFFICIAL.exists(), reason="the SQuAD v1.1 script is not here")


def official_names(scores: dict[str, float]) -> dict[str, float]:
    return {"f1": scores["squad_f1"], "exact_match": scores["exact_match"]}


def official_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("squad_v1_1", OFFICIAL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(predictions: list[str], references: list[dict[str, Any]]) -> Any:
    questions = [
        {"id": str(i), "answers": [{"text": text} for text in reference["text"]]}
        for i, reference in enumerate(references)
    ]
    answers = {str(i): prediction for i, prediction in enumerate(predictions)}
    return official_script().evaluate([{"paragraphs": [{"qas": questions}]}], answers)


@pytest.mark.parametrize("i", range(len(PREDICTIONS)), ids=PREDICTIONS)
def test_each_example_scores_what_the_official_script_gave(i: int) -> None:
    """Case, punctuation, articles, white space, letters beyond ASCII, empty answers, several accepted answers."""
    scores = SQUAD_F1.compute(predictions=[PREDICTIONS[i]], references=[REFERENCES[i]])
    assert official_names(scores) == pytest.approx(FIXTURE["examples"][i]["official"], abs=1e-9)


def test_all_examples_together_score_what_the_official_script_gave() -> None:
    scores = SQUAD_F1.compute(predictions=PREDICTIONS, references=REFERENCES)
    assert official_names(scores) == pytest.approx(FIXTURE["official"], abs=1e-9)


@needs_script
def test_the_fixture_keeps_what_the_official_script_says() -> None:
    assert run_script(PREDICTIONS, REFERENCES) == FIXTURE["official"]


@needs_script
def test_random_answers_score_what_the_official_script_says() -> None:
    rng = random.Random(6)
    words = [*"the a An mill Mill. é É — 's it's b-c bc U.S. 1,0 İ".split(), "\u00a0", "\n"]

    def text() -> str:
        return " ".join(rng.choice(words) for _ in range(rng.randrange(0, 6)))

    predictions = [text() for _ in range(2000)]
    references = [{"text": [text() for _ in range(rng.randrange(1, 4))]} for _ in predictions]
    scores = SQUAD_F1.compute(predictions=predictions, references=references)
    assert official_names(scores) == pytest.approx(run_script(predictions, references), abs=1e-9)


def test_a_question_without_an_accepted_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="example 0 has no accepted answer"):
        SQUAD_F1.compute(predictions=["x"], references=[{"text": [], "answer_start": []}])

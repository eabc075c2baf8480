"""What a board says of which differences are real: no more than its comparisons, in sentences."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench.store import Store
from leaderboard import markdown, real, study
from leaderboard.paired import holm, pairs
from leaderboard.panel import of_answers
from leaderboard.study import Study
from tests import fake_records, site_run
from tests.answers import MEAN, answers


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Study:
    store = Store(site_run.run(tmp_path_factory.mktemp("runs") / "nightly"))
    return study.of(store, store.records())


def test_a_task_is_told_by_who_may_be_the_best_and_how_many_pairs_differ(found: Study) -> None:
    group = next(g for g in found.groups if g.task == "ner")
    assert group.panel is not None
    said = next(sentence for sentence in real.sentences(found) if sentence.startswith("ner: "))
    told = int(np.sum(holm(pairs(group.panel).p[np.triu_indices(6, 1)]) < 0.05))
    assert 0 < told < 15
    assert f"Of all 15 pairs of cells {told} are told apart" in said
    best = {f"{p.names[1]} {p.names[2]}" for p in group.places.values() if p.may_be_best}
    assert all(name in said.partition(" may be the best")[0] for name in best)


def test_methods_are_compared_with_full_where_the_model_is_the_same(found: Study) -> None:
    """Two tasks with three models and one other method make six comparisons; these two methods answer alike."""
    said = next(sentence for sentence in real.sentences(found) if sentence.startswith("Against full"))
    assert "corrected for all 6 such comparisons" in said
    assert "lora[r=8]" in said


def test_a_method_that_is_shown_to_differ_is_named_with_where(found: Study) -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(50, 10, 200)
    tops = {"full": 0.0, "head_only": -20.0, "lora[r=8]": 0.0, "freeze": 15.0}
    records = tuple(fake_records.record("ner", "bert-mini", method) for method in tops)
    given = {record.names: answers(*(common + tops[record.method] + rng.normal(0, 9, 200) for _ in range(3)))
             for record in records}
    group = dataclasses.replace(found.groups[0], records=records, panel=of_answers(MEAN, given))
    said = next(real._methods(list(tops), [group]))
    assert "head_only is worse in 1 (bert-mini on ner) of 1; freeze is better in 1 (bert-mini on ner) of 1" in said
    assert said.endswith("nothing tells lora[r=8] from it.")


def test_runs_without_answers_say_nothing_and_the_pages_say_what_is_said(found: Study, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_record(fake_records.record("qa", "bert-mini", "full"))
    assert real.sentences(study.of(store, store.records())) == ()
    page = markdown.render(found.board, "nightly", (), found)
    assert all(markdown.text(sentence) in page for sentence in real.sentences(found))

"""Reading the answers of a run into one panel: which cells come in, and that their figures are those of the records."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.record import Record
from bench.score import METRICS, interval
from bench.store import Store
from bench.uncertainty import spread
from leaderboard.panel import of_answers, read
from tests import fake_records
from tests.answers import MEAN, answers, grid, named, panel

ACCURACY = METRICS["accuracy"]
TRUTH = ["good", "bad"] * 10


def record(model: str) -> Record:
    return dataclasses.replace(fake_records.record("sentiment", "bert-mini", "full"), model=model)


def write(store: Store, record: Record, seeds: list[list[str]], inputs: str = "text") -> None:
    rows: list[dict[str, Any]] = []
    for seed, labels in enumerate(seeds, 1):
        statistics = ACCURACY.statistics(labels, TRUTH)
        rows += [
            {
                "row": i, "input": f"{inputs} {i}", "reference": json.dumps(TRUTH[i]), "seed": seed,
                "prediction": json.dumps(label), "score": 100.0 * (label == TRUTH[i]), "phenomena": None,
                "unseen": None, "statistics": statistics[i].tolist(),
            }
            for i, label in enumerate(labels)
        ]
    store.write_predictions(record.names, rows)


def wrong(*places: int) -> list[str]:
    return ["neither" if i in places else label for i, label in enumerate(TRUTH)]


def test_a_cell_of_one_size_among_several_is_found_by_its_name(tmp_path: Path) -> None:
    sized = dataclasses.replace(record("a"), train_size=40)
    write(Store(tmp_path), sized, [wrong(1)])
    found = read(Store(tmp_path), [sized])
    assert found.left_out == {}
    assert found.panel is not None
    assert found.panel.names == (("sentiment", "a", "full@40"),)


def test_a_cell_has_the_score_that_its_predictions_have(tmp_path: Path) -> None:
    write(Store(tmp_path), record("a"), [wrong(1, 2), wrong(2, 3, 4, 5)])
    found = read(Store(tmp_path), [record("a")]).panel
    assert found is not None
    assert (found.names, found.seeds, found.rows) == ((record("a").names,), (2,), 20)
    assert found.values == pytest.approx([85.0])
    assert found.examples[0, :4] == pytest.approx([100, 50, 0, 50])


def test_cells_without_answers_or_with_other_rows_are_left_out_with_the_reason(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for model in "ab":
        write(store, record(model), [wrong(1), wrong(2)])
    write(store, record("c"), [wrong(1), wrong(2)], inputs="another text")
    failed = dataclasses.replace(record("e"), score=None)
    reading = read(store, [*map(record, "abcd"), failed])
    assert reading.panel is not None
    assert [n[1] for n in reading.panel.names] == ["a", "b"]
    assert reading.left_out == {
        record("c").key: "it answered other test rows", record("d").key: "its answers are not kept",
    }


def test_a_run_without_any_answers_has_no_panel(tmp_path: Path) -> None:
    assert read(Store(tmp_path), [record("a")]).panel is None


def test_variances_are_those_of_the_cells_own_interval() -> None:
    cells = grid(np.random.default_rng(1), 3, 3, 80, seed_spread=1.0)
    found = panel(cells)
    for i, seeds in enumerate(cells.values()):
        own = spread(MEAN, [a.statistics for a in answers(*seeds)])
        assert found.seed_variance[i] == pytest.approx(own.seed_variance)
        assert max(0.0, found.shared[i, i]) == pytest.approx(own.row_variance)


def test_rows_shared_by_cells_show_as_their_covariance() -> None:
    """Two cells with a common part of standard deviation 10 on 100 rows: about 100 / 100."""
    found = panel(grid(np.random.default_rng(2), 2, 2, 100, seed_spread=0.0))
    assert found.shared[0, 1] == pytest.approx(1.0, rel=0.5)
    assert found.shared == pytest.approx(found.shared.T)


def test_a_part_of_the_rows_can_be_taken() -> None:
    one = answers(np.arange(10.0))
    assert of_answers(MEAN, {named("a"): one}, rows=[8, 9]).values == pytest.approx([8.5])


def test_a_cell_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="task/z/full"):
        panel({"a": [np.zeros(3)]}).place(named("z"))


def test_what_is_read_back_gives_the_interval_that_was_recorded(tmp_path: Path) -> None:
    """Statistics go through the file bit for bit."""
    seeds = [wrong(1, 2), wrong(2, 3, 4, 5), wrong(7)]
    write(Store(tmp_path), record("a"), seeds)
    kept = [a.statistics for a in Store(tmp_path).read_answers(record("a").names)]
    assert interval(ACCURACY, kept) == interval(ACCURACY, [ACCURACY.statistics(s, TRUTH) for s in seeds])

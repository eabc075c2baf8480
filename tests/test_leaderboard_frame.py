"""The values of a board: columns, lines, marks, floors, costs, notes."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from dataclasses import replace

import pytest

from bench.record import Cost, Outcome, Record
from leaderboard import footer, frame, rank, stats, tables
from leaderboard.column import TaskView
from leaderboard.rank import Mark, Standing
from tests import fake_records


def line(board: frame.Board, model: str, method: str) -> frame.Line:
    return next(found for found in board.lines if (found.model, found.method) == (model, method))


def view(board: frame.Board, task: str) -> TaskView:
    return next(found for found in board.tasks if found.column.task == task)


def pair(*scores: float, higher: bool = True) -> list[Record]:
    """Cells of one task that differ in score only, each with an interval of one point on either side."""
    base = replace(fake_records.record("sentiment", "bert-mini", "full"), higher_is_better=higher)
    return [replace(base, model=f"m{i}", score=s, low=s - 1, high=s + 1) for i, s in enumerate(scores)]


def marks(records: list[Record]) -> list[Mark]:
    board = frame.table(records)
    return [entry.mark for found in board.lines for entry in found.entries if entry is not None]


def test_the_board_is_the_same_for_records_in_any_order() -> None:
    records = fake_records.records()
    shuffled = random.Random(0).sample(records, len(records))
    assert frame.table(shuffled) == frame.table(records)
    assert tables.rows(frame.table(shuffled)) == tables.rows(frame.table(records))


def test_every_cell_of_the_grid_has_a_place() -> None:
    """15 lines of 5 tasks; the one cell that was never run is None, not left out."""
    board = frame.table(fake_records.records())
    assert [c.task for c in board.columns] == ["sentiment", "ner", "qa", "summarization", "translation"]
    assert [len(found.entries) for found in board.lines] == [5] * 15
    assert [found.entries.count(None) for found in board.lines].count(1) == 1
    assert line(board, "t5-mini", "scratch").entries[1] is None


def test_methods_come_in_one_order_for_every_model_those_that_train_more_first() -> None:
    board = frame.table(fake_records.records())
    methods = [found.method for found in board.lines]
    assert methods == ["full", "scratch", "freeze", "lora[r=8]", "head_only"] * 3
    assert [found.model for found in board.lines][::5] == ["bert-mini", "gpt2-mini", "t5-mini"]


def test_the_spread_is_the_sample_standard_deviation_of_the_seeds() -> None:
    assert stats.sample_sd([1.0, 2.0, 4.0]) == pytest.approx(math.sqrt(7 / 3))
    assert stats.sample_sd([5.0]) is None
    assert stats.mean([]) is None


def test_the_best_is_marked_and_those_whose_interval_overlaps_it() -> None:
    assert marks(pair(90.0, 88.5, 87.9)) == [Mark.BEST, Mark.TIED, Mark.NONE]


def test_equal_best_scores_are_both_best() -> None:
    assert marks(pair(90.0, 90.0, 50.0)) == [Mark.BEST, Mark.BEST, Mark.NONE]


def test_the_lowest_is_best_where_lower_is_better() -> None:
    records = pair(90.0, 88.5, 70.0, higher=False)
    assert marks(records) == [Mark.NONE, Mark.NONE, Mark.BEST]
    assert [e.record.score for e in frame.table(records).tasks[0].entries] == [70.0, 88.5, 90.0]


def test_a_score_without_an_interval_is_never_called_tied() -> None:
    standings = [Standing(90.0, None), Standing(89.9, (88.0, 92.0)), Standing(None, None)]
    assert rank.marks(standings, True, [None] * 3).marks == (Mark.BEST, Mark.NONE, Mark.NONE)


def test_a_failed_cell_is_never_best_and_keeps_its_reason() -> None:
    board = frame.table(fake_records.records())
    assert {str(e.record.outcome) for e in board.failures} == {str(o) for o in Outcome} - {"OK"}
    assert all(e.mark is Mark.NONE and e.record.reason for e in board.failures)


def test_a_line_has_its_figure_over_all_tasks_only_where_it_has_a_cell_of_each() -> None:
    figure = stats.Figure(50.0, 40.0, 60.0)
    whole: dict[frame.Who, stats.Figure] = {
        (model, method, None): figure for model in fake_records.MODELS for method in fake_records.METHODS
    }
    board = frame.table(fake_records.records(), overall=whole)
    assert board.overall
    assert line(board, "t5-mini", "full").overall == figure
    assert line(board, "t5-mini", "scratch").overall is None
    assert not frame.table(fake_records.records()).overall


def test_the_floor_is_the_best_trivial_answer_and_the_baseline_the_best_that_learns() -> None:
    column = view(frame.table(fake_records.records()), "ner").column
    (level,) = column.levels
    assert level.floor == ("all_outside", 0.0)
    assert level.baseline == ("most_frequent_tag", 31.7)
    assert level.floors == (("all_outside", 0.0), ("most_frequent_tag", 31.7))


def test_a_score_no_better_than_the_floor_is_said_to_be() -> None:
    board = frame.table(fake_records.records())
    beaten = [e.record.key for found in board.tasks for e in found.entries if e.beaten]
    assert beaten == ["summarization/gpt2-mini/head_only"]


def test_floors_and_baselines_have_lines_of_their_own() -> None:
    floor, baseline = frame.table(fake_records.records()).floors
    assert (floor.kind, baseline.kind) == ("floor", "baseline")
    assert [found and found[1] for found in baseline.floors] == [None, 31.7, None, None, None]


@pytest.mark.parametrize(("low", "unproven"), [(31.6, True), (31.8, False)])
def test_a_score_whose_interval_reaches_the_cheap_baseline_is_marked(low: float, unproven: bool) -> None:
    record = replace(fake_records.record("ner", "bert-mini", "full"), low=low)
    (entry,) = frame.table([record]).tasks[0].entries
    assert (entry.beaten, entry.unproven) == (False, unproven)


@pytest.mark.parametrize(("score", "low", "marks"), [
    (50.2, 46.0, (False, True)), (54.0, 50.1, (False, False)), (49.9, 46.0, (True, True)),
])
def test_a_score_whose_interval_reaches_the_floor_is_marked_where_no_baseline_is_higher(
    score: float, low: float, marks: tuple[bool, bool]
) -> None:
    record = fake_records.record("sentiment", "bert-mini", "full")
    for learnt in ({}, {"tfidf_logistic": {"accuracy": 45.4}}):
        floors = {"majority": {"accuracy": 50.0}, **learnt}
        (entry,) = frame.table([replace(record, score=score, low=low, floors=floors)]).tasks[0].entries
        assert (entry.beaten, entry.unproven) == marks


def test_boards_say_where_marks_rest_on_overlap() -> None:
    assert any("rest on whether 95% intervals overlap" in note for note in frame.table(pair(90.0, 80.0)).notes)


def test_the_place_between_floor_and_best_works_in_both_directions() -> None:
    assert rank.position(75.0, 50.0, 100.0) == 0.5
    assert rank.position(3.0, 5.0, 1.0) == 0.5
    assert rank.position(40.0, 50.0, 100.0) == 0.0
    assert rank.position(75.0, None, 100.0) is None
    assert rank.position(50.0, 50.0, 50.0) is None


def test_costs_are_sums_of_seconds_and_peaks_of_memory() -> None:
    first, second = (replace(r, task=t) for r, t in zip(pair(90.0) * 2, ("a", "b"), strict=True))
    cost = Cost(10.0, 8.0, 2.0, None, None, 500)
    board = frame.table([replace(first, cost=cost), replace(second, cost=replace(cost, seconds=5.0, peak_memory=700))])
    costs = board.lines[0].costs
    assert (costs.seconds, costs.peak_memory, costs.complete) == (15.0, 700, True)
    assert costs.share == 1.0


def test_an_unknown_cost_makes_the_sum_a_lower_bound() -> None:
    costs = line(frame.table(fake_records.records()), "t5-mini", "scratch").costs
    assert not costs.complete


def test_sources_are_columns_of_their_own() -> None:
    """Scores on different data never share a column."""
    bundled = fake_records.record("sentiment", "bert-mini", "full")
    files = replace(bundled, source="files", data=None)
    board = frame.table([bundled, files])
    assert [(c.task, c.source, c.synthetic) for c in board.columns] == [
        ("sentiment", "bundled", True), ("sentiment", "files", False)]
    assert len(board.lines) == 1


def test_two_records_of_one_cell_are_refused() -> None:
    record = fake_records.record("sentiment", "bert-mini", "full")
    with pytest.raises(ValueError, match="two records of the cell sentiment/bert-mini/full"):
        frame.table([record, record])


def test_notes_name_what_could_mislead() -> None:
    said = " ".join(frame.table(fake_records.records()).notes)
    assert "Synthetic data" in said
    assert "ner/gpt2-mini/full" in said
    assert "Gave one answer for every test row with at least one seed: sentiment/gpt2-mini/head_only." in said
    assert "compare with care" not in said


def test_cells_with_different_rows_or_budgets_are_noted() -> None:
    first, second = pair(90.0, 80.0)
    assert first.data is not None
    other = replace(second, data=replace(first.data, sha256="e" * 64), budget={"trials": 9})
    said = " ".join(frame.table([first, other]).notes)
    assert "sentiment (bundled) did not all learn from and answer the same rows" in said
    assert "sentiment (bundled) did not all have the same budget" in said


def test_rows_have_the_promised_names_and_unrounded_numbers() -> None:
    records = fake_records.records()
    rows = tables.rows(frame.table(records))
    assert len(rows) == len(records)
    promised = ["task", "model", "method", "source", "outcome", "reason", "metric", "score", "low", "high", "seeds",
                "rate", "seconds", "peak_memory", "trainable_params", "total_params"]
    assert list(rows[0])[:16] == promised
    by_key = {r.key: r for r in records}
    for row in rows:
        record = by_key[f"{row['task']}/{row['model']}/{row['method']}"]
        assert (row["score"], row["rate"], row["seeds"]) == (record.score, record.rate, list(record.seed_scores))
    assert json.loads(json.dumps(rows)) == rows


def test_provenance_that_differs_between_records_is_shown_as_a_list_or_a_range() -> None:
    base = fake_records.record("ner", "t5-mini", "full")
    same = {"packages": {"torch": "2.13.0"}}
    records = [replace(base, provenance={"started": f"2031-05-0{n}", **same}) for n in range(1, 6)]
    facts = {fact.name: fact.value for fact in footer.provenance(records)}
    assert facts == {"started": "2031-05-01 … 2031-05-05 (5 values)", "packages": "torch 2.13.0"}
    assert {f.name: f.value for f in footer.provenance(records[:2])}["started"] == "2031-05-01; 2031-05-02"


def test_a_board_of_no_records_is_empty() -> None:
    board = frame.table([])
    assert (board.columns, board.lines, board.failures, board.notes) == ((), (), (), ())


def test_the_frame_is_quick_to_import() -> None:
    heavy = "numpy", "pandas", "scipy", "jinja2"
    code = f"import sys, leaderboard.frame, leaderboard.terminal; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

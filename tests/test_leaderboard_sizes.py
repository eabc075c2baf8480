"""A board of cells with several training-set sizes: lines, marks and floors by size, in every format."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.record import Outcome, Record
from leaderboard import frame, markdown, single, sizes, tables, terminal
from leaderboard.rank import Mark
from tests import fake_records
from tests.test_leaderboard_page import Reader, site_of

SIZES = (100, 500, 1000)


def records(tasks: Sequence[str] = ("sentiment", "qa")) -> list[Record]:
    """Two tasks, two models, two methods, three sizes; one method diverges on one of the tasks."""
    return [
        record for task in tasks for model in ("bert-mini", "gpt2-mini") for method in ("full", "lora[r=8]")
        for record in fake_records.curve(task, model, method, *SIZES)
    ]


BOARD = frame.table(records())


def floored(record: Record, floor: float) -> Record:
    """The record with another floor, as where a floor is learnt from the training rows."""
    return replace(record, floors={"majority": {record.metric: floor}})


def test_every_model_and_method_has_a_line_for_each_size() -> None:
    lines = [(line.model, line.rows, line.method) for line in BOARD.lines]
    assert lines == [
        (model, rows, method)
        for model in ("bert-mini", "gpt2-mini") for rows in SIZES for method in ("full", "lora[r=8]")
    ]
    assert BOARD.sized
    assert all(len(line.entries) == 2 and None not in line.entries for line in BOARD.lines)


def test_one_size_is_no_column() -> None:
    """Even where it is another one for every task."""
    one = fake_records.curve("sentiment", "bert-mini", "full", 300)
    board = frame.table([*one, *fake_records.curve("qa", "bert-mini", "full", 256)])
    assert not board.sized
    assert [line.rows for line in board.lines] == [None]
    assert "rows" not in terminal.render(board).splitlines()[2]


def test_the_marks_compare_cells_of_one_task_at_one_size_only() -> None:
    view = BOARD.tasks[0]
    for size in SIZES:
        entries = [entry for entry in view.entries if entry.level.rows == size]
        best = max(entries, key=lambda entry: entry.record.score or 0.0)
        assert [entry for entry in entries if entry.mark is Mark.BEST] == [best]
        assert best.position == 1.0
        assert best.level.best == best.record.score


def test_a_task_lists_its_largest_size_first_and_the_best_of_it_at_the_top() -> None:
    entries = BOARD.tasks[0].entries
    assert [entry.level.rows for entry in entries] == [1000] * 4 + [500] * 4 + [100] * 4
    assert entries[0].mark is Mark.BEST


def test_a_score_is_read_against_the_floor_of_its_own_size() -> None:
    small, large = fake_records.curve("sentiment", "bert-mini", "full", 100, 1000)
    board = frame.table([floored(small, 99.0), floored(large, 50.0)])
    assert [entry.beaten for line in board.lines for entry in line.entries if entry is not None] == [True, False]
    assert [(floor.rows, floor.floors) for floor in board.floors] == [
        (100, (("majority", 99.0),)), (1000, (("majority", 50.0),)),
    ]
    floors = [line.split() for line in terminal.render(board).splitlines() if line.startswith("floor ")]
    assert floors == [["floor", "100", "99.0"], ["floor", "1,000", "50.0"]]
    assert "| floor |  | 1,000 | 50.0<br>majority |" in markdown.main_table(board)


def test_floors_that_are_the_same_for_all_sizes_are_told_once() -> None:
    assert [floor.rows for floor in BOARD.floors] == [None]
    assert markdown.main_table(BOARD).count("52.4<br>majority") == 1


def test_the_rows_are_those_that_there_really_were() -> None:
    """Not those that were asked for: data can have fewer."""
    made = fake_records.curve("sentiment", "bert-mini", "full", 100, 3000)
    assert made[1].data is not None
    made[1] = replace(made[1], data=replace(made[1].data, train=1500))
    assert sizes.train_rows(made) == (100, 1500)
    assert "3,000" not in markdown.main_table(frame.table(made))
    assert "full@3000" in single.render(made[1])
    assert "1,500 train" in single.render(made[1])


def test_a_cell_that_ended_before_its_data_were_read_stands_with_the_others_of_its_size() -> None:
    known, lost = (fake_records.curve("sentiment", "bert-mini", method, 3000)[0] for method in ("full", "scratch"))
    assert known.data is not None
    known = replace(known, data=replace(known.data, train=1500))
    lost = replace(lost, data=None, outcome=Outcome.TIMED_OUT, score=None)
    assert sizes.train_rows([known, lost]) == (1500, 1500)
    assert sizes.train_rows([lost]) == (3000,)
    assert sizes.train_rows([replace(lost, budget={})]) == (None,)


def test_two_sizes_beyond_the_data_are_two_lines_with_the_same_rows() -> None:
    made = fake_records.curve("sentiment", "bert-mini", "full", 100, 2000, 3000)
    beyond = [replace(r, data=replace(r.data, train=1500)) if r.data is not None else r for r in made[1:]]
    assert [line.rows for line in frame.table([made[0], *beyond]).lines] == [100, 1500, 1500]


def test_a_cell_without_a_size_in_its_name_stands_among_the_sizes_by_its_rows() -> None:
    whole = fake_records.record("sentiment", "bert-mini", "full")
    board = frame.table([whole, *fake_records.curve("sentiment", "bert-mini", "full", 100)])
    assert [(line.rows, entry.record.key) for line in board.lines for entry in line.entries if entry is not None] == [
        (100, "sentiment/bert-mini/full@100"), (1500, "sentiment/bert-mini/full"),
    ]


def test_what_differs_by_size_only_is_no_reason_for_a_warning() -> None:
    """Every size has rows and a budget of its own; another number of trials is still told."""
    made = [
        replace(r, data=replace(r.data, sha256=f"{r.train_size:064d}")) if r.data is not None else r for r in records()
    ]
    assert not any("compare with care" in note for note in frame.table(made).notes)
    assert any("same number of rows" in note for note in frame.table(made).notes)
    made[0] = replace(made[0], budget={**made[0].budget, "trials": 9})
    assert any("did not all have the same budget" in note for note in frame.table(made).notes)


def test_test_rows_that_are_known_from_training_are_counted_with_the_largest_set() -> None:
    made = [
        replace(r, data=replace(r.data, overlap=(r.train_size or 0) // 100)) if r.data is not None else r
        for method in ("scratch", "full") for r in fake_records.curve("sentiment", "bert-mini", method, *SIZES[::-1])
    ]
    assert any(note.startswith("10 of the 600 test rows of sentiment") for note in frame.table(made).notes)


def test_the_terminal_and_markdown_have_a_column_of_rows() -> None:
    told = [line.split() for line in terminal.render(BOARD).splitlines()]
    assert next(line for line in told if "sentiment" in line)[0] == "rows"
    assert ["lora[r=8]", "1,000"] in [line[:2] for line in told]
    assert "| model | method | rows | sentiment<br>" in markdown.main_table(BOARD)
    assert "| bert-mini | full | 1,000 | " in markdown.task_table(BOARD.tasks[0])


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_terminal_board_still_fits_its_width(width: int) -> None:
    assert max(map(len, terminal.render(BOARD, width).splitlines())) <= width


def test_the_csv_names_the_rows_of_every_cell() -> None:
    lines = list(csv.DictReader(io.StringIO(tables.as_csv(frame.table(records(("sentiment",)))))))
    assert [line["train_rows"] for line in lines] == ["100", "500", "1000"] * 4
    assert {line["method"] for line in lines} == {"full", "lora[r=8]"}


def test_the_page_has_a_column_and_a_filter_of_rows() -> None:
    reader = Reader(site_of(list(BOARD.records), "sizes")["leaderboard.html"])
    filters = [a["value"] for a in reader.all("input") if a.get("name") == "rows"]
    assert filters == ["100", "500", "1,000"]
    shown = [a["data-rows"] for a in reader.all("tr") if "data-rows" in a]
    assert len(shown) == len(BOARD.lines)
    assert set(shown) == set(filters)
    assert "from 1,000 rows" in reader.said()
    assert "lora[r=8]@500" in reader.said()  # the cell without a score

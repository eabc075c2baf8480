"""All that is said about a run: groups, marks, figures over several tasks; the same in any order."""

from __future__ import annotations

import dataclasses
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.record import Record
from bench.store import Store
from leaderboard import gallery, markdown, render, study, terminal
from leaderboard.rank import OVERLAP, PAIRED, Mark
from leaderboard.site import Site
from leaderboard.study import Study
from tests import fake_records, fake_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "nightly"
    fake_run.write(folder, 15, rows=40)
    return folder


@pytest.fixture(scope="module")
def found(run: Path) -> Study:
    return study.of(Store(run), Store(run).records())


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run, tmp_path / "nightly")


def marks(found: Study, task: str) -> dict[str, Mark]:
    view = next(view for view in found.board.tasks if view.column.task == task)
    return {entry.record.key: entry.mark for entry in view.entries}


def test_there_is_a_group_for_each_task_with_all_its_cells_the_best_first(found: Study) -> None:
    assert [group.task for group in found.groups] == [column.task for column in found.board.columns]
    for group in found.groups:
        scores = [record.score for record in group.records if record.score is not None]
        assert scores == sorted(scores, reverse=True)
        assert len(group.records) == 15
        assert group.panel is not None
        assert group.panel.names == tuple(r.names for r in group.records if r.score is not None) == tuple(group.places)
        assert group.panel.values.tolist() == pytest.approx(scores)
        assert (group.left_out, group.basis) == ({}, PAIRED)


def test_marks_are_those_of_the_places(found: Study) -> None:
    for group in found.groups:
        may = {"/".join(names) for names, place in group.places.items() if place.may_be_best}
        marked = {key for key, mark in marks(found, group.task).items() if mark}
        assert marked == may | {group.records[0].key}
    assert not any("overlap" in note for note in found.board.notes)


def test_a_cell_without_answers_makes_the_marks_of_its_task_coarse_and_the_board_says_so(copy: Path) -> None:
    store = Store(copy)
    records = store.records()
    first = next(r for r in records if r.task == "qa" and r.score is not None)
    store.remove_predictions(first.names)
    again = study.of(store, records)
    assert {group.task: group.basis for group in again.groups if group.basis == OVERLAP} == {"qa": OVERLAP}
    (group,) = (g for g in again.groups if g.task == "qa")
    assert group.left_out == {first.key: "its answers are not kept"}
    assert any(note.startswith("The marks of qa (bundled) rest on whether") for note in again.board.notes)


def test_answers_that_cannot_be_read_are_left_out_and_said_to_be(copy: Path) -> None:
    store = Store(copy)
    records = store.records()
    lost = next(r for r in records if r.task == "ner")
    store.path("predictions", lost.names, "parquet").write_bytes(b"not parquet")
    (group,) = (g for g in study.of(store, records).groups if g.task == "ner")
    assert group.left_out == {lost.key: "its answers cannot be read"}


def test_a_run_without_answers_is_studied_too(tmp_path: Path) -> None:
    records = fake_records.records()
    found = study.of(Store(tmp_path), records)
    assert all(group.panel is None and group.places == {} for group in found.groups)
    assert found.overall == ()
    assert not found.board.overall


def test_a_study_of_no_records_is_empty(tmp_path: Path) -> None:
    found = study.of(Store(tmp_path), [])
    assert (found.groups, found.overall, found.searches) == ((), (), {})


def test_figures_over_all_tasks_stand_in_the_table_and_below_it(found: Study) -> None:
    (several,) = found.overall
    assert (several.size, len(several.tasks), several.left_out) == (None, 5, {})
    assert len(several.aggregates) == 15
    lines = {(line.model, line.method): line.overall for line in found.board.lines}
    assert lines == {(a.model, a.method): a.score for a in several.aggregates}
    failed = {task for a in several.aggregates for task in a.as_floor}
    assert failed == {"qa (bundled)", "translation (bundled)", "summarization (bundled)"}
    best = several.best_first[0]
    assert best.score is not None
    shown = terminal.render(found.board, None, False, found.overall)
    for text in (shown, markdown.render(found.board, "t", (), found)):
        assert f"{best.score.value:.1f} [{best.score.low:.1f}, {best.score.high:.1f}]" in text


def test_the_main_page_lists_the_lines_over_all_tasks_the_best_first(run: Path, found: Study) -> None:
    _, part = Site(found, Store(run), "t").board().split('id="overall-1"')
    told = re.findall(r'<span class="model">(.*?)</span> <span class="method">(.*?)</span>', part.replace("<wbr>", ""))
    assert told == [(a.model, a.method) for a in found.overall[0].best_first]


def test_what_is_told_over_all_tasks_fits_the_terminal(found: Study) -> None:
    for width in (60, 80, 100):
        assert max(map(len, terminal.render(found.board, width, False, found.overall).splitlines())) <= width


def test_a_line_that_was_never_run_on_a_task_has_no_figure_and_says_what_it_lacks(run: Path, found: Study) -> None:
    gone = ("ner", "t5-mini", "full")
    again = study.of(Store(run), [r for r in found.board.records if r.names != gone])
    (several,) = again.overall
    (line,) = (a for a in several.aggregates if (a.model, a.method) == gone[1:])
    assert (line.score, line.missing) == (None, ("ner (bundled)",))
    assert several.best_first[-1] == line


def test_the_ranking_takes_the_lines_that_are_on_every_task(found: Study) -> None:
    ranking = found.overall[0].ranking
    assert ranking is not None
    assert (len(ranking.names), ranking.tasks) == (15, 5)
    means = {f"{a.model}/{a.method}": a.rank for a in found.overall[0].aggregates}
    for name, rank in zip(ranking.names, ranking.ranks, strict=True):
        figure = means[name]
        assert figure is not None
        assert rank == pytest.approx(figure.value)


def test_one_task_is_no_several(run: Path, found: Study) -> None:
    assert study.of(Store(run), [r for r in found.board.records if r.task == "qa"]).overall == ()


def sized(copy: Path, *sizes: int) -> list[Record]:
    """The run's cells of two tasks, at several sizes each, with the same answers."""
    store = Store(copy)
    made = []
    for record in [r for r in store.records() if r.task in ("qa", "ner")]:
        rows = store.read_predictions(record.names)
        for size in sizes:
            data = None if record.data is None else replace(record.data, train=min(size, 700))
            one = replace(record, train_size=size, data=data, budget={**record.budget, "train_size": size})
            if rows:
                store.write_predictions(one.names, rows)
            made.append(one)
    return made


def test_sizes_are_compared_within_themselves_only(copy: Path) -> None:
    records = sized(copy, 100, 500)
    found = study.of(Store(copy), records)
    assert [(g.task, g.rows) for g in found.groups] == [("ner", 100), ("ner", 500), ("qa", 100), ("qa", 500)]
    assert [several.size for several in found.overall] == [100, 500]
    assert all(a.method in fake_records.METHODS for several in found.overall for a in several.aggregates)
    small, large = ([a.score and a.score.value for a in several.aggregates] for several in found.overall)
    assert small == large
    assert all(line.overall is not None for line in found.board.lines)


def test_two_sizes_of_the_same_rows_are_compared_with_each_other_but_told_apart_over_tasks(copy: Path) -> None:
    found = study.of(Store(copy), sized(copy, 700, 900))
    assert [(g.task, g.rows) for g in found.groups] == [("ner", 700), ("qa", 700)]
    assert [(s.size, len(s.aggregates)) for s in found.overall] == [(700, 15), (900, 15)]


def test_the_search_of_every_cell_is_there(found: Study) -> None:
    assert set(found.searches) == {record.names for record in found.board.records}


def test_the_study_is_the_same_for_records_in_any_order(run: Path, found: Study) -> None:
    records = list(found.board.records)
    again = study.of(Store(run), random.Random(1).sample(records, len(records)))
    assert again.board == found.board
    assert [a.aggregates for a in again.overall] == [a.aggregates for a in found.overall]
    for one, other in zip(found.groups, again.groups, strict=True):
        assert one.records == other.records
        assert one.panel is not None
        assert other.panel is not None
        for field in dataclasses.fields(one.panel):
            value, same = getattr(one.panel, field.name), getattr(other.panel, field.name)
            assert np.array_equal(value, same) if isinstance(value, np.ndarray) else value == same


def test_markdown_tells_search_ranks_and_the_rule(run: Path, found: Study) -> None:
    text = markdown.render(found.board, "nightly", gallery.figures(found), found)
    assert "## All 5 tasks" in text
    assert "## Search" in text
    assert "counts as the floor (0)" in text
    place = next(iter(found.groups[0].places.values()))
    assert f"[{place.low}\N{EN DASH}{place.high}]" in text
    assert text == (render.publish(run)[0]).read_text(encoding="utf-8")

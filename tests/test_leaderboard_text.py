"""The board in the terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from bench.record import Outcome, Record
from leaderboard import figures, frame, markdown, notes, single, tables, terminal
from tests import fake_records

BOARD = frame.table(fake_records.records())
HOSTILE = "<script>alert(1)</script>|\x1b[31m`x`\n# evil"


def hostile() -> Record:
    record = fake_records.record("sentiment", "bert-mini", "full")
    return replace(record, model=HOSTILE, outcome=Outcome.FAILED, reason=HOSTILE, score=None, low=None, high=None)


def test_the_terminal_board_shows_every_score_with_its_spread() -> None:
    text = terminal.render(BOARD)
    for entry in (e for line in BOARD.lines for e in line.entries if e is not None and e.scored):
        assert f"{entry.record.score:.1f} ±{entry.spread:.1f}" in text


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140])
def test_the_terminal_board_fits_its_width(width: int) -> None:
    assert max(map(len, terminal.render(BOARD, width).splitlines())) <= width


def test_five_tasks_and_the_time_fit_100_columns() -> None:
    """In one table: no task is told below another."""
    heading = next(line for line in terminal.render(BOARD, 100).splitlines() if "sentiment" in line)
    assert heading.split()[:6] == ["sentiment", "ner", "qa", "summarization", "translation", "time"]


def test_a_narrow_terminal_gets_the_tasks_below_each_other() -> None:
    text = terminal.render(BOARD, 60)
    assert text.count("bert-mini (encoder)\n") > 1
    assert all(column.task in text for column in BOARD.columns)


def test_colour_changes_nothing_but_colour() -> None:
    coloured = terminal.render(BOARD, 120, color=True)
    bare = re.sub(r"\x1b\[\d+m", "", coloured)
    assert coloured != bare
    assert [line.rstrip() for line in bare.splitlines()] == terminal.render(BOARD, 120).splitlines()


def test_a_cell_of_which_some_seeds_diverged_says_how_many_and_has_no_mean() -> None:
    """What the others scored is in its reason and on its pages; a mean of these alone would hide the lost one."""
    whole = fake_records.record("qa", "bert-mini", "full")
    lost = replace(whole.finals[1], state="DIVERGED", scores=None, reason="the training loss was nan by step 9")
    finals = (whole.finals[0], lost, whole.finals[2])
    partly = replace(
        whole, outcome=Outcome.DIVERGED, score=None, low=None, high=None, scores=None, finals=finals, reason="nan")
    board = frame.table([partly])
    for text in (terminal.render(board), markdown.render(board, "t"), tables.as_latex(board, "t")):
        assert "DIVERGED (1 of 3 seeds)" in text
    (row,) = csv.DictReader(io.StringIO(tables.as_csv(board)))
    assert (row["outcome"], row["score"], len(json.loads(row["seeds"]))) == ("DIVERGED", "", 2)
    assert "±" not in markdown.render(board, "t").partition("##")[0]
    assert notes.ending(replace(partly, finals=(lost,))) == "DIVERGED"


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.OK])
def test_a_failed_cell_shows_its_outcome_and_its_reason(outcome: Outcome) -> None:
    entry = next(e for e in BOARD.failures if e.record.outcome is outcome)
    first = (entry.record.reason or "").splitlines()[0]
    for text in (terminal.render(BOARD), markdown.render(BOARD, "t").replace("\\", "")):
        assert text.count(outcome) >= 2
        assert first in text


def test_floors_are_a_row_and_named() -> None:
    text = terminal.render(BOARD)
    assert re.search(r"^floor +52\.4 +0\.0 +14\.2 +33\.8 +3\.9$", text, re.MULTILINE)
    blank = f" +{figures.UNKNOWN}"
    assert re.search(rf"^baseline{blank} +31\.7{blank * 3}$", text, re.MULTILINE)
    assert "Baselines: ner most_frequent_tag" in text
    assert "52.4<br>majority" in markdown.main_table(BOARD)


def test_synthetic_data_is_said_to_be_synthetic() -> None:
    assert "bundled, synthetic" in terminal.render(BOARD)
    assert "| sentiment<br>accuracy<br>bundled, synthetic |" in markdown.main_table(BOARD)
    assert "data" in single.render(BOARD.records[0])
    assert "bundled, synthetic" in single.render(BOARD.records[0])


def test_test_rows_that_are_known_from_training_are_told_once_a_task() -> None:
    known = []
    for method in ("full", "scratch"):
        record = fake_records.record("sentiment", "bert-mini", method)
        assert record.data is not None
        known.append(replace(record, data=replace(record.data, overlap=12)))
    said = notes.of(known)
    assert sum("12 of the 600 test rows of sentiment (bundled)" in note for note in said) == 1
    assert not any("very inputs" in note for note in notes.of(BOARD.records))


def test_sources_that_differ_are_told_in_the_heading() -> None:
    record = fake_records.record("sentiment", "bert-mini", "full")
    text = terminal.render(frame.table([record, replace(record, source="files", data=None)]))
    assert re.search(r"^ +bundled, synthetic +files", text, re.MULTILINE)


def test_no_records_are_said_so() -> None:
    empty = frame.table([])
    assert terminal.render(empty) == "No records yet."
    assert "no cells" in markdown.render(empty, "t")


def test_hostile_text_steers_no_terminal() -> None:
    board = frame.table([hostile()])
    for text in (terminal.render(board), single.render(hostile())):
        assert "\x1b" not in text
        assert "\n# evil" not in text


def test_hostile_text_is_escaped_in_markdown() -> None:
    text = markdown.render(frame.table([hostile()]), "a <b> | title")
    assert "<script>" not in text
    assert "\n# evil" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|" in text
    assert text.startswith("# a &lt;b&gt; \\| title\n")
    for block in text.split("\n\n"):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line.startswith("|")}
        assert len(cells) <= 1


def test_the_csv_has_a_line_a_cell_and_every_digit() -> None:
    records = fake_records.records()
    lines = list(csv.DictReader(io.StringIO(tables.as_csv(frame.table(records)))))
    rows = tables.rows(frame.table(records))
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line["score"] == ("" if row["score"] is None else repr(row["score"]))
        assert json.loads(line["seeds"]) == row["seeds"]
        assert line["reason"] == (row["reason"] or "")


def test_a_spreadsheet_runs_nothing_from_the_csv() -> None:
    record = replace(fake_records.record("qa", "t5-mini", "head_only"), reason="=cmd|' /C calc'!A0")
    line = next(csv.DictReader(io.StringIO(tables.as_csv(frame.table([record])))))
    assert line["reason"] == "'=cmd|' /C calc'!A0"


def test_a_cell_in_full_tells_its_search_its_seeds_and_its_cost() -> None:
    record = fake_records.record("translation", "t5-mini", "lora[r=8]")
    text = single.render(record)
    assert f"bleu           {record.score:.1f} ±" in text
    assert all(f"trial {t.number}" in text for t in record.trials)
    assert all(f"seed {t.seed}" in text for t in record.finals)
    assert "length_ratio   1.04" in text
    assert "48,510 of 2,310,000" in text
    assert "PRUNED" in text


def test_a_failed_cell_in_full_keeps_the_lines_of_its_reason() -> None:
    text = single.render(fake_records.record("summarization", "gpt2-mini", "freeze"))
    assert "RuntimeError: sizes do not match\n    File" in text

"""The board for other programs: the same numbers in every format, to the digit."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from bench.store import Store
from leaderboard import figures, frame, markdown, render, study, tables
from leaderboard.study import Study
from tests import fake_records, fake_run

HOSTILE = r"a_b & 50% \cmd{x} $y$ #1 ~ ^ <script> |"
SCORE = r"\d+\.\d±\d+\.\d"
LATEX = {r"$\approx$": "≈", r"$\downarrow$": "↓", r"$\leq$": "≤", r"$\pm$": "±", "--": figures.UNKNOWN}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    fake_run.write(folder, 15, rows=40)
    return folder


@pytest.fixture(scope="module")
def found(run: Path) -> Study:
    return study.of(Store(run), Store(run).records())


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def as_text(value: Any) -> str:
    """A value as the CSV writes it."""
    if isinstance(value, list):
        return json.dumps(value)
    return "" if value is None else str(value)


def cells(table: str) -> list[list[str]]:
    """The fields of a Markdown table's lines, without its rule."""
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[field.strip() for field in line.strip("|").split(" | ")] for line in lines]


def latex_cells(text: str, table: int = 1, names: int = 2) -> list[list[str]]:
    """The fields of the lines of the first or second table; the two columns of a number are one field."""
    body = text.split(r"\toprule")[table].split(r"\bottomrule")[0]
    lines = [line.removesuffix(r"\\") for line in body.splitlines() if line.endswith(r"\\")]
    found = []
    for fields in ([field.strip() for field in re.split(r"(?<!\\)&", line)] for line in lines):
        found.append(fields[:names])
        rest = iter(fields[names:])
        for field in rest:
            both = re.fullmatch(r"\\multicolumn\{2\}\{c\}\{(.*)\}", field)
            found[-1].append(both[1] if both else f"{field} {next(rest)}".strip())
    return found


def plain(field: str) -> str:
    """A field of the Markdown or the LaTeX table without what is only layout."""
    for latex, mark in LATEX.items():
        field = field.replace(latex, mark)
    field = re.sub(r"\\textbf\{(.*?)\}", r"**\1**", field).split("<br>")[0]
    return re.sub(r"\\([\\_\[\]])", r"\1", field)


def test_csv_and_parquet_hold_the_same_numbers(found: Study) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(tables.as_parquet(found.board))).to_pylist()
    read = csv_rows(tables.as_csv(found.board))
    assert table == tables.rows(found.board)
    assert [{name: as_text(value) for name, value in row.items()} for row in table] == read
    assert len(read) == len(found.board.records) == 75


def test_csv_holds_what_the_main_table_says_of_all_tasks_and_the_other_measures(found: Study) -> None:
    read = csv_rows(tables.as_csv(found.board))
    head, *lines = cells(markdown.main_table(found.board))
    at = next(i for i, name in enumerate(head) if name.startswith("overall"))
    shown = {tuple(plain(field) for field in line[:2]): line[at] for line in lines}
    told = [row for row in read if row["overall"]]
    assert told
    for row in told:
        numbers = (float(row[name]) for name in ("overall", "overall_low", "overall_high"))
        assert figures.bounded(*numbers) == shown[row["model"], row["method"]]
    measures = [json.loads(row["measures"]) for row in read if row["score"]]
    assert [each[row["metric"]] for each, row in zip(measures, (r for r in read if r["score"]), strict=True)] == [
        float(row["score"]) for row in read if row["score"]]


def test_latex_shows_what_markdown_shows(found: Study) -> None:
    shown, printed = cells(markdown.main_table(found.board)), latex_cells(tables.as_latex(found.board, "run"))
    tasks = len(found.board.columns)
    wanted = [[plain(field) for field in line[: 3 + tasks]] for line in shown[1:]]
    assert [[plain(field) for field in line] for line in (printed[:1] + printed[2:])][1:] == wanted
    assert any("≈" in field for line in wanted for field in line)


def test_latex_has_the_intervals_of_the_scores(found: Study) -> None:
    lines = latex_cells(tables.as_latex(found.board, "run"), table=2)[2:]
    wanted = [
        [figures.interval(r.low, r.high) if r.score is not None else str(r.outcome) for r in records]
        for records in ([entry.record for entry in line.entries if entry] for line in found.board.lines)
    ]
    assert [[plain(field) for field in line[2:]] for line in lines] == wanted


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (Debian: texlive-latex-recommended)")
def test_latex_compiles_whatever_names_say(found: Study, tmp_path: Path) -> None:
    hostile = replace(fake_records.record("qa", "t5-mini", "full"), model=f"[5pt] {HOSTILE}", task=HOSTILE, method="*")
    both = [tables.as_latex(found.board, "run"), tables.as_latex(frame.table([hostile]), HOSTILE)]
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}\tiny"
    (tmp_path / "paper.tex").write_text("\n".join([head, *both, r"\end{document}"]), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").exists()


def test_tables_show_the_numbers_of_the_cells_rounded(found: Study) -> None:
    """Markdown's main table against the CSV, which is not rounded."""
    read = {(r["task"], r["model"], r["method"]): r for r in csv_rows(tables.as_csv(found.board))}
    head, *lines = cells(markdown.main_table(found.board))
    names = [name.split("<br>")[0] for name in head[2:7]]
    scored = 0
    for line in lines[:15]:
        model, method = (plain(field) for field in line[:2])
        for task, field in zip(names, line[2:7], strict=True):
            row = read[task, model, method]
            wanted = figures.score(float(row["score"])) if row["score"] else row["outcome"]
            assert plain(field).replace("*", "").split(" ")[0] == wanted
            assert ("≈" in field, "**" in field) == (row["mark"] == "tied", row["mark"] == "best")
            assert ("↓" in field, "!" in field) == (row["beaten"] == "True", row["doubtful"] == "True")
            scored += bool(row["score"])
    assert scored == 70


def test_the_page_shows_the_numbers_of_the_cells_too(run: Path, found: Study, tmp_path: Path) -> None:
    """Rounded to be read, whole in the attribute by which it sorts."""
    render.publish(run, tmp_path)
    page = (tmp_path / "leaderboard.html").read_text(encoding="utf-8")
    fields = re.findall(r'<td[^>]*="(\d+\.\d+)"[^>]*>(.*?)</td>', page, re.DOTALL)
    shown = {(value, told[0]) for value, text in fields if (told := re.findall(SCORE, re.sub(r"<.*?>", "", text)))}
    for row in tables.rows(found.board):
        if row["score"] is not None:
            assert (str(row["score"]), f"{figures.score(row['score'])}±{row['spread']:.1f}") in shown


def test_ranks_stand_beside_the_ranks_that_they_may_be(found: Study) -> None:
    rows = [row for row in tables.rows(found.board) if row["rank"] is not None]
    assert len(rows) == 70
    assert all(row["rank_low"] <= row["rank"] <= row["rank_high"] for row in rows)
    assert {row["mark"] for row in rows if row["rank_low"] > 1} <= {"", "best"}


def test_unknown_is_empty_in_csv_and_null_in_parquet() -> None:
    record = replace(fake_records.record("qa", "gpt2-mini", "lora[r=8]"), cost=None)
    board = frame.table([record])
    (row,) = pyarrow.parquet.read_table(io.BytesIO(tables.as_parquet(board))).to_pylist()
    assert (row["score"], row["seconds"], row["rank"], row["spread"], row["seeds"]) == (None, None, None, None, [])
    assert csv_rows(tables.as_csv(board))[0]["score"] == ""


def test_no_field_of_the_csv_is_a_formula() -> None:
    """Spreadsheets run texts that begin like one."""
    record = replace(fake_records.record("qa", "gpt2-mini", "full"), model="=1+1", method="@x", source="+a")
    (row,) = csv_rows(tables.as_csv(frame.table([record])))
    assert (row["model"], row["method"], row["source"]) == ("'=1+1", "'@x", "'+a")


def test_latex_says_where_the_data_come_from_and_that_they_are_synthetic() -> None:
    own = fake_records.record("ner", "bert-mini", "full")
    assert own.data is not None
    alone = tables.as_latex(frame.table([own]), "run")
    assert "Data: bundled, synthetic.}" in alone
    real = replace(own, task="other_task", source="hub", data=replace(own.data, synthetic=False))
    assert r"Data: bundled, synthetic (ner); hub (other\_task).}" in tables.as_latex(frame.table([own, real]), "run")


def test_latex_prints_foreign_text_as_it_is() -> None:
    record = replace(fake_records.record("qa", "t5-mini", "full"), model=HOSTILE, task=HOSTILE, method=HOSTILE)
    text = tables.as_latex(frame.table([record]), HOSTILE)
    escaped = (
        r"a\_b \& 50\% \textbackslash{}cmd\{x\} \$y\$ \#1 \textasciitilde{} \textasciicircum{} \textless{}script"
        r"\textgreater{} \textbar{}"
    )
    assert text.count(escaped) == 8
    assert text.count("{") == text.count("}")
    assert r"\cmd" not in text


def test_a_board_without_records_is_a_table_too() -> None:
    empty = frame.table([])
    assert tables.as_latex(empty, "run") == "% run: no records\n"
    assert csv_rows(tables.as_csv(empty)) == []
    assert pyarrow.parquet.read_table(io.BytesIO(tables.as_parquet(empty))).column_names == list(tables.TYPES)


def test_tables_are_the_same_bytes_for_records_in_any_order(found: Study) -> None:
    shuffled = frame.table(random.Random(0).sample(found.board.records, 75), {
        place.names: place for group in found.groups for place in group.places.values()})
    again = replace(found.board, overall=False, lines=tuple(replace(line, overall=None) for line in found.board.lines))
    for write in (tables.as_csv, tables.as_parquet, lambda board: tables.as_latex(board, "run")):
        assert write(shuffled) == write(again)


def test_published_files_are_the_same_bytes_wherever_the_run_lies(tmp_path: Path) -> None:
    records = fake_run.write(tmp_path / "one" / "run", 6, rows=20)
    for record in reversed(records):
        store = Store(tmp_path / "two" / "run")
        rows = Store(tmp_path / "one" / "run").read_predictions(record.names)
        store.write_record(record)
        if rows:
            store.write_predictions(record.names, rows)
    one, two = (render.publish(tmp_path / name / "run") for name in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]

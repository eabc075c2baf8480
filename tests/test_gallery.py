"""The figures of a run: which there are, the same each time, in words too, with nothing of a stranger's in them."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.record import Point, Record
from bench.store import Store
from leaderboard import gallery, render, study, wanted
from leaderboard.charts import look
from leaderboard.gallery import Figure
from leaderboard.site import Site
from leaderboard.study import Study
from leaderboard.trades import Trade
from leaderboard.wanted import LEARNING, PARETO, PROGRESS, SENSITIVITY
from tests import fake_records
from tests.test_leaderboard_page import SCRIPT, Reader

SIZES = (100, 500, 1000)
METHODS = ("full", "head_only", "lora[r=8]")
TASKS = ("sentiment", "qa")


def sized(*models: str) -> list[Record]:
    return [record for model in models for method in METHODS
            for record in fake_records.curve("sentiment", model, method, *SIZES)]


def small() -> list[Record]:
    return [record for record in fake_records.records() if record.task in TASKS]


def of(made: Sequence[Record], run: Path) -> Study:
    return study.of(Store(run), made)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Figure, ...]:
    return gallery.figures(of(small(), tmp_path_factory.mktemp("run")))


# Which there are


def test_every_task_has_its_trades_and_every_model_its_search(drawn: tuple[Figure, ...]) -> None:
    counts = Counter((figure.kind, figure.task and figure.task[0]) for figure in drawn)
    expected = {(PARETO, t): 3 for t in TASKS} | {(k, t): 3 for k in (SENSITIVITY, PROGRESS) for t in TASKS}
    assert counts == expected
    assert len({figure.name for figure in drawn}) == len(drawn)


def test_tasks_with_several_sizes_have_learning_curves_and_the_others_show_the_largest(tmp_path: Path) -> None:
    found = wanted.of(of(sized("bert-mini", "t5-mini"), tmp_path)).wanted
    counts = Counter(each.kind for each in found)
    assert counts == {LEARNING: 2, PARETO: 3, SENSITIVITY: 2, PROGRESS: 2}
    assert all("@1000" in each.words for each in found if each.kind in (SENSITIVITY, PROGRESS))
    assert {each.values.rows for each in found if isinstance(each.values, Trade)} == {1000}


def test_the_words_name_the_front_and_what_is_not_drawn(drawn: tuple[Figure, ...]) -> None:
    (figure,) = (f for f in drawn if f.name == "pareto-qa-seconds")
    assert re.match(r"13 cells\. On the Pareto front, the cheapest first: .+ \(.+ at .+ s\)", figure.words)
    assert figure.words.endswith("Not drawn, without a score or this cost: gpt2-mini/lora[r=8], t5-mini/head_only.")


def test_of_too_many_figures_every_task_keeps_as_many_and_it_is_said(tmp_path: Path) -> None:
    choice = wanted.of(of(small(), tmp_path), most=4)
    counts = Counter((each.kind, each.task) for each in choice.wanted)
    assert set(counts.values()) == {2}
    assert f"{PARETO}: 4 of 6 figures are drawn, as many of each task." in choice.left_out


def test_a_run_without_records_has_no_figures_and_loads_no_drawing(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom bench.store import Store\nfrom leaderboard import gallery, study\n"
        f"assert gallery.figures(study.of(Store(Path({str(tmp_path)!r})), [])) == ()\n"
        "assert gallery.cell_curves([]) == {}\n"
        "print([m for m in ('altair', 'vl_convert') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# What is in them


def test_figures_are_the_same_for_the_same_records_in_any_order(drawn: tuple[Figure, ...], tmp_path: Path) -> None:
    assert gallery.figures(of(small()[::-1], tmp_path)) == drawn


def test_every_figure_is_whole_and_has_the_colour_of_its_page(drawn: tuple[Figure, ...]) -> None:
    for figure in drawn:
        texts = [e.text for e in ElementTree.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}text")]
        assert figure.title in texts
        assert set(re.findall(r'<text[^>]*fill="([^"]*)"', figure.svg)) == {"currentColor"}
        assert not re.search("NaN|undefined|Infinity", figure.svg)


def test_text_from_data_and_models_stays_text(tmp_path: Path) -> None:
    named = fake_records.curve("sentiment", "bert-mini", "full", *SIZES)
    made = [replace(r, model=f'"{SCRIPT}&\u202e', method=f"lora[{SCRIPT}]", task=SCRIPT) for r in named]
    other = replace(made[-1], method="full", cost=replace(made[-1].cost, seconds=3.0) if made[-1].cost else None)
    found = gallery.figures(of([*made, other], tmp_path))
    assert {figure.kind for figure in found} == {LEARNING, PARETO, SENSITIVITY, PROGRESS}
    for svg in [*(figure.svg for figure in found), *gallery.cell_curves(with_curves(made)).values()]:
        assert "<script" not in svg
        ElementTree.fromstring(svg)
    assert any("&lt;script" in figure.svg for figure in found)


def with_curves(made: Sequence[Record]) -> list[Record]:
    points = tuple(Point(step, step / 10, 1 / step, 50.0 + step, 0.1) for step in (5, 10, 15))
    return [replace(r, finals=tuple(replace(t, curve=points) for t in r.finals)) for r in made]


def test_a_cell_has_a_curve_for_every_seed_and_none_where_nothing_trained() -> None:
    made = small()[:2]
    found = gallery.cell_curves([*with_curves(made[:1]), made[1]])
    assert set(found) == {made[0].names}
    lines = re.findall(r'<path[^>]*stroke="(#\w+)"', found[made[0].names])
    assert Counter(lines) == dict.fromkeys(look.COLORS[:3], 2)


# Files


def test_figures_are_written_and_those_of_an_earlier_board_go(tmp_path: Path) -> None:
    for record in sized("bert-mini", "t5-mini"):
        Store(tmp_path).write_record(record)
    figures = tmp_path / "leaderboard" / "figures"
    first = {path: path.read_bytes() for path in render.publish(tmp_path, png=True) if path.parent == figures}
    assert {f"learning-curve-sentiment-{m}.{k}" for m in ("bert-mini", "t5-mini") for k in ("svg", "png")} < {
        path.name for path in first}
    assert all(content.startswith(b"\x89PNG" if path.suffix == ".png" else b"<svg") for path, content in first.items())
    (figures / "mine.svg").write_text("kept")
    for path in (tmp_path / "records/sentiment/t5-mini").iterdir():
        path.unlink()
    again = {path: path.read_bytes() for path in render.publish(tmp_path) if path.parent == figures}
    assert {path.suffix for path in again} == {".svg"}
    assert {path: content for path, content in again.items() if "bert" in path.name} == {
        path: content for path, content in first.items() if "bert" in path.name and path.suffix == ".svg"}
    assert sorted(path.name for path in figures.iterdir()) == sorted([*(path.name for path in again), "mine.svg"])


def test_the_pages_hold_the_figures_and_still_ask_for_nothing(drawn: tuple[Figure, ...], tmp_path: Path) -> None:
    site = Site(of(small(), tmp_path), Store(tmp_path), "t", drawn)
    pages = {path: content for path, content in site.files() if path.endswith(".html")}
    drawings = [f for page in pages.values() for f in Reader(page).all("figure")]
    assert len(drawings) == len(drawn)
    for page in pages.values():
        reader = Reader(page)
        assert reader.open == []
        texts = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
        assert not re.search(r"https?://|@import|url\((?!#)|xlink:href|<image", texts)
        names = [a["id"] for _, a in reader.tags if "id" in a]
        assert len(names) == len(set(names))

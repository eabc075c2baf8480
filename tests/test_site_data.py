"""What lies behind the pages: comparisons as whole numbers, answers as text, the suite of a cell."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from bench import catalog
from bench.metrics.metric import Array
from bench.plan import make
from bench.record import Record, to_json
from bench.store import Store
from leaderboard import addresses, answers, compared, evidence, paired, rerun, search, study, versus
from leaderboard.panel import Panel, of_answers
from tests import fake_records, site_run
from tests.answers import panel


def cells(several: bool) -> Panel:
    """Cells of one to three seeds, or of one seed that differ by the same on every row."""
    draw = np.random.default_rng(3)
    rows = draw.normal(50, 20, 40)
    if not several:
        return panel({f"m{i}": [rows + i] for i in range(4)})
    return panel({f"m{i}": [rows + i + draw.normal(0, 10, 40) for _ in range(1 + i % 3)] for i in range(4)})


@pytest.mark.parametrize("several", [True, False])
def test_the_table_of_comparisons_says_what_each_comparison_says(several: bool) -> None:
    found = cells(several)
    table = versus.table(found)
    for i, one in enumerate(found.names):
        for other in found.names[:i] + found.names[i + 1 :]:
            wanted, j = paired.compare(found, one, other), found.place(other)
            for name in ("value", "low", "high", "p", "won", "lost"):
                assert getattr(table, name)[i, j] == pytest.approx(getattr(wanted, name), abs=1e-12), name
            effect = table.effect[i, j]
            assert math.isnan(effect) if wanted.effect is None else effect == pytest.approx(wanted.effect)


def test_p_is_corrected_for_all_pairs_whichever_cell_is_first() -> None:
    table = versus.table(cells(several=True))
    half = np.triu_indices(4, 1)
    assert table.adjusted[half] == pytest.approx(paired.holm(table.p[half]))
    assert (table.adjusted == table.adjusted.T).all()


def test_slices_are_corrected_within_each_pair() -> None:
    p = np.random.default_rng(1).uniform(0, 0.2, (5, 3, 3))
    adjusted = paired.holm(p)
    for i in range(3):
        for j in range(3):
            assert adjusted[:, i, j] == pytest.approx(paired.holm(p[:, i, j]))


def test_the_part_of_a_difference_that_is_search_is_that_of_two_records() -> None:
    records = [fake_records.record("ner", m, x) for m in fake_records.MODELS for x in ("full", "freeze")]
    blank = dataclasses.replace(records[0], trials=(), method="none")
    records = [*records, blank]
    found = versus.gaps([search.search(record) for record in records])
    for i, one in enumerate(records):
        for j, other in enumerate(records):
            wanted = search.gap(one, other)
            for name in ("tuned", "untuned", "share"):
                value, expected = getattr(found, name)[i, j], getattr(wanted, name)
                assert math.isnan(value) if expected is None else value == pytest.approx(expected), name


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_numbers_are_rounded_as_they_are_written_elsewhere(digits: int) -> None:
    """0.35 is a little less than that: times ten it is rounded to a tie, which it is not."""
    ties = [n / 40 for n in range(-90, 90)]
    values = np.array([*ties, *np.random.default_rng(0).normal(0, 5, 500)])
    codes = versus.scaled(values, digits)
    assert [code / 10**digits for code in codes.tolist()] == [float(f"{v:.{digits}f}") for v in values.tolist()]


def test_what_is_unknown_or_too_large_is_marked_so() -> None:
    assert versus.scaled(np.array([np.nan, np.inf, -np.inf, 5000.0]), 1).tolist() == [versus.UNKNOWN] * 4


def test_packed_numbers_are_16_bit_integers_and_one_half_of_the_pairs_is_kept() -> None:
    square: Array = np.arange(9.0).reshape(3, 3)
    assert versus.upper(square).tolist() == [1, 2, 5]
    packed = versus.packed(versus.scaled(versus.upper(square), 1))
    assert np.frombuffer(base64.b64decode(packed), "<i2").tolist() == [10, 20, 50]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site_run.run(tmp_path_factory.mktemp("runs") / "nightly")


def group_of(run: Path, task: str) -> tuple[Store, study.Group]:
    store = Store(run)
    return store, next(g for g in study.of(store, store.records()).groups if g.task == task)


def test_scores_on_slices_are_those_of_the_panels_on_them(run: Path) -> None:
    store, group = group_of(run, "ner")
    assert group.panel is not None
    found = evidence.of(store, group.panel)
    cells = {names: store.read_answers(names) for names in group.panel.names}
    assert len(found.parts) == 2
    for i, part in enumerate(found.parts):
        assert found.scores[i] == pytest.approx(of_answers(group.panel.metric, cells, part.rows).values)
    assert found.heat.min() == 0
    assert found.heat.max() == 1


def test_contrasts_are_the_comparisons_on_each_slice(run: Path) -> None:
    store, group = group_of(run, "ner")
    assert group.panel is not None
    found = evidence.of(store, group.panel)
    cells = {names: store.read_answers(names) for names in group.panel.names}
    one, other = group.panel.names[:2]
    panels = [of_answers(group.panel.metric, cells, part.rows) for part in found.parts]
    wanted = [paired.compare(each, one, other) for each in panels]
    assert found.contrasts is not None
    assert found.contrasts.value[:, 0, 1] == pytest.approx([d.value for d in wanted])
    assert found.contrasts.low[:, 0, 1] == pytest.approx([d.low for d in wanted])
    assert found.contrasts.adjusted[:, 0, 1] == pytest.approx(paired.holm([d.p for d in wanted]))


def test_of_very_many_cells_the_best_can_be_compared_and_slices_are_not_tested(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_TESTED", 3)
    monkeypatch.setattr(evidence, "MOST_PAIRED", 4)
    store, group = group_of(run, "ner")
    assert group.panel is not None
    found = evidence.of(store, group.panel)
    where = addresses.Addresses((("ner", "bundled"),))
    told = compared.group(where, group, found)
    assert found.contrasts is None
    assert not told["tested"]
    assert [cell["key"] for cell in told["cells"]] == ["/".join(n) for n in group.panel.names[:4]]
    assert told["left"] == 2
    searches = {record.names: search.search(record) for record in group.records}
    files = dict(compared.files(where, group, found, searches))
    assert sorted(path.rpartition("/")[2] for path in files) == ["0.js", "1.js", "2.js", "3.js", "pairs.js", "rows.js"]


def test_the_rows_that_are_shown_are_those_that_tell_cells_apart(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_ROWS", 5)
    store, group = group_of(run, "sentiment")
    assert group.panel is not None
    found = evidence.of(store, group.panel)
    spread = group.panel.examples.std(axis=0)
    assert len(found.examples) == 5
    assert min(spread[list(found.examples)]) >= max(np.delete(spread, list(found.examples)))


def test_data_for_the_page_cannot_end_a_script() -> None:
    text = compared.script("data/x.js", ["</script>", "<!--", "\u2028"])
    assert "<" not in text
    assert text.isascii()
    assert json.loads(text[len('board("data/x.js",'):-3]) == ["</script>", "<!--", "\u2028"]


@pytest.mark.parametrize(("answer", "asked", "shown"), [
    ('"positive"', "a text", "positive"),
    ('""', "a text", "(nothing)"),
    ("null", "a text", "(nothing)"),
    ("3.5", "a text", "3.5"),
    ('{"text": ["the nurse", "nurse"], "answer_start": [1, 5]}', "who?", "the nurse / nurse"),
    ('["B-PER", "I-PER", "O", "B-LOC"]', "anna maria in rome", "anna maria (PER) · rome (LOC)"),
    ('["I-PER", "B-PER", "I-LOC"]', "anna maria rome",
     "anna (I-PER without B-PER) · maria (PER) · rome (I-LOC without B-LOC)"),
    ('["B-PER", "I-ORG", "I-ORG", "O"]', "anna of rome .", "anna (PER) · of rome (I-ORG without B-ORG)"),
    ('["O", "O"]', "nothing here", "no entity"),
    ('["one", "another"]', "texts", "one / another"),
])
def test_answers_are_shown_as_people_read_them(answer: str, asked: str, shown: str) -> None:
    assert answers.shown(answer, asked) == shown


def test_text_is_shown_on_one_line_without_what_steers_and_cut() -> None:
    assert answers.cut("two\nlines \u202e turned") == "two lines turned"
    assert answers.cut("plain   text") == "plain text"
    assert answers.cut("x" * 500) == "x" * 399 + "…"


@pytest.mark.parametrize(("suite", "sizes"), [("smoke", ()), ("smoke", (64, 128))])
def test_the_suite_of_a_cell_plans_the_very_same_cell(
    tmp_path: Path, suite: str, sizes: tuple[int, ...]
) -> None:
    plan = make(dataclasses.replace(catalog.suite(suite), train_sizes=sizes))
    cell = plan.cells[-1]
    record = Record(
        task=cell.task.name, model=cell.model.name, method=cell.method_name, source=cell.source, family="encoder",
        head="classify", fingerprint=cell.fingerprint, outcome=fake_records.record("qa", "bert-mini", "full").outcome,
        metric="accuracy", budget=to_json(cell.budget), train_size=cell.train_size,
    )
    path = tmp_path / rerun.FILE
    path.write_text(rerun.suite(record), encoding="utf-8")
    assert [c.fingerprint for c in make(catalog.suite(str(path))).cells] == [record.fingerprint]


def test_the_command_names_the_suite_and_where_files_lie() -> None:
    record = fake_records.record("qa", "bert-mini", "full")
    assert rerun.command(record) == "python -m bench run --suite cell.toml"
    assert record.data is not None


def test_a_task_from_two_sources_has_two_pages() -> None:
    where = addresses.Addresses((("qa", "hub"), ("qa", "bundled"), ("ner", "hub")))
    assert where.task("qa", "hub") == "tasks/qa@hub.html"
    assert where.task("ner", "hub") == "tasks/ner.html"
    assert where.group("qa", "hub", 300) == "data/qa@hub/300"

"""The HTML page: complete without script, without any request, with all foreign text escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.errors import StoreError
from bench.record import Record, Spent
from bench.store import Store
from leaderboard import addresses, budgets, figures, frame, gallery, health, render, rerun, study
from leaderboard.gallery import Figure
from leaderboard.site import Site
from leaderboard.study import Study
from tests import fake_records

VOID = frozenset({"meta", "link", "input", "br"})
SCRIPT = "<script>alert('gotcha')</script>"


class Reader(HTMLParser):
    """Tags with their attributes, text by tag, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[tuple[str, str]] = []
        self.feed(page.replace("<wbr>", ""))  # a place where a line may break is not said
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            raise AssertionError(f"</{tag}> closes {self.open[-1:]}")

    def handle_data(self, data: str) -> None:
        self.text.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def said(self) -> str:
        return " ".join(" ".join(text for tag, text in self.text if tag not in ("style", "script")).split())


NOWHERE = Path("no run is here")


def site_of(records: list[Record], title: str = "glue-lite") -> dict[str, str]:
    """The files of a site of records without answers."""
    store = Store(NOWHERE)
    return dict(Site(study.of(store, records), store, title).files())


@pytest.fixture(scope="module")
def site() -> dict[str, str]:
    return site_of(fake_records.records())


@pytest.fixture(scope="module")
def page(site: dict[str, str]) -> str:
    return site["leaderboard.html"]


def pages(site: dict[str, str]) -> dict[str, Reader]:
    return {path: Reader(text) for path, text in site.items() if path.endswith(".html")}


def test_every_page_is_well_formed_and_its_names_are_unique(site: dict[str, str]) -> None:
    for path, reader in pages(site).items():
        assert reader.open == [], path
        names = [a["id"] for _, a in reader.tags if "id" in a]
        assert len(names) == len(set(names)), path


def test_every_link_leads_to_a_place_on_a_page_of_the_site(site: dict[str, str]) -> None:
    read = pages(site)
    names = {path: {a["id"] for _, a in reader.tags if "id" in a} for path, reader in read.items()}
    for path, reader in read.items():
        links = [a["href"] for a in reader.all("a")] + [a["src"] for a in reader.all("script") if "src" in a]
        for link in [str(link) for link in links] + [str(a["href"]) for a in reader.all("link")][1:]:
            target, _, place = link.partition("#")
            goal = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
            assert goal in site, f"{path}: {link}"
            assert not place or goal == "compare.html" or place in names[goal], f"{path}: {link}"


def test_the_main_page_holds_all_that_it_needs_and_none_asks_for_anything_from_elsewhere(site: dict[str, str]) -> None:
    read = pages(site)
    assert not any("src" in attributes for _, attributes in read["leaderboard.html"].tags)
    assert [a["href"] for a in read["leaderboard.html"].all("link")] == ["data:,"]
    for reader in read.values():
        addresses = [a.get("src") or a.get("href") or "" for _, a in reader.tags]
        assert not [link for link in addresses if re.match(r"\w+:|//", link) and link != "data:,"]
    assert not re.search(r"@import|url\(", site["assets/board.css"])
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest", site["assets/compare.js"])


def test_only_our_own_script_may_run(page: str) -> None:
    """The content security policy names its hash, so that no injected script would run either."""
    reader = Reader(page)
    script = "".join(text for tag, text in reader.text if tag == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_the_other_pages_run_only_the_scripts_of_the_site(site: dict[str, str]) -> None:
    for path, reader in pages(site).items():
        if path != "leaderboard.html":
            policy = next(a["content"] for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
            assert policy is not None
            assert policy.startswith("default-src 'none'")
            assert "script-src 'self';" in policy
            assert all("src" in a for a in reader.all("script"))


def test_every_score_spread_and_reason_is_on_the_page(page: str) -> None:
    said = Reader(page).said()
    board = frame.table(fake_records.records())
    for entry in (e for view in board.tasks for e in view.entries):
        if entry.scored:
            assert f"{entry.record.score:.1f} ±{entry.spread:.1f}" in said
        else:
            assert " ".join((entry.record.reason or "").split()) in said
            assert entry.record.outcome.replace("_", " ") in said


def test_a_tasks_page_and_its_cells_name_floors_and_baselines_for_what_they_are(site: dict[str, str]) -> None:
    said = Reader(site["tasks/ner.html"]).said()
    assert "Floor all outside" in said
    assert "Baseline most frequent tag" in said
    record = next(r for r in fake_records.records() if r.task == "ner" and r.score is not None)
    cell = Reader(site[addresses.of([]).cell(record.names)]).said()
    assert "baseline 31.7 most frequent tag" in " ".join(cell.split())


def test_a_tasks_page_explains_and_shows_all_marks(site: dict[str, str]) -> None:
    for view in frame.table(fake_records.records()).tasks:
        page = Reader(site[f"tasks/{view.column.task}.html"])
        titles = [a.get("title") for a in page.all("span") if a.get("class") == "mark"]
        assert all("; ".join(health.words(e.record)) in titles for e in view.entries if e.scored and e.doubtful)
        assert all(mark in page.said() for mark in ("★ best", "≈ not told", "↓ no better", "≤ not shown", "! read"))


def test_a_tasks_page_says_what_every_method_spent_on_its_search(site: dict[str, str]) -> None:
    for task in ("sentiment", "qa"):
        said = Reader(site[f"tasks/{task}.html"]).said()
        spent = [b for b in budgets.of(fake_records.records()) if b.task == task]
        assert spent
        for b in spent:
            told = [b.method, str(b.cells), budgets.span(b.trials), budgets.span(b.steps), figures.seconds(b.seconds),
                    *map(figures.score, (b.default, b.tuned, b.gain)), str(b.edges)]
            assert " ".join(told) in said


def test_there_is_a_page_for_every_task_and_every_cell_of_it(site: dict[str, str]) -> None:
    read = pages(site)
    for record in fake_records.records():
        said = read[addresses.of([]).cell(record.names)].said()
        assert f"{record.model} {record.method}" in said
        assert record.score is None or f"{record.score:.1f}" in said
        assert rerun.command(record) in said
    assert {path for path in read if path.startswith("tasks/")} == {f"tasks/{t}.html" for t in fake_records.TASKS}


def test_synthetic_data_is_named_in_every_heading(site: dict[str, str]) -> None:
    assert "Synthetic data" in site["leaderboard.html"]
    assert site["leaderboard.html"].count("bundled, synthetic") >= 6
    assert all("bundled, synthetic" in text for path, text in site.items() if path.startswith(("tasks/", "cells/")))


def test_all_is_there_without_script(site: dict[str, str]) -> None:
    """Filters need the script, so they are hidden until it runs; nothing else is."""
    hidden = [a.get("id") for reader in pages(site).values() for _, a in reader.tags if "hidden" in a]
    assert hidden == ["filters"]


def test_tables_name_their_rows_and_columns(site: dict[str, str]) -> None:
    for path, reader in pages(site).items():
        assert all(a.get("scope") in ("row", "col") for a in reader.all("th"))
        boxes = [a for a in reader.all("div") if a.get("class") == "box"]
        assert boxes or path == "compare.html" or "No" in reader.said()
        assert all(a["tabindex"] == "0" and a["aria-labelledby"] for a in boxes)


def test_the_same_site_for_the_same_records_in_any_order(site: dict[str, str]) -> None:
    assert site_of(fake_records.records()[::-1]) == site


def hostile(record: Record) -> Record:
    return replace(
        record, model=f'"{SCRIPT}', method=f"lora[{SCRIPT}]", reason=SCRIPT, task=SCRIPT, source=SCRIPT, metric=SCRIPT,
        family=SCRIPT, floors={SCRIPT: {SCRIPT: 1.0}}, provenance={SCRIPT: {SCRIPT: SCRIPT}}, budget={SCRIPT: SCRIPT},
        scores={SCRIPT: 1.0}, finals=tuple(replace(t, scores={SCRIPT: 1.0}) for t in record.finals),
        choice={SCRIPT: SCRIPT},
        trials=tuple(replace(t, choice={SCRIPT: SCRIPT}, reason=SCRIPT) for t in record.trials),
    )


@pytest.mark.parametrize("key", [("qa", "bert-mini", "full"), ("qa", "gpt2-mini", "lora[r=8]")])
def test_text_from_data_and_models_is_escaped(key: tuple[str, str, str]) -> None:
    found = site_of([hostile(fake_records.record(*key))], SCRIPT)
    for path, reader in pages(found).items():
        assert SCRIPT not in found[path], path
        assert SCRIPT in reader.said(), path
        assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert len(pages(found)["leaderboard.html"].all("script")) == 1
    assert all(re.fullmatch(r"[\w@.=/-]+", path) and ".." not in path for path in found)


def test_a_board_without_records_is_a_page_too() -> None:
    assert "No records yet." in Reader(site_of([], "empty")["leaderboard.html"]).said()


def run_of(records: list[Record], folder: Path) -> Path:
    for record in records:
        Store(folder).write_record(record)
    return folder


def test_a_board_is_made_anew_only_where_something_changed(tmp_path: Path) -> None:
    run = run_of([record for record in fake_records.records() if record.task == "qa"], tmp_path / "nightly")
    first = render.refresh(run)
    page = run / "leaderboard" / "leaderboard.html"
    page.write_text("as it was")
    assert render.refresh(run) == first
    assert page.read_text() == "as it was"
    next((run / "records").rglob("*.json")).unlink()
    render.refresh(run)
    assert page.read_text() != "as it was"
    page.unlink()
    render.refresh(run)
    assert page.is_file()
    render.refresh(run.rename(tmp_path / "weekly"))
    assert "weekly" in (tmp_path / "weekly" / "leaderboard" / "leaderboard.html").read_text(encoding="utf-8")


def test_a_record_that_comes_while_a_board_is_made_is_on_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = fake_records.records()[:2]
    run = run_of([early], tmp_path / "nightly")
    real = gallery.figures

    def drawn(known: Study) -> tuple[Figure, ...]:
        run_of([late], run)
        return real(known)

    monkeypatch.setattr(gallery, "figures", drawn)
    table = render.publish(run)[1]
    assert late.method not in table.read_text()
    render.refresh(run)
    assert late.method in table.read_text()


def test_publishing_writes_the_files_and_the_figures_the_same_for_the_same_records(tmp_path: Path) -> None:
    records = [record for record in fake_records.records() if record.task == "qa"]
    first = render.publish(run_of(records, tmp_path / "a" / "nightly"))
    second = render.publish(run_of(records[::-1], tmp_path / "b" / "nightly"), tmp_path / "elsewhere" / "deep")
    assert [p.name for p in first[:5]] == [f"leaderboard.{kind}" for kind in ("md", "csv", "tex", "parquet", "html")]
    assert {p.suffix for p in first[5:]} == {".svg"}
    assert first[0].parent == tmp_path / "a" / "nightly" / "leaderboard"
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    for folder in (first[0].parent, second[0].parent):
        assert json.loads((folder / "site.json").read_text()) == sorted(
            p.relative_to(folder).as_posix() for p in folder.rglob("*.*") if p.suffix in (".html", ".js", ".css"))
    for path in (p for p in first[0].parent.rglob("*") if p.is_file()):
        assert (second[0].parent / path.relative_to(first[0].parent)).read_bytes() == path.read_bytes()
    assert first[0].read_text(encoding="utf-8").startswith("# nightly\n")


def test_publishing_again_replaces_the_files(tmp_path: Path) -> None:
    records = fake_records.records()
    run = run_of(records[:1], tmp_path / "nightly")
    before = render.publish(run)[1].read_text()
    run_of(records, run)
    after = render.publish(run)[1].read_text()
    assert len(before.splitlines()) == 2
    assert len(after.splitlines()) > len(before.splitlines())


def test_a_record_that_cannot_be_read_is_named_on_the_board(tmp_path: Path) -> None:
    records = fake_records.records()[:2]
    run = run_of(records, tmp_path / "nightly")
    broken = Store(run).path("records", records[1].names, "json")
    broken.write_text("{")
    folder = render.publish(run)[0].parent
    told = f"their records cannot be read, though they may be shown as not run: {broken.relative_to(run).as_posix()}."
    assert told in Reader((folder / "leaderboard.html").read_text()).said()
    assert str(tmp_path) not in (folder / "leaderboard.html").read_text()


def test_planned_cells_without_a_record_are_named_on_the_board(tmp_path: Path) -> None:
    records = fake_records.records()[:2]
    run = run_of(records, tmp_path / "nightly")
    cells = [{"task": r.task, "model": {"name": r.model}, "method": r.method, "fingerprint": "f"} for r in records]
    Store(run).write_plan(json.dumps({"suite": "s", "cells": [*cells, {**cells[0], "method": "unheard"}]}))
    page = render.publish(run)[0].with_name("leaderboard.html")
    key = f"{records[0].task}/{records[0].model}/unheard"
    assert f"1 of the 3 planned cells have no record: {key}." in Reader(page.read_text()).said()
    Store(run).write_plan("{}")
    render.refresh(run)
    assert "Whether the run is complete cannot be told" in Reader(page.read_text()).said()
    assert str(tmp_path) not in page.read_text()


def test_publishing_a_run_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        render.publish(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_pages_of_cells_that_are_gone_are_removed_and_nothing_else_is(tmp_path: Path) -> None:
    records = fake_records.records()
    run = run_of(records[:6], tmp_path / "nightly")
    folder = render.publish(run)[0].parent
    gone = records[0]
    Store(run).path("records", gone.names, "json").unlink()
    (folder / "cells" / "mine.html").write_text("kept")
    (tmp_path / "kept.html").write_text("kept")
    listed = json.loads((folder / "site.json").read_text())
    (folder / "site.json").write_text(json.dumps([*listed, "../../kept.html", "/etc/hostname", 7]))
    render.publish(run)
    assert addresses.of([]).cell(gone.names) in listed
    assert not (folder / addresses.of([]).cell(gone.names)).exists()
    assert (folder / addresses.of([]).cell(records[1].names)).exists()
    assert (folder / "cells" / "mine.html").exists()
    assert (tmp_path / "kept.html").exists()


def test_page_of_a_cell_tells_where_its_time_went_if_that_was_measured() -> None:
    measured, plain = fake_records.record("ner", "bert-mini", "full"), fake_records.record("ner", "bert-mini", "freeze")
    spent = {"forward": Spent(60.0, 50.0), "backward": Spent(20.0, 20.0), "set-up": Spent(20.0, 15.0)}
    measured = replace(measured, spent=spent, provenance={"device": "cpu"})
    site = site_of([measured, plain])
    told = Reader(site["cells/ner/bert-mini/full.html"]).said()
    assert "The work itself (forward, backward, optimizer, generation) took 80% of the measured time" in told
    assert "15 s passed without a processor" in told
    assert "forward 1m 00s 60% 50 s backward 20 s 20% 20 s set-up 20 s 20% 15 s" in told
    assert "Where the time went" not in site["cells/ner/bert-mini/freeze.html"]

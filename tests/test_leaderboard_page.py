"""The HTML page: complete without script, without any request, with all foreign text escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.errors import StoreError
from bench.record import Record
from bench.store import Store
from leaderboard import frame, render
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
        self.feed(page)
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


@pytest.fixture(scope="module")
def page() -> str:
    return render.page(frame.table(fake_records.records()), "glue-lite")


def test_the_page_is_well_formed_and_its_names_are_unique(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    names = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(names) == len(set(names))


def test_every_link_leads_to_a_place_on_the_page(page: str) -> None:
    reader = Reader(page)
    names = {a["id"] for _, a in reader.tags if "id" in a}
    assert {(a["href"] or "").removeprefix("#") for a in reader.all("a")} <= names


def test_the_page_asks_for_nothing_from_anywhere(page: str) -> None:
    reader = Reader(page)
    assert not any("src" in attributes for _, attributes in reader.tags)
    assert [a["href"] for a in reader.all("link")] == ["data:,"]
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", page)


def test_only_our_own_script_may_run(page: str) -> None:
    """The content security policy names its hash, so that no injected script would run either."""
    reader = Reader(page)
    script = "".join(text for tag, text in reader.text if tag == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_every_score_spread_and_reason_is_on_the_page(page: str) -> None:
    said = Reader(page).said()
    board = frame.table(fake_records.records())
    for entry in (e for view in board.tasks for e in view.entries):
        if entry.scored:
            assert f"{entry.record.score:.1f} ±{entry.spread:.1f}" in said
        else:
            assert " ".join((entry.record.reason or "").split()) in said
            assert entry.record.outcome.replace("_", " ") in said


def test_synthetic_data_is_named_in_every_heading(page: str) -> None:
    assert page.count("bundled, synthetic") >= 11
    assert "Synthetic data" in page


def test_the_whole_board_is_there_without_script(page: str) -> None:
    """Filters need the script, so they are hidden until it runs; nothing else is."""
    hidden = [attributes.get("id") for _, attributes in Reader(page).tags if "hidden" in attributes]
    assert hidden == ["filters"]


def test_tables_name_their_rows_and_columns(page: str) -> None:
    reader = Reader(page)
    assert all(a.get("scope") in ("row", "col") for a in reader.all("th"))
    boxes = [a for a in reader.all("div") if a.get("class") == "box"]
    assert len(boxes) == 6
    assert all(a["tabindex"] == "0" and a["aria-labelledby"] for a in boxes)


def hostile(record: Record) -> Record:
    return replace(
        record, model=f'"{SCRIPT}', method=f"lora[{SCRIPT}]", reason=SCRIPT, task=SCRIPT, source=SCRIPT, metric=SCRIPT,
        family=SCRIPT, floors={SCRIPT: {SCRIPT: 1.0}}, provenance={SCRIPT: {SCRIPT: SCRIPT}}, budget={SCRIPT: SCRIPT},
        scores={SCRIPT: 1.0}, finals=tuple(replace(t, scores={SCRIPT: 1.0}) for t in record.finals),
    )


@pytest.mark.parametrize("key", [("qa", "bert-mini", "full"), ("qa", "gpt2-mini", "lora[r=8]")])
def test_text_from_data_and_models_is_escaped(key: tuple[str, str, str]) -> None:
    record = hostile(fake_records.record(*key))
    page = render.page(frame.table([record]), SCRIPT)
    reader = Reader(page)
    assert len(reader.all("script")) == 1
    assert SCRIPT not in page
    assert SCRIPT in reader.said()
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)


def test_a_board_without_records_is_a_page_too() -> None:
    assert "No records yet." in Reader(render.page(frame.table([]), "empty")).said()


def run_of(records: list[Record], folder: Path) -> Path:
    for record in records:
        Store(folder).write_record(record)
    return folder


def test_publishing_writes_the_files_and_the_figures_the_same_for_the_same_records(tmp_path: Path) -> None:
    records = [record for record in fake_records.records() if record.task == "qa"]
    first = render.publish(run_of(records, tmp_path / "a" / "nightly"))
    second = render.publish(run_of(records[::-1], tmp_path / "b" / "nightly"), tmp_path / "elsewhere" / "deep")
    assert [p.name for p in first[:5]] == [f"leaderboard.{kind}" for kind in ("md", "csv", "tex", "parquet", "html")]
    assert {p.suffix for p in first[5:]} == {".svg", ".png"}
    assert first[0].parent == tmp_path / "a" / "nightly" / "leaderboard"
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert sorted(p for p in first[0].parent.rglob("*") if p.is_file()) == sorted(first)
    assert first[0].read_text(encoding="utf-8").startswith("# nightly\n")


def test_publishing_again_replaces_the_files(tmp_path: Path) -> None:
    records = fake_records.records()
    run = run_of(records[:1], tmp_path / "nightly")
    before = render.publish(run)[1].read_text()
    run_of(records, run)
    after = render.publish(run)[1].read_text()
    assert len(before.splitlines()) == 2
    assert len(after.splitlines()) > len(before.splitlines())


def test_publishing_a_run_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        render.publish(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()

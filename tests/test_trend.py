"""The page of a history: verdicts by night, changes of level, a chart a cell; foreign text stays text."""

from __future__ import annotations

import dataclasses
import shutil
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.cli import main
from bench.record import Outcome, Record
from leaderboard import report, trend, trend_page
from leaderboard.changes import change_points
from leaderboard.compare import compare
from leaderboard.sides import Side
from leaderboard.spark import HEIGHT, WIDTH, spark
from leaderboard.trend import Trend
from tests import nights
from tests.nights import make

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Collects the tags of a page, and what would make a request."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def as_of(day: int, record: Record) -> Record:
    """On the fifth a package changed, and scores fell by nine points; on the eighth one cell failed."""
    packages = {**record.provenance["packages"], "torch": "1.0" if day < 5 else "2.0"}
    score = (record.score or 0) - (0 if day < 5 else 9)
    made = dataclasses.replace(record, score=score, provenance={**record.provenance, "packages": packages})
    failed = dataclasses.replace(made, outcome=Outcome.FAILED, score=None, reason=EVIL)
    return failed if day == 8 and record.model == "m0" else made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of eight nights; the second was stopped."""
    place = tmp_path_factory.mktemp("history")
    grid = nights.grid(nights.MODELS[:3])
    sides: list[Side] = []
    for day in range(1, 9):
        run = place / f"2031-05-{day:02d}T02-30-00Z"
        sides.append(make(run, grid, edit=partial(as_of, day)))
        if day != 2:
            report.write(compare(sides[0], sides[-1]), run)
    return place


@pytest.fixture(scope="module")
def found(place: Path) -> Trend:
    from bench.commands.nights import read

    sides = read(place, pytest.fail)
    return trend.of(sides, change_points(sides), {sides[0].name: "accepted by ada: the beginning"})


def test_nights_are_told_latest_first_with_their_verdicts(found: Trend) -> None:
    assert [night.name[8:10] for night in found.nights] == ["08", "07", "06", "05", "04", "03", "02", "01"]
    assert (found.nights[0].verdict, found.nights[5].verdict) == ("worse", "fine")
    assert found.nights[6].verdict is None
    assert found.nights[7].accepted == "accepted by ada: the beginning"


def test_changes_are_told_by_night_with_the_versions_that_changed(found: Trend) -> None:
    (turn,) = found.turns
    assert (turn.last_good[8:10], turn.first[8:10]) == ("04", "05")
    assert "torch 1.0 to 2.0" in turn.environment
    assert {change.scope for change in turn.changes} >= {"parity/m1/fake", "parity/m2/fake"}


def test_every_cell_has_a_chart_and_says_why_it_has_no_score(found: Trend) -> None:
    cells = {course.title: course for course in found.tasks["parity"]}
    assert set(cells) == {"m0 fake", "m1 fake", "m2 fake"}
    assert cells["m1 fake"].chart is not None
    assert len(cells["m1 fake"].chart.places) == 8
    assert (cells["m0 fake"].last, cells["m0 fake"].now) == (None, f"tonight failed: {EVIL}")


def test_the_page_has_no_script_makes_no_request_and_escapes_foreign_text(found: Trend) -> None:
    page = trend_page.page(found)
    tags = Tags(page)
    assert "script" not in tags.tags
    assert [address for address in tags.addresses if not address.startswith(("data:,", "2031-", "#"))] == []
    assert "&lt;script&gt;" in page


def test_publishing_a_history_writes_its_page(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(place)]) == 0
    assert capsys.readouterr().out.strip() == str(place / "trend.html")
    assert (place / "trend.html").read_text().startswith("<!doctype html>")


def test_a_chart_keeps_its_marks_inside_and_does_not_blow_up_noise() -> None:
    chart = spark([70.0, None, 70.1, 69.9], [2])
    assert chart is not None
    assert chart.high - chart.low == pytest.approx(2.0)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in chart.places)
    assert (len(chart.gaps), len(chart.levels), len(chart.changes)) == (1, 2, 1)
    assert spark([None, None]) is None


def test_a_night_that_was_stopped_leaves_the_mean_over_all_cells(place: Path) -> None:
    from bench.commands.nights import read

    whole = read(place, pytest.fail)[:7]
    stopped = Side("2031-05-02T02-30-00Z", whole[1].store, {}, whole[1].planned, whole[1].night)
    sides = [whole[0], stopped, *whole[2:]]
    changes = change_points(sides)
    assert "all cells" in {change.scope for change in changes}
    overall = trend.of(sides, changes, {}).overall
    assert overall is not None
    assert overall.chart is not None
    assert (len(overall.chart.places), len(overall.chart.gaps)) == (6, 1)
    assert overall.title == "all cells, each against itself: points since 2031-05-01 02:30"
    assert overall.metric == "by 3 cells tonight"
    assert overall.last == pytest.approx(-9.0)


def test_what_was_not_measured_is_told_of_its_night(found: Trend) -> None:
    assert found.nights[0].unmeasured == (f"failed ({EVIL}): parity/m0/fake",)
    assert "not measured: failed (&lt;script&gt;" in trend_page.page(found)


def test_what_is_wrong_with_an_old_night_is_told_and_stops_nothing(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = Path(shutil.copytree(place, tmp_path / "history"))
    (history / "2031-05-03T02-30-00Z" / "night.json").write_text("{")
    (history / "2031-05-04T02-30-00Z" / "verdict.json").write_text("{")
    told = history / "2031-05-05T02-30-00Z" / "verdict.json"
    told.write_text(told.read_text().replace('"kind": "score"', '"kind": "of another version"'))
    assert main(["publish", str(history)]) == 0
    said = capsys.readouterr()
    assert "the night 2031-05-03T02-30-00Z is passed over: " in said.err
    page = (history / "trend.html").read_text()
    assert page.count("no verdict: unreadable") == 2
    assert page.count("no verdict that can be read") == 2
    assert "2031-05-03" not in page


def test_many_changes_of_one_night_are_folded(found: Trend) -> None:
    (turn,) = found.turns
    many = dataclasses.replace(turn, changes=turn.changes * 9)
    assert "<details" not in trend_page.page(found)
    assert f"{9 * len(turn.changes)} levels changed; all cells together from 0.0 to -9.0" in trend_page.page(
        dataclasses.replace(found, turns=(many,))
    )

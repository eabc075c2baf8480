"""A history of nights: what is accepted, which cells a short night takes, and when a level changed."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bench import cli, history
from bench.cli import main
from bench.commands import nightly
from bench.errors import RequestError, StoreError
from bench.pick import Past, pick
from bench.record import Record
from leaderboard import report, sides
from leaderboard.changes import change_points, common, levels
from leaderboard.compare import compare
from leaderboard.sides import Standing
from leaderboard.verdict import Since, Verdict
from tests import nights
from tests.nights import NoisyLearner, make

FIRST, SECOND = "2031-05-04T02-30-00Z", "2031-05-05T02-30-00Z"


def test_the_night_accepted_last_is_the_base_and_who_and_why_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for night in (FIRST, SECOND):
        (tmp_path / night).mkdir()
    assert history.base(tmp_path) is None
    for night, why in ((FIRST, "the beginning"), (SECOND, "a better tokenizer")):
        assert main(["accept", str(tmp_path / night), "--who", "ada", "--why", why]) == 0
    assert history.base(tmp_path) == tmp_path / SECOND
    assert next((a.run, a.who, a.why) for a in history.accepted(tmp_path)) == (FIRST, "ada", "the beginning")
    assert "ada: a better tokenizer" in capsys.readouterr().out


def test_what_is_no_night_and_what_has_no_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / FIRST).mkdir()
    with pytest.raises(RequestError, match=FIRST):
        history.accept(tmp_path, SECOND, "ada", "why not")
    with pytest.raises(RequestError, match="reason"):
        history.accept(tmp_path, FIRST, "ada", " ")


def test_a_night_that_cannot_be_read_is_not_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FIRST).mkdir()
    (tmp_path / FIRST / "night.json").write_text("{")
    assert main(["accept", str(tmp_path / FIRST), "--who", "ada", "--why", "the beginning"]) == 2
    assert "not readable as JSON" in capsys.readouterr().err
    assert history.base(tmp_path) is None


def test_an_accepted_night_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FIRST).mkdir()
    history.accept(tmp_path, FIRST, "ada", "the beginning")
    (tmp_path / FIRST).rmdir()
    with pytest.raises(StoreError, match="is gone"):
        history.base(tmp_path)


def test_nights_are_the_dated_directories_in_order(tmp_path: Path) -> None:
    for name in (SECOND, FIRST, "notes"):
        (tmp_path / name).mkdir()
    assert [path.name for path in history.nights(tmp_path)] == [FIRST, SECOND]
    assert history.dated("2031-05-04T02:30:00+00:00") == FIRST


def test_what_the_base_left_out_is_taken_from_the_night_accepted_before(tmp_path: Path) -> None:
    grid = nights.grid()
    older = make(tmp_path / FIRST, grid)
    base = make(tmp_path / SECOND, grid[1:], left_out=[grid[0].key])
    assert base.standing(grid[0].key) is Standing.LEFT_OUT
    found = compare(sides.filled(base, [older]), make(tmp_path / "head", grid))
    assert (found.verdict, found.unmeasured) == (Verdict.FINE, {})


def test_accepting_a_night_that_lacks_a_result_says_what_can_no_longer_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = nights.grid()
    make(tmp_path / FIRST, grid, edit=lambda record: None if record.key == grid[0].key else record)
    assert main(["accept", str(tmp_path / FIRST), "--who", "ada", "--why", "the beginning"]) == 0
    assert f"no night can be compared with it in 1 cell: {grid[0].key}" in capsys.readouterr().err


def test_what_no_accepted_night_measured_has_the_first_night_since_as_its_base(tmp_path: Path) -> None:
    grid = nights.grid()
    make(tmp_path / FIRST, grid[1:], left_out=[grid[0].key])
    history.accept(tmp_path, FIRST, "ada", "the beginning")
    later = make(tmp_path / SECOND, grid[:1], left_out=[cell.key for cell in grid[1:]])
    base = nightly._base(tmp_path, [sides.read(tmp_path / FIRST), later])
    assert base.store_of(grid[0].key) == later.store
    assert {base.standing(cell.key) for cell in grid} == {Standing.SCORED}


def test_a_history_is_bounded_and_keeps_what_was_accepted(tmp_path: Path) -> None:
    names = [f"2031-{1 + day // 28:02d}-{1 + day % 28:02d}T02-30-00Z" for day in range(history.KEPT + 5)]
    for name in names:
        for part in ("records", "predictions", "leaderboard", "wandb"):
            (tmp_path / name / part).mkdir(parents=True)
    history.accept(tmp_path, names[0], "ada", "the beginning")
    history.thin(tmp_path)
    assert [path.name for path in history.nights(tmp_path)] == [names[0], *names[-history.KEPT :]]
    parts = {name: {path.name for path in (tmp_path / name).iterdir()} for name in (names[0], names[50], names[-7])}
    assert parts[names[0]] == {"records", "predictions"}
    assert parts[names[50]] == {"records"}
    assert parts[names[-history.WHOLE]] == {"records", "predictions", "leaderboard", "wandb"}


def test_what_help_and_readme_say_of_the_size_is_so() -> None:
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    for text in (cli.NIGHTLY, readme):
        told = " ".join(text.split())
        assert f"the last {history.KEPT} nights and all that were accepted" in told
        assert f"of the last {history.WHOLE} only" in told


CELLS = nights.grid(["a", "b", "c"])
KEYS = [cell.key for cell in CELLS]


def test_a_short_night_takes_what_waited_longest() -> None:
    past = {KEYS[0]: Past(1, 1.0), KEYS[1]: Past(4, 1.0), KEYS[2]: Past(2, 1.0)}
    assert pick(CELLS, lambda cell: 10.0, past, 20.0) == (CELLS[1], CELLS[2])


def test_of_cells_that_waited_alike_those_that_vary_most_are_taken() -> None:
    past = {key: Past(1, error) for key, error in zip(KEYS, (0.1, 3.0, 0.5), strict=True)}
    assert pick(CELLS, lambda cell: 10.0, past, 10.0) == (CELLS[1],)


def test_a_cell_never_measured_comes_first_and_one_cell_is_always_taken() -> None:
    past = {KEYS[0]: Past(3, 1.0), KEYS[1]: Past(3, 1.0)}
    assert pick(CELLS, lambda cell: 1000.0, past, 10.0) == (CELLS[2],)


def test_every_cell_is_measured_within_a_few_short_nights() -> None:
    waited = dict.fromkeys(KEYS, 1)
    for _ in range(6):
        past = {key: Past(nights, 5.0 if key == KEYS[0] else 0.1) for key, nights in waited.items()}
        chosen = {cell.key for cell in pick(CELLS, lambda cell: 10.0, past, 10.0)}
        waited = {key: 1 if key in chosen else count + 1 for key, count in waited.items()}
    assert max(waited.values()) <= 4


def test_a_change_of_level_is_found_at_its_night_and_noise_is_none() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.5, 30)
    assert levels(noise) == []
    found = levels(noise + np.where(np.arange(30) < 18, 0.0, -4.0))
    assert [place for place, _, _ in found] == [18]


def test_nights_that_repeat_to_the_last_digit_have_no_change_until_one() -> None:
    assert levels(np.full(10, 71.3)) == []
    assert [place for place, _, _ in levels(np.array([71.3] * 6 + [69.0] * 3))] == [6]


def short(day: int, record: Record) -> Record:
    """The record of a day: cells lie ten points apart, and all fell by three points on the fifth."""
    score = 10.0 * int(record.model[1:]) - (0 if day < 5 else 3)
    return dataclasses.replace(as_of(day, record), score=score)


def test_the_level_of_all_cells_is_told_by_those_that_short_nights_measured(tmp_path: Path) -> None:
    grid = nights.grid()
    keys = [cell.key for cell in grid]
    runs = []
    for day in range(1, 10):
        mine = [keys[(day + place) % len(keys)] for place in range(3)]
        planned = [cell for cell in grid if cell.key in mine]
        runs.append(make(tmp_path / f"2031-05-{day:02d}T02-30-00Z", planned, edit=partial(short, day)))
    found = common(runs)
    assert [round(found[run.name].level, 3) for run in runs] == [0.0] * 4 + [-3.0] * 5
    assert {told.cells for told in found.values()} == {3}
    (change,) = [change for change in change_points(runs) if change.scope == "all cells"]
    assert (change.last_good[8:10], change.first[8:10]) == ("04", "05")
    assert "torch 1.0 to 2.0" in change.environment


def as_of(day: int, record: Record) -> Record:
    """The record of a day of May; on the fifth a package changed, and scores fell by nine points."""
    packages = {**record.provenance["packages"], "torch": "1.0" if day < 5 else "2.0"}
    score = (record.score or 0) - (0 if day < 5 else 9)
    return dataclasses.replace(record, score=score, provenance={**record.provenance, "packages": packages})


def test_a_change_point_names_the_last_good_night_and_the_versions_that_changed(tmp_path: Path) -> None:
    grid = nights.grid(nights.MODELS[:2])
    runs = [make(tmp_path / f"2031-05-{day:02d}T02-30-00Z", grid, edit=partial(as_of, day)) for day in range(1, 8)]
    found = change_points(runs)
    assert {(c.last_good[8:10], c.first[8:10]) for c in found} == {("04", "05")}
    assert found[0].scope == "all cells"
    assert "torch 1.0 to 2.0" in found[0].environment


DAYS = tuple(f"2031-05-{day:02d}T02-30-00Z" for day in range(1, 6))


def aged(day: int, record: Record) -> Record:
    """As it was on a day: on the second a package changed without harm, on the fourth another one with it."""
    packages = {**record.provenance["packages"], "numpy": f"{1 + (day > 1)}.0", "torch": f"{1 + (day > 3)}.0"}
    made = {**record.provenance, "packages": packages, "commit": {"sha": "0" * 40, "dirty": False}}
    return dataclasses.replace(record, provenance=made)


def five_nights(place: Path) -> list[sides.Side]:
    """From the fourth night on every answer is worse; each night has its verdict but the last."""
    found: list[sides.Side] = []
    for day, name in enumerate(DAYS, start=1):
        learner = partial(NoisyLearner, worse=0.2 if day > 3 else 0.0)
        found.append(make(place / name, nights.grid(nights.MODELS[:4]), learner=learner, edit=partial(aged, day)))
        if day < len(DAYS):
            report.write(compare(found[0], found[-1], found[:-1]), place / name)
    return found


def test_a_verdict_names_the_last_good_night_and_the_first_bad_one_with_what_differs(tmp_path: Path) -> None:
    found = five_nights(tmp_path)
    fourth, fifth = (compare(found[0], found[n], found[:n]) for n in (3, 4))
    assert fourth.since == Since(DAYS[2], DAYS[3], 1, ("torch 1.0 to 2.0",))
    assert fifth.since == Since(DAYS[2], DAYS[3], 2, ("torch 1.0 to 2.0",))
    assert "numpy 1.0 to 2.0" in fifth.environment, "against the base, as well"
    told = report.text(fifth)
    assert f"last good night {DAYS[2]}, first bad night {DAYS[3]}, and 1 night since\n  torch 1.0 to 2.0" in told
    assert f"first bad night {DAYS[3]}, tonight\n" in report.text(fourth)
    assert compare(found[0], found[2], found[:2]).since is None, "nothing is worse"
    assert compare(found[0], found[4]).since is None, "no other night is known"


def test_nights_that_could_not_tell_are_neither_good_nor_bad(tmp_path: Path) -> None:
    found = five_nights(tmp_path)
    (tmp_path / DAYS[2] / "verdict.json").write_text("{")
    report.write(dataclasses.replace(compare(found[0], found[3]), verdict=Verdict.TOO_LITTLE, alarms=()),
                 tmp_path / DAYS[3])
    since = compare(found[0], found[4], found[:4]).since
    assert since is not None
    assert (since.last_good, since.first_bad) == (DAYS[1], DAYS[4])

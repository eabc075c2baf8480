"""Kill anything, any time: the same command again, and it is as if nothing had happened."""

from __future__ import annotations

import random
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from bench import run as runs
from bench.plan import Plan
from tests import fakes, kills

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


def fake(place: Path, data: Path, cells: int, seed: int, boot: float = 0.0) -> kills.Storm:
    """A storm over a grid of fake cells."""
    out = place / "grid"
    models = ",".join(f"m{number:02}" for number in range(cells))
    command = [sys.executable, "-m", "tests.kills", str(data), str(out), models]
    place.mkdir()
    check = partial(kills.readable, out)
    return kills.Storm(command, out, f"BENCH_TEST_MARKER={out}", 1.2, random.Random(seed), check, boot)


def real(place: Path, seed: int, boot: float = 0.0) -> kills.Storm:
    """A storm over the suite that says within a minute whether everything works."""
    out = place / "grid"
    command = [sys.executable, "-m", "bench", "run", "--suite", "smoke", "--out", str(out), "--workers", "2",
               "--no-track", "--quiet"]
    place.mkdir()
    check = partial(kills.readable, out)
    return kills.Storm(command, out, f"BENCH_TEST_MARKER={out}", 8.0, random.Random(seed), check, boot)


def outlast(storm: kills.Storm, count: int, cells: int, undisturbed: Path, board: bool = True) -> int:
    """See to it that a run is the same after so many kills; the kills that it did not live to see."""
    left = storm.rage(count)
    storm.calm()
    kills.complete(storm.out, cells)
    assert kills.timeless(storm.out, board) == kills.timeless(undisturbed, board)
    return left


def test_a_grid_that_is_killed_now_and_then_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    """The short form of what follows."""
    data, undisturbed = fakes.write_files(tmp_path / "data"), tmp_path / "grid"
    plan = Plan("kills", tuple(fakes.cell(data, f"m{number:02}") for number in range(6)))
    runs.run(plan, undisturbed, workers=0, learner="tests.fakes:open_learner")
    outlast(fake(tmp_path / "storm", data, 6, 1, boot=3.0), 4, 6, undisturbed, board=False)


@pytest.mark.faults
def test_two_hundred_kills_over_sixty_cells_lose_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over as many grids as it takes."""
    data, count, left = fakes.write_files(tmp_path / "data"), 200, 200
    undisturbed = fake(tmp_path / "calm", data, 60, 0)
    undisturbed.calm()
    victims: Counter[str] = Counter()
    rounds = 0
    while left:
        rounds += 1
        storm = fake(tmp_path / f"storm{rounds}", data, 60, rounds, undisturbed.boot)
        left = outlast(storm, left, 60, undisturbed.out)
        victims += storm.victims
    assert victims.total() == count
    with capsys.disabled():
        sys.stdout.write(table("60 fake cells", victims, rounds))


@pytest.mark.faults
def test_twenty_kills_over_real_trainings_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undisturbed, victims, left, rounds = real(tmp_path / "calm", 0), Counter[str](), 20, 0
    undisturbed.calm()
    while left:
        rounds += 1
        storm = real(tmp_path / f"storm{rounds}", rounds, undisturbed.boot)
        left = outlast(storm, left, 12, undisturbed.out)
        victims += storm.victims
    with capsys.disabled():
        sys.stdout.write(table("12 real cells", victims, rounds))


def table(grid: str, victims: Counter[str], rounds: int) -> str:
    """What was killed how often."""
    rows = [f"| SIGKILL of a {victim}, {grid} | {count} | 0 |" for victim, count in sorted(victims.items())]
    head = [f"\n{rounds} grids", "| fault | times | cells lost, doubled or unreadable |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, ""])

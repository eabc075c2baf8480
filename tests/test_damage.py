"""Files of a run that are damaged, and disks that are full or cannot be written: what a user reads, and what is left.

Every fault meets the real command line once, over a tiny real model.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bench import cli
from bench.spec import Family, Head
from bench.store import Store
from tests import tiny
from tests.fakes import lasting

torch.set_num_threads(1)

ROOT = Path(__file__).parents[1]
RUN = (
    "run --source files --data-dir data --tasks sentiment --trials 2 --seeds 1 --epochs 1 --workers 0 --no-track "
    "--models ./little-bert --methods full,head_only --out out"
)
RECORD, OTHER = "records/sentiment/*/full.json", "records/sentiment/*/head_only.json"
Damage = Callable[[Path], None]


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff not what it was \n" * 9)


def halved(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def replaced(path: Path) -> None:
    """JSON, but of something else."""
    path.write_text('[{"op_code": 99, "worker_id": 1}]\n')


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a finished run of two cells."""
    place = tmp_path_factory.mktemp("work")
    tiny.checkpoint(Family.ENCODER, place / "little-bert")
    (place / "data" / "sentiment").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        lines = [json.dumps(row) + "\n" for row in tiny.rows(Head.CLASSIFY)]
        (place / "data" / "sentiment" / f"{split}.jsonl").write_text("".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert cli.main(RUN.split()) == 0
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working directory."""
    copy = Path(shutil.copytree(finished, tmp_path / "work"))
    monkeypatch.chdir(copy)
    return copy


def one(place: Path, pattern: str) -> Path:
    (path,) = (place / "out").glob(pattern)
    return path


def results(place: Path) -> list[Any]:
    return [lasting(record) for record in Store(place / "out").records()]


@pytest.mark.parametrize("damage", [garbage, halved, emptied, replaced])
@pytest.mark.parametrize("pattern", [RECORD, "predictions/sentiment/*/full.parquet", "plan.json", "events.jsonl"])
def test_the_same_command_mends_what_is_damaged_and_leaves_the_rest(
    place: Path, pattern: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cell that needs it is made again, to the same result; the other's record is not touched."""
    before, other = results(place), one(place, OTHER).read_bytes()
    damage(one(place, pattern))
    for command in ("show out", "publish out"):
        assert cli.main(command.split()) == 0
        assert "Traceback" not in capsys.readouterr().err
    assert cli.main(RUN.split()) == 0
    assert "Traceback" not in capsys.readouterr().err
    assert results(place) == before
    assert one(place, OTHER).read_bytes() == other
    assert all(Store(place / "out").read_predictions(record.names) for record in Store(place / "out").records())
    assert cli.main(["show", "out"]) == 0
    assert "not readable" not in capsys.readouterr().err


@pytest.mark.parametrize("damage", [garbage, halved, emptied, replaced])
def test_a_damaged_search_is_read_as_far_as_it_goes_and_kept_beside(place: Path, damage: Damage) -> None:
    before = results(place)
    journal = one(place, "studies/sentiment/*/full.journal")
    one(place, RECORD).unlink()
    damage(journal)
    bad = journal.read_bytes()
    assert cli.main(RUN.split()) == 0
    assert [_untold(record) for record in results(place)] == [_untold(record) for record in before]
    if damage in (garbage, replaced):
        assert journal.with_name(journal.name + ".damaged").read_bytes() == bad


def _untold(record: dict[str, Any]) -> dict[str, Any]:
    """Without how often a study was taken up again."""
    return {name: value for name, value in record.items() if name != "resumed"}


def test_a_damaged_record_is_named_with_what_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    halved(one(place, RECORD))
    assert cli.main(["show", "out"]) == 0
    said = capsys.readouterr().err
    assert str(one(place, RECORD).relative_to(place)) in said
    assert "Delete it and run the cell again" in said


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_damaged_data_stop_a_run_before_anything_trains(
    place: Path, split: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results(place)
    path = place / "data" / "sentiment" / f"{split}.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert cli.main(RUN.split()) == 2
    assert f"sentiment/{split}.jsonl, line " in capsys.readouterr().err
    assert results(place) == before


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("damage", [halved, emptied])
def test_a_damaged_checkpoint_is_named_and_no_record_is_lost(
    place: Path, name: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results(place)
    damage(place / "little-bert" / name)
    code = cli.main([*RUN.split()[:-1], "elsewhere"])
    said = capsys.readouterr()
    assert code in (1, 2)
    assert "Traceback" not in said.err
    assert "little-bert" in said.out + said.err
    assert results(place) == before


# Disks, which take root to make


@pytest.fixture
def disk(place: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system with these options over a new directory, with a copy of the finished run on it."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        at = place / "disk"
        at.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here: that takes root")
        mounted.append(at)
        return at

    yield mount
    for at in mounted:
        subprocess.run(["umount", "-l", str(at)], check=True)


def bench(line: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a user has it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline"}
    command = [sys.executable, "-m", "bench", *line.split()]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.faults
@pytest.mark.parametrize("workers", [0, 1])
def test_a_full_disk_is_one_message_and_loses_nothing(
    place: Path, disk: Callable[[str], Path], workers: int
) -> None:
    """The disk fills while a third cell is made; once there is room the same command ends as if nothing had been."""
    at = disk("size=64m")
    shutil.copytree(place / "out", at / "out")
    before = results(place)
    line = RUN.replace("--workers 0", f"--workers {workers}").replace("--out out", "--out disk/out")
    line = line.replace("full,head_only", "full,head_only,bitfit")
    with (at / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(at).free)
    done = bench(line)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "No space left on device" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert [lasting(record) for record in Store(at / "out").records()] == before
    (at / "ballast").unlink()
    done = bench(line)
    assert done.returncode == 0, done.stderr
    assert len(Store(at / "out").records()) == 3


@pytest.mark.faults
def test_a_directory_that_cannot_be_written_is_one_message(place: Path, disk: Callable[[str], Path]) -> None:
    """Records there can still be shown."""
    at = disk("size=64m")
    shutil.copytree(place / "out", at / "out")
    subprocess.run(["mount", "-o", "remount,ro", str(at)], check=True)
    done = bench(RUN.replace("--out out", "--out disk/out"))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr
    assert bench("show disk/out").returncode == 0

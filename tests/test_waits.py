"""The page of waiting times is only of commands that trained nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import waits


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "records" / "ner").mkdir(parents=True)
    (tmp_path / "records" / "ner" / "full.json").write_text("{}")
    monkeypatch.setattr(waits, "ROUNDS", 2)
    monkeypatch.setattr(waits, "PAGE", tmp_path / "waits.md")
    return tmp_path


def test_page_has_the_time_of_each_command(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "commands", lambda place: {"`bench --version`": ["--version"]})
    waits.main(run)
    page = (run / "waits.md").read_text()
    assert "the median of 2 with their range" in page
    assert "fresh records of its\n1 cells" in page
    assert "| `bench --version` | 0." in page or "| `bench --version` | 1." in page


def test_a_run_that_was_not_finished_is_no_measurement(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfinished(place: Path) -> dict[str, list[str]]:
        (place / "records" / "ner" / "lora.json").write_text("{}")
        return {"`bench --version`": ["--version"]}

    monkeypatch.setattr(waits, "commands", unfinished)
    with pytest.raises(SystemExit, match="was not a finished run"):
        waits.main(run)
    assert not (run / "waits.md").exists()


def test_without_a_run_the_command_that_makes_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="python -m bench run --suite glue-lite --out"):
        waits.main(tmp_path)


def test_the_long_plan_has_ten_thousand_cells() -> None:
    (name, asked), = [(n, a) for n, a in waits.commands(Path("run")).items() if "10,005" in n]
    assert "lora[r=1]" in name
    assert 5 * 3 * len(asked[-1].split(",")) == 10_005

"""The board to the letter. After a wanted change: `python -m tests.test_leaderboard_golden`, then read the diff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.record import Record
from leaderboard import frame, markdown, single, tables, terminal
from tests import fake_records

GOLDEN = Path(__file__).parent / "golden"


def records() -> list[Record]:
    """Two tasks, two models, three methods, one of the cells diverged."""
    return [
        fake_records.record(task, model, method)
        for task in ("sentiment", "qa") for model in ("bert-mini", "gpt2-mini")
        for method in ("full", "lora[r=8]", "head_only")
    ]


PAGES: dict[str, Callable[[], str]] = {
    "board.txt": lambda: terminal.render(frame.table(records()), 100) + "\n",
    "cell.txt": lambda: single.render(records()[0]) + "\n",
    "board.md": lambda: markdown.render(frame.table(records()), "golden"),
    "board.tex": lambda: tables.as_latex(frame.table(records()), "golden"),
    "board.csv": lambda: tables.as_csv(frame.table(records())),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_board_is_as_it_was(name: str) -> None:
    assert PAGES[name]() == (GOLDEN / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, page in PAGES.items():
        (GOLDEN / name).write_text(page(), encoding="utf-8")

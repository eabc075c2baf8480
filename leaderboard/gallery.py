"""The figures of a board: which there are, how their files are called, and the writing of them.

Knows which chart shows which values. What draws them is slow to import, and is imported only where there is a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.store import safe_name, write_atomically
from leaderboard import curves
from leaderboard.curves import Panel
from leaderboard.frame import Board

FOLDER = "figures"
"""Where the files lie, beside those of the board."""

LEARNING = "learning-curve"


@dataclass(frozen=True)
class Figure:
    """The learning curves of one task and model, drawn as an SVG document. `name` is that of its files."""

    name: str
    panel: Panel
    svg: str


def learning_curves(board: Board) -> tuple[Figure, ...]:
    """A figure for each task and model with several numbers of training rows; none where there is one number."""
    panels = curves.panels(board)
    if not panels:
        return ()
    from leaderboard import charts, draw

    return tuple(Figure(_name(panel, panels), panel, draw.svg(charts.learning_curves(panel))) for panel in panels)


def write(figures: Sequence[Figure], folder: Path) -> list[Path]:
    """Write each figure as SVG and PNG and remove those of an earlier board; the paths."""
    paths = [folder / f"{figure.name}.{kind}" for figure in figures for kind in ("svg", "png")]
    for path in folder.glob(f"{LEARNING}-*"):
        if path not in paths:
            path.unlink()
    if figures:
        from leaderboard import draw

        for figure, svg, png in zip(figures, paths[::2], paths[1::2], strict=True):
            write_atomically(svg, figure.svg.encode())
            write_atomically(png, draw.png(figure.svg))
    return paths


def _name(panel: Panel, panels: Sequence[Panel]) -> str:
    """learning-curve-TASK-MODEL; with the source where the task is there from several."""
    sources = {other.source for other in panels if other.task == panel.task}
    parts = [LEARNING, panel.task, panel.model, *([panel.source] if len(sources) > 1 else [])]
    return "-".join(map(safe_name, parts))

"""The figures of a run, drawn and written: a pure function of what is said about it.

Knows which chart shows which values. What draws them is slow to import, and is imported only where there is a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.atomic import write_atomically
from bench.record import Names, Record
from bench.store import safe_name
from leaderboard import wanted
from leaderboard.study import Study
from leaderboard.wanted import KINDS, Wanted

FOLDER = "figures"
"""Where the files lie, beside those of the board."""


@dataclass(frozen=True)
class Figure:
    """A chart drawn as an SVG document.

    `name` is that of its files, `kind` one of KINDS, `task` a task with its source, None where it is about several.
    `words` say what is seen, for those who do not see it; like `title`, they hold foreign text.
    """

    name: str
    kind: str
    title: str
    words: str
    task: tuple[str, str] | None
    svg: str


def figures(study: Study) -> tuple[Figure, ...]:
    """All figures, in the order of KINDS and within these of the board's tasks; `left_out` says which are missing."""
    chosen = wanted.of(study).wanted
    if not chosen:
        return ()
    from leaderboard import draw

    drawings = draw.svgs(_filled(each) for each in chosen)
    return tuple(
        Figure(_name(each), each.kind, each.title, each.words, each.task, svg)
        for each, svg in zip(chosen, drawings, strict=True)
    )


def left_out(study: Study) -> tuple[str, ...]:
    """Sentences about the figures of a large grid that are not drawn."""
    return wanted.of(study).left_out


def cell_curves(records: Iterable[Record]) -> dict[Names, str]:
    """Training loss and validation score by step for every seed, as SVG; of cells whose trainings left a curve."""
    known = [record for record in records if any(training.curve for training in record.finals)]
    if not known:
        return {}
    from leaderboard import draw
    from leaderboard.charts import cells
    from leaderboard.charts.sheet import filled

    compiled = draw.compiled(cells.template())
    parts = [known[i:i + cells.TOGETHER] for i in range(0, len(known), cells.TOGETHER)]
    drawings = draw.svgs((filled(compiled, cells.sheet(part)) for part in parts), worth=cells.WORTH)
    found = [svg for drawing, part in zip(drawings, parts, strict=True) for svg in cells.apart(drawing, part)]
    return {record.names: svg for record, svg in zip(known, found, strict=True)}


def write(drawn: Sequence[Figure], folder: Path, png: bool = False) -> list[Path]:
    """Write each figure as SVG, and as PNG where asked, on white; remove those of an earlier board; the paths."""
    from leaderboard import draw

    documents = {folder / f"{figure.name}.svg": draw.on_paper(figure.svg) for figure in drawn}
    contents = {path: document.encode() for path, document in documents.items()}
    if png:
        pictures = draw.pngs(list(documents.values()))
        contents |= {path.with_suffix(".png"): picture for path, picture in zip(documents, pictures, strict=True)}
    for path in (old for kind in KINDS for old in folder.glob(f"{kind}*")):
        if path not in contents and path.suffix in (".svg", ".png"):
            path.unlink()
    for path, content in contents.items():
        write_atomically(path, content)
    return list(contents)


def _name(each: Wanted) -> str:
    return "-".join([each.kind, *map(safe_name, each.parts)])


def _filled(each: Wanted) -> dict[str, Any]:
    from leaderboard.charts import kinds
    from leaderboard.charts.sheet import filled

    return filled(_compiled(*kinds.look(each)), kinds.sheet(each))


@cache
def _compiled(kind: str, cost: str) -> dict[str, Any]:
    from leaderboard import draw
    from leaderboard.charts import kinds

    return draw.compiled(kinds.template(kind, cost))

"""Draws Vega-Lite and Vega specifications as SVG and PNG, without a browser and without any request. Knows no chart.

The library that draws starts an engine of a second or so, and is imported when something is drawn.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

SCALE = 2.0
"""Pixels of a PNG for each of the SVG: sharp in print at the width of a column."""

PAPER = '<rect width="100%" height="100%" fill="white"/>'

MANY = 60
"""From so many drawings on, further processes are worth the second that each takes to start."""

WORKERS = 4
"""Processes at most: drawing is the smaller part of what a publishing machine may be busy with."""


def compiled(spec: dict[str, Any]) -> dict[str, Any]:
    """The Vega specification of one in Vega-Lite."""
    import vl_convert

    found: dict[str, Any] = vl_convert.vegalite_to_vega(spec)
    return found


def svg(vega: dict[str, Any]) -> str:
    """A Vega specification drawn as a standalone SVG document with a transparent ground.

    Where it says `currentColor` it has the colour of the text around it, black if it stands by itself.
    """
    return _svg(json.dumps(vega))


def svgs(vegas: Iterable[dict[str, Any]], worth: int = 1) -> list[str]:
    """The drawings of many specifications, in their order; each is worth so many that are drawn one by one."""
    return _shared(_svg, [json.dumps(vega) for vega in vegas], worth)


def inline(document: str) -> str:
    """An SVG document as it may stand within an HTML page, which knows the namespaces itself."""
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", document, count=2)


def on_paper(document: str) -> str:
    """An SVG document on a white ground, to be read by itself wherever it is shown."""
    end = document.index(">") + 1
    return document[:end] + PAPER + document[end:]


def png(document: str) -> bytes:
    """An SVG document as a PNG."""
    import vl_convert

    drawn: bytes = vl_convert.svg_to_png(document, scale=SCALE)
    return drawn


def pngs(documents: Sequence[str]) -> list[bytes]:
    """Many SVG documents as PNG, in their order."""
    return _shared(png, documents)


def _svg(vega: str) -> str:
    import vl_convert

    drawn: str = vl_convert.vega_to_svg(vega, allowed_base_urls=[])
    return drawn


def _shared(work: Callable[[Job], Result], jobs: Sequence[Job], worth: int = 1) -> list[Result]:
    """The results of the jobs, from several processes where there are many: the engine draws one at a time in each."""
    workers = min(WORKERS, os.cpu_count() or 1, worth * len(jobs) // MANY + 1)
    if workers == 1:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(work, jobs, chunksize=max(1, 8 // worth)))

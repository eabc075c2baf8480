"""Draws Vega-Lite specifications as SVG and PNG, without a browser and without any request. Knows no chart.

The library that draws starts an engine of a second or so, and is imported when something is drawn.
"""

from __future__ import annotations

import re
from typing import Any

SCALE = 2.0
"""Pixels of a PNG for each of the SVG: sharp in print at the width of a column."""

PAPER = '<rect width="100%" height="100%" fill="white"/>'


def svg(spec: dict[str, Any]) -> str:
    """A specification drawn as a standalone SVG document with a transparent ground.

    Where it says `currentColor` it has the colour of the text around it, black if it stands by itself.
    """
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return drawn


def inline(document: str) -> str:
    """An SVG document as it may stand within an HTML page, which knows the namespaces itself."""
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", document, count=2)


def png(document: str) -> bytes:
    """An SVG document as a PNG on white."""
    import vl_convert

    end = document.index(">") + 1
    drawn: bytes = vl_convert.svg_to_png(document[:end] + PAPER + document[end:], scale=SCALE)
    return drawn

"""The script and the style of the pages: DataTables, as the package itables ships it, and our own. Knows no records.

DataTables (MIT) sorts and filters tables that are complete without it. Its style is not used: ours covers it, in light
and dark. The bundle is an ES module, which a browser refuses to load from a disk; as a plain script it does load.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path

from leaderboard.html import TEMPLATES

EXPORTS = re.compile(r"export\{([^}]*)\};?\s*(?=/\*|$)")
"""The statement at the end of the bundle, before the licences, that names what it gives."""


@functools.cache
def script() -> str:
    """What every page runs."""
    return f"{_datatables()}\n{_own('board.js')}"


@functools.cache
def style() -> str:
    """How every page looks."""
    return _own("board.css")


@functools.cache
def comparison() -> str:
    """What only the page of comparisons runs."""
    return _own("compare.js")


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _datatables() -> str:
    """The bundle as a plain script that sets `DataTable`, and nothing else that is used here.

    Raises RuntimeError where the bundle is not there, or is made otherwise than the one that this was written for.
    """
    spec = importlib.util.find_spec("itables")
    places = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(*places[:1], "html", "dt_bundle.js")
    if not places or not path.is_file():
        raise RuntimeError("the tables' script is not there. Install it: pip install itables -c constraints.txt")
    text = path.read_text(encoding="utf-8")
    found = EXPORTS.search(text)
    named = re.search(r"([\w$]+) as default", found[1]) if found else None
    if found is None or named is None:
        raise RuntimeError(f"{path}: not the bundle that is known. Install the version in constraints.txt.")
    body = f"{text[:found.start()]}window.DataTable={named[1]};\n{text[found.end():]}"
    return _inlinable(f'(()=>{{"use strict";{body}\n}})();')


def _inlinable(text: str) -> str:
    """What would end, or hide the end of, a script element is written otherwise inside of its strings."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", text, flags=re.IGNORECASE)

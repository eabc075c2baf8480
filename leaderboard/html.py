"""Fills the templates of the pages. Knows how text becomes HTML that is safe, not what a page says.

Everything that is put into a template is escaped, since it may come from data or models; only what is marked as safe
here, our own script and style and figures drawn from numbers, is not.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from leaderboard import answers, draw, figures, notes, strip

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, /, **values: Any) -> str:
    """A template filled with values. Raises jinja2.UndefinedError for a value that it lacks."""
    return environment().get_template(template).render(values)


def trusted(markup: str) -> Markup:
    """Markup of our own making, which is put into a page as it is."""
    return Markup(markup)


def digest(script: str) -> str:
    """What a content security policy calls an inline script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@functools.cache
def environment() -> jinja2.Environment:
    """The templates and what numbers look like in them."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )
    made.filters |= {
        "score": figures.score, "measure": figures.measure, "spread": figures.spread, "interval": figures.interval,
        "signed": figures.signed, "percent": figures.percent, "rate": figures.rate, "rows": figures.rows,
        "count_": figures.count, "size": figures.size, "duration": figures.seconds,
        "plain": figures.plain, "named": _named, "cut": answers.cut, "drawing": _drawing,
    }
    made.globals |= {"strip": strip.strip, "axis": strip.axis, "ending": notes.ending}
    return made


def _named(foreign: str) -> Markup:
    """A name of several words, which breaks between them where there is little room and not amid one."""
    return escape(figures.plain(foreign)).replace("_", Markup("_<wbr>"))


def _drawing(svg: str) -> Markup:
    """A figure of our own making, whose texts are escaped in it, as part of a page."""
    return Markup(draw.inline(svg))

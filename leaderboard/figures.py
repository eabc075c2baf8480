"""How numbers and foreign text are written for people. Knows single values only, not what they belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

UNKNOWN = "\N{EN DASH}"
SHOWN_CATEGORIES = frozenset("LMNPSZ")
"""First letters of the Unicode categories that may be shown; control and format characters could steer a terminal."""


def score(value: float | None) -> str:
    """A score on the 0-100 scale with one decimal; what is rounded to 0 has no sign, here and below."""
    return UNKNOWN if value is None else f"{value:z.1f}"


def signed(value: float | None) -> str:
    """A difference of scores, with its sign: +1.5, -0.4, +0.0."""
    return UNKNOWN if value is None else f"{value:+z.1f}"


def percent(share: float | None) -> str:
    """A share in whole percents, nothing where it is unknown."""
    return "" if share is None else f"{100 * share:z.0f}%"


def measure(value: float | None, name: str) -> str:
    """A measure by its name: ratios with two decimals, all others as scores."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f}" if name.endswith("ratio") else score(value)


def spread(value: float | None) -> str:
    """A standard deviation after its sign, nothing where it is unknown."""
    return "" if value is None else f"±{value:.1f}"


def interval(low: float | None, high: float | None) -> str:
    """An interval in brackets, nothing where it is unknown."""
    return "" if low is None or high is None else f"[{low:z.1f}, {high:z.1f}]"


def bounded(value: float, low: float, high: float) -> str:
    """A number with its interval: 71.9 [59.4, 80.7]."""
    return f"{score(value)} {interval(low, high)}"


def place(rank: float, low: int, high: int) -> str:
    """A rank with the ranks that may be true: 2 [1–4], or 1 where there is no other; equals share 2.5."""
    among = "" if low == high else f" [{low}\N{EN DASH}{high}]"
    return f"{rank:g}{among}"


def rate(value: float | None) -> str:
    """A learning rate with two digits: 3.2e-4."""
    if value is None:
        return UNKNOWN
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def rows(value: int | None) -> str:
    """A number of rows in full: 1,500; nothing where there is none to tell."""
    return "" if value is None else f"{value:,}"


def count(value: float | None) -> str:
    """A count in thousands (k), millions (M) or billions (B), three digits."""
    return _scaled(value, (("", 1.0), ("k", 1e3), ("M", 1e6), ("B", 1e9)))


def size(value: float | None) -> str:
    """Bytes in decimal units, three digits."""
    return _scaled(value, (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)))


def _scaled(value: float | None, units: Sequence[tuple[str, float]]) -> str:
    if value is None:
        return UNKNOWN
    # 999.6 of one unit would be rounded to 1000, so the next unit starts a little below its own size
    unit, factor = next(((u, f) for u, f in reversed(units) if value >= f * 0.9995), units[0])
    number = value / factor
    text = f"{number:.0f}" if factor == 1.0 or number >= 99.95 else f"{number:.1f}"
    return f"{text} {unit}".rstrip()


def seconds(value: float | None) -> str:
    """A duration: 4.2 s, 42 s, 3m 20s, 1h 05m."""
    if value is None:
        return UNKNOWN
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    minutes = round(value / 60)
    return f"{minutes // 60}h {minutes % 60:02d}m"


def plain(text: str) -> str:
    """Foreign text on one line, without characters that steer a terminal or turn the direction of the text."""
    shown = "".join(c if unicodedata.category(c)[0] in SHOWN_CATEGORIES else " " for c in text)
    return " ".join(shown.split())


def shorten(text: str, width: int) -> str:
    """`text` cut to at most `width` characters, the cut marked."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip() + "…"

"""What is written on a chart, and the writing of it. Knows no kind of chart and draws nothing.

A kind of chart is worked out from Vega-Lite once, which takes ten times as long as putting other values into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Spec = dict[str, Any]
"""A specification: of Vega-Lite, or of Vega, which it is compiled to."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sheet:
    """`data` are rows by the name that the template calls them, `values` those of its parameters, `height` pixels.

    Foreign text is only ever a title or a field of a row: both are shown as text.
    """

    title: str
    subtitle: tuple[str, ...]
    data: Mapping[str, Sequence[Row]]
    values: Mapping[str, Any] = field(default_factory=dict)
    height: float | None = None


def filled(compiled: Spec, sheet: Sheet) -> Spec:
    """The compiled template with the sheet's values. Raises KeyError for data or parameters that it does not have."""
    _known("data", sheet.data, compiled.get("data", []))
    _known("parameters", sheet.values, compiled.get("signals", []))
    return {
        **compiled,
        **({} if sheet.height is None else {"height": sheet.height}),
        **({} if not sheet.title else {"title": _title(compiled, sheet)}),
        "data": [_with(each, "values", sheet.data) for each in compiled.get("data", [])],
        "signals": [_with(each, "value", sheet.values) for each in compiled.get("signals", [])],
    }


def _title(compiled: Spec, sheet: Sheet) -> Spec:
    return {**compiled["title"], "text": sheet.title, "subtitle": list(sheet.subtitle)}


def _with(each: Spec, key: str, given: Mapping[str, Any]) -> Spec:
    return {**each, key: given[each["name"]]} if each["name"] in given else each


def _known(kind: str, given: Mapping[str, Any], there: Sequence[Spec]) -> None:
    unknown = set(given) - {each["name"] for each in there}
    if unknown:
        raise KeyError(f"the chart has no {kind} {sorted(unknown)}")

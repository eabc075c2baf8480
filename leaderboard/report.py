"""A comparison in words: for the terminal, as a Markdown summary, as JUnit XML and as JSON.

Knows the values of `leaderboard.verdict`; judges nothing. Foreign text is made plain or escaped here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from bench.atomic import write_atomically
from bench.record import to_json
from bench.screen import plural
from leaderboard import figures, markdown
from leaderboard.costs import ENOUGH
from leaderboard.shifts import ALL, Finding
from leaderboard.sides import Standing
from leaderboard.verdict import Alarm, Cause, CellView, Comparison, Kind, Since, Verdict

SHOWN = 12
"""Lines of one kind that a text shows before it only counts."""

ACCEPT = "If this is meant, make it the base of the next nights: python -m bench accept {run} --who NAME --why TEXT"

FIRST = "Make this night the base of the next ones: python -m bench accept {run} --who NAME --why TEXT"

NAMED = 6
"""Cells that a line names before it only counts."""

ADVICE: Mapping[Verdict, str] = {
    Verdict.FINE: "{seen}",
    Verdict.BETTER: ACCEPT,
    Verdict.WORSE: ACCEPT,
    Verdict.SLOWER: ACCEPT,
    Verdict.TOO_LITTLE: "Neither good nor bad: some cells could not be compared, and why is said above.",
    Verdict.COULD_NOT_RUN: "No cell has a result; the reasons: python -m bench show {run}",
}


def text(comparison: Comparison) -> str:
    """The whole verdict as plain lines."""
    told = [headline(comparison)]
    for title, lines in _sections(comparison):
        told += ["", f"{title}:", *(f"  {figures.plain(line)}" for line in _some(lines))]
    return "\n".join([*told, *(["", advice(comparison)] if advice(comparison) else [])])


def advice(comparison: Comparison) -> str:
    """What to do next; nothing where a run is no night, and so cannot be accepted."""
    told = FIRST if comparison.first and comparison.verdict is Verdict.TOO_LITTLE else ADVICE[comparison.verdict]
    if comparison.run is None and "{run}" in told:
        return ""
    return told.format(run=shlex.quote(comparison.run or ""), seen=_seen(comparison))


def _seen(comparison: Comparison) -> str:
    """What "fine" is worth: which changes would have been told, had there been any."""
    moved = [cell for cell in comparison.cells if cell.head is Standing.SCORED and cell.judged and not cell.same]
    if not moved:
        return "Every answer is the same as in the base."
    shifts = _told(comparison.sight)
    would = f" A change of {' or of '.join(shifts)} would have been told four times in five." if shifts else ""
    alone = sum(cell.finding is None for cell in moved)
    who = "None of them can" if alone == len(moved) else f"{alone} of them cannot"
    blind = f" {who} be judged alone: one seed does not tell how much is chance."
    return f"{plural(len(moved), 'cell')} moved, by no more than chance would.{would}{blind if alone else ''}"


def _told(sight: tuple[float | None, float | None]) -> list[str]:
    """The smallest changes that are caught four times in five, in words."""
    pooled, cell = sight
    told = [f"{pooled:.1f} points over all moved cells"] if pooled is not None else []
    return told + ([f"{cell:.1f} points in the median moved cell"] if cell is not None else [])


def headline(comparison: Comparison) -> str:
    """One line: the verdict, and how much was compared."""
    cells = comparison.cells
    same = sum(cell.same for cell in cells)
    judged = sum(cell.judged for cell in cells)
    names = f"{figures.plain(comparison.head)} against {figures.plain(comparison.base)}"
    counts = f"{judged} of {len(cells)} cells compared, {same} with the very same answers"
    suite = f"{figures.plain(comparison.suite)}, " if comparison.suite else ""
    return f"{comparison.verdict.upper()}  {suite}{names}: {counts}"


def _sections(comparison: Comparison) -> list[tuple[str, list[str]]]:
    found = [
        ("Alarms", [alarm_line(alarm) for alarm in comparison.alarms]),
        ("What moved first", _cause(comparison)),
        ("Differences of the environment", list(comparison.environment)),
        ("Since when", _since(comparison.since)),
        ("Not measured", unmeasured_lines(comparison.unmeasured)),
        ("Left out on purpose, not judged", _left_out(comparison)),
        ("Moved, and no alarm", _quiet(comparison)),
        ("Cost", [_cost(change.cost, change.factor, change.band, change.nights) for change in comparison.costs
                  if change.scope == ALL]),
        ("How much this comparison can see", _sight(comparison)),
    ]
    return [(title, lines) for title, lines in found if lines]


def alarm_line(alarm: Alarm) -> str:
    """An alarm in one line."""
    return f"{_direction(alarm)} {alarm.kind}, {alarm.scope}: {alarm.says}"


def _direction(alarm: Alarm) -> str:
    if alarm.kind in (Kind.PARAMETERS, Kind.EVALUATION):
        return "changed"
    return "worse" if alarm.worse else "better"


def _cause(comparison: Comparison) -> list[str]:
    cause = comparison.cause
    if cause is None:
        return []
    sure = "" if cause.sure else "probably "
    whose = "behind the alarms" if comparison.alarms else "that moved"
    others = "".join(f"; {stage} first in {count}" for stage, count in cause.others.items())
    what = f"{cause.what}{_spoken(cause)}"
    return [f"{sure}{cause.stage}: {what} ({cause.cells} of the {cause.of} cells {whose}{others})"]


def _spoken(cause: Cause) -> str:
    """Whose words they are, where other cells have others: numbers in them are those of one cell."""
    if cause.cell is None or cause.alike == cause.cells:
        return ""
    return f", in {cause.cell}" + (f" and {cause.alike - 1} more" if cause.alike > 1 else "")


def _since(since: Since | None) -> list[str]:
    """The two nights between which it came in: what differs between them is where to look."""
    if since is None:
        return []
    many = f", and {plural(since.nights - 1, 'night')} since" if since.nights > 1 else ", tonight"
    nights = f"last good night {since.last_good}, first bad night {since.first_bad}{many}"
    return [nights, *(since.environment or ["the same versions, revisions, commit and machine on both"])]


def unmeasured_lines(unmeasured: Mapping[str, str]) -> list[str]:
    """A line for each reason why nothing can be said, with the cells that it holds for."""
    cells: dict[str, list[str]] = {}
    for key, reason in unmeasured.items():
        cells.setdefault(reason, []).append(key)
    return [f"{reason}: {_listed(keys)}" for reason, keys in cells.items()]


def _listed(keys: Sequence[str]) -> str:
    """The names of cells, of many their number and the first."""
    if len(keys) == 1:
        return keys[0]
    return f"{len(keys)} cells, {', '.join(keys[:NAMED])}{', ...' if len(keys) > NAMED else ''}"


def _left_out(comparison: Comparison) -> list[str]:
    return [_listed(comparison.left_out)] if comparison.left_out else []


def _quiet(comparison: Comparison) -> list[str]:
    """Pools, and the cells that moved most, that raised no alarm."""
    loud = {alarm.scope for alarm in comparison.alarms if alarm.kind is Kind.SCORE}
    findings = [*comparison.pooled[:1], *(c.finding for c in comparison.cells if c.finding)]
    quiet = sorted((f for f in findings if f.scope not in loud), key=lambda f: (f.cells == 1, f.p))
    return [f"{f.scope}: {_shift(f)}" for f in quiet[:5]]


def _shift(finding: Finding) -> str:
    return f"{finding.value:+.1f} [{finding.low:+.1f}, {finding.high:+.1f}], p {finding.p:.2g}"


def _cost(name: str, factor: float, band: float, nights: int) -> str:
    origin = f"learnt from {nights} nights" if nights >= ENOUGH else f"not learnt: {nights} of {ENOUGH} nights"
    return f"{name} times {factor:.2f} in the median cell (band {band:.2f}, {origin})"


def _sight(comparison: Comparison) -> list[str]:
    told = _told(comparison.sight)
    return [f"caught four times in five: {', '.join(told)}"] if told and comparison.verdict is not Verdict.FINE else []


def _some(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - SHOWN
    return list(lines) if rest <= 0 else [*lines[:SHOWN], f"... and {rest} more"]


def summary(comparison: Comparison) -> str:
    """The verdict as Markdown, for a pull request or a chat. Ends with a newline."""
    parts = [f"## {comparison.verdict.capitalize()}", markdown.text(headline(comparison))]
    for title, lines in _sections(comparison):
        parts.append(f"**{title}**\n\n" + "\n".join(f"- {markdown.text(line)}" for line in _some(lines)))
    parts += [_table(comparison.cells), markdown.text(advice(comparison))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(cells: Iterable[CellView]) -> str:
    moved = sorted((c for c in cells if c.finding), key=lambda c: c.finding.p if c.finding else 1.0)
    if not moved:
        return ""
    head = "| cell | base | now | change | 95% interval | p | moved first |\n" + "| --- " * 7 + "|"
    return "\n".join([head, *(_row(cell, cell.finding) for cell in moved[: 2 * SHOWN] if cell.finding)])


def _row(cell: CellView, finding: Finding) -> str:
    low, high = figures.score(finding.low), figures.score(finding.high)
    moved = markdown.text(str(cell.moved.stage)) if cell.moved else ""
    return (f"| {markdown.text(cell.key)} | {figures.score(cell.base_score)} | {figures.score(cell.head_score)} "
            f"| {finding.value:+.1f} | {low} to {high} | {finding.adjusted:.2g} | {moved} |")


def junit(comparison: Comparison) -> str:
    """JUnit XML: a test case a cell, and one for each alarm over several cells.

    The test suite bears the name of the suite, so that its cases have a history. An alarm is a failure, a cell of which
    nothing can be said an error, one that was left out skipped.
    """
    by_scope: dict[str, list[Alarm]] = {}
    for alarm in comparison.alarms:
        by_scope.setdefault(alarm.scope, []).append(alarm)
    suite = ElementTree.Element("testsuite", name=figures.plain(comparison.suite or "runs"))
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("verdict", "head", "base"):
        ElementTree.SubElement(properties, "property", name=name, value=figures.plain(str(getattr(comparison, name))))
    keys = {cell.key for cell in comparison.cells}
    for scope in [*(s for s in by_scope if s not in keys), *(cell.key for cell in comparison.cells)]:
        _case(suite, comparison, scope, by_scope.get(scope, []))
    if not comparison.unmeasured and comparison.verdict in (Verdict.TOO_LITTLE, Verdict.COULD_NOT_RUN):
        case = ElementTree.SubElement(suite, "testcase", classname=ALL, name=ALL)
        ElementTree.SubElement(case, "error", message="nothing was compared", type="unmeasured")
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, comparison: Comparison, scope: str, alarms: Sequence[Alarm]) -> None:
    task, _, rest = scope.partition("/")
    case = ElementTree.SubElement(suite, "testcase", classname=figures.plain(task), name=figures.plain(rest or scope))
    worse = [alarm for alarm in alarms if alarm.worse]
    if worse:
        says = figures.plain("; ".join(f"{a.kind}: {a.says}" for a in worse))
        ElementTree.SubElement(case, "failure", message=says, type=str(comparison.verdict))
    elif scope in comparison.unmeasured:
        ElementTree.SubElement(case, "error", message=figures.plain(comparison.unmeasured[scope]), type="unmeasured")
    elif scope in comparison.left_out:
        ElementTree.SubElement(case, "skipped", message="left out on purpose")


def as_json(comparison: Comparison) -> str:
    """Everything, as one JSON object, with the exit code."""
    return json.dumps({"exit_code": comparison.exit_code, **to_json(comparison)}, indent=1, allow_nan=False) + "\n"


JSON = "verdict.json"

FORMS = {"verdict.md": summary, "verdict.xml": junit, JSON: as_json}
"""The files that `write` makes."""


def write(comparison: Comparison, directory: Path) -> list[Path]:
    """Write the verdict in every form into `directory`; return the paths."""
    for name, form in FORMS.items():
        write_atomically(directory / name, form(comparison).encode())
    return [directory / name for name in FORMS]

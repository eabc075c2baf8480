"""`nightly`: run a suite afresh into a history, compare the night with the accepted base, and say the verdict."""

from __future__ import annotations

import _thread
import argparse
import dataclasses
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import estimate, history, pick, pool, provenance, quiet
from bench.commands import compare as comparing
from bench.commands import nights, preflight, request, results
from bench.commands import run as running
from bench.commands.outlook import Outlook
from bench.plan import Cell, Plan
from bench.record import Names, Record
from bench.screen import Screen, plural
from bench.store import Store
from bench.track import Tracker
from leaderboard import render, report, sides
from leaderboard.changes import Change
from leaderboard.compare import compare
from leaderboard.sides import Night, Side, Standing

MINUTE = 60.0
"""In seconds."""

AGAIN = 5.0
"""Seconds that a run has to end after it was interrupted."""


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Make tonight's run and exit with its verdict.

    Raises BenchError for what cannot be run as asked, KeyboardInterrupt with a message when interrupted.
    """
    quiet.hush()
    arguments.out = None
    asked = request.read(arguments)
    place = arguments.history or results.RUNS / "nightly" / asked.plan.suite
    earlier = nights.read(place, screen.warn)
    base = _base(place, earlier)
    known = {r.names: r for side in earlier for r in side.records.values()}
    chosen = _chosen(asked.plan, earlier, known, arguments)
    night = _make(arguments, asked.plan, chosen, known, place, screen)
    for problem in (*base.problems, *night.problems):
        screen.warn(problem)
    found = compare(base, night, earlier)
    written = report.write(found, night.store.root)
    history.thin(place)
    screen.say(report.text(found))
    page, changes = nights.publish(place, [*earlier, night])
    for line in _changes(changes):
        screen.say(line)
    screen.tell(comparing.paths([*written, page]))
    if not arguments.no_track:
        _mirror(night.store.root, screen)
    return found.exit_code


def _base(place: Path, earlier: Sequence[Side]) -> Side:
    """The night that was accepted last, with what it left out from those accepted before it.

    What none of these measured, as happens where nights are short, has for its base the first night that did so since.
    """
    runs = [acceptance.run for acceptance in history.accepted(place)]
    last = history.base(place)
    if last is None:
        return Side("no accepted night", Store(place), {})
    others = [sides.read(place / run) for run in reversed(runs[:-1]) if (place / run).is_dir()]
    return sides.filled(sides.read(last), [*others, *(side for side in earlier if side.name > last.name)])


def _chosen(
    plan: Plan, earlier: Sequence[Side], known: Mapping[Names, Record], arguments: argparse.Namespace
) -> tuple[Cell, ...]:
    """All cells of the plan, or those that fit into --max-minutes."""
    if arguments.max_minutes is None:
        return plan.cells
    workers = max(1, pool.default_workers() if arguments.workers is None else arguments.workers)
    budget = MINUTE * arguments.max_minutes * workers
    return pick.pick(plan.cells, lambda cell: estimate.seconds(cell, known), _past(earlier), budget)


def _past(earlier: Sequence[Side]) -> dict[str, pick.Past]:
    """By cell, how many nights ago it was scored last, and how sure its score was."""
    found: dict[str, pick.Past] = {}
    for waited, side in enumerate(reversed(earlier), start=1):
        for key, record in side.records.items():
            if key not in found and side.standing(key) is Standing.SCORED:
                found[key] = pick.Past(waited, _error(record))
    return found


def _error(record: Record) -> float | None:
    return None if record.low is None or record.high is None else (record.high - record.low) / 4


def _make(
    arguments: argparse.Namespace, plan: Plan, chosen: Sequence[Cell], known: Mapping[Names, Record], place: Path,
    screen: Screen,
) -> Side:
    """Tonight's run, in a directory of its own: nothing made before can pass for fresh."""
    began = _moment(place)
    out = place / history.dated(began)
    keys = {cell.key for cell in chosen}
    left_out = tuple(cell.key for cell in plan.cells if cell.key not in keys)
    tonight = dataclasses.replace(plan, cells=tuple(chosen))
    outlook = dataclasses.replace(Outlook.of(tonight, out, arguments.workers), known=known)
    preflight.check_checkpoints(outlook.to_do)
    out.mkdir(parents=True)
    night = Night(plan.suite, began, left_out)
    sides.write_night(out, night)
    if not arguments.quiet:
        left = f", {plural(len(left_out), 'cell')} left out" if left_out else ""
        screen.say(f"{plan.suite}  {outlook.summary()}{left}\nrecords: {out}\n")
    if not _in_time(arguments, request.Asked(tonight, out), outlook, screen):
        sides.write_night(out, dataclasses.replace(night, stopped=True))
    return sides.read(out)


def _in_time(arguments: argparse.Namespace, asked: request.Asked, outlook: Outlook, screen: Screen) -> bool:
    """Make the run; whether it ended before its time was up. What is finished by then is kept.

    Raises KeyboardInterrupt where somebody else stopped it.
    """
    deadline = _Deadline(arguments.stop_after)
    try:
        with deadline:
            running.make(arguments, asked, outlook, screen)
    except KeyboardInterrupt:
        if not deadline.passed:
            raise KeyboardInterrupt(f"stopped: {asked.out} has no verdict, the next night starts afresh") from None
        screen.warn(f"stopped after {plural(arguments.stop_after, 'minute')}: what was not finished has no record")
        render.refresh(asked.out)
        return False
    return True


class _Deadline:
    """Interrupts the run within it after so many minutes, as SIGTERM does, and tells that it was the one who did.

    Again and again until the run has ended: a library that is interrupted as it cleans up may turn that into an error.
    """

    def __init__(self, minutes: int | None) -> None:
        self.passed = False
        self._ended = threading.Event()
        self._thread = None if minutes is None else threading.Thread(target=self._wait, args=[minutes], daemon=True)

    def _wait(self, minutes: int) -> None:
        seconds = MINUTE * minutes
        while not self._ended.wait(seconds):
            self.passed = True
            seconds = AGAIN
            _thread.interrupt_main(signal.SIGTERM)

    def __enter__(self) -> None:
        if self._thread is not None:
            self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()


def _moment(place: Path) -> str:
    """The present time, once no other night bears its name: they are dated to the second."""
    began = provenance.now()
    while (place / history.dated(began)).exists():
        time.sleep(0.1)
        began = provenance.now()
    return began


def _mirror(run: Path, screen: Screen) -> None:
    """Send the verdict after the records: it is known only once the run and its mirror have ended."""
    with Tracker() as tracker:
        tracker.start(run, run.resolve().name, screen.warn)
        tracker.judged(run / report.JSON)


def _changes(found: Sequence[Change]) -> list[str]:
    """The changes of level over the history, the latest last."""
    if not found:
        return []
    return ["", "Changes of level over the nights:", *(f"  {_said(change)}" for change in found[-report.SHOWN :])]


def _said(change: Change) -> str:
    what = f"; {change.moved.what}" if change.moved else ""
    where = f"; {', '.join(change.environment)}" if change.environment else ""
    levels = f"{change.before:.1f} to {change.after:.1f}"
    return f"{change.first}  {change.scope}: {levels} (last good: {change.last_good}){what}{where}"

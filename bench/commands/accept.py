"""`accept`: make a night the base that later ones are compared with, and keep who did so and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import history
from bench.commands import nights
from bench.screen import Screen, plural
from leaderboard import sides
from leaderboard.compare import MEASURED
from leaderboard.sides import Side, Standing


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Accept a night. Raises RequestError for a directory that is no night, StoreError for what cannot be read."""
    run = Path(arguments.run).resolve()
    history.accepted(run.parent)
    lacking = _lacking(sides.read(run)) if run.is_dir() else []  # before it counts: what is unreadable is no base
    made = history.accept(run.parent, run.name, arguments.who, arguments.why)
    if lacking:
        screen.warn(f"no night can be compared with it in {plural(len(lacking), 'cell')}: {', '.join(lacking)}")
    nights.publish(run.parent, nights.read(run.parent, screen.warn))
    screen.say(f"{made.run} is the base from now on, accepted by {made.who}: {made.why}")
    return 0


def _lacking(side: Side) -> list[str]:
    """The cells that the night was meant to measure and has no result of."""
    return [key for key in side.keys if side.standing(key) not in {*MEASURED, Standing.LEFT_OUT}]

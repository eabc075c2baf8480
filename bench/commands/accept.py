"""`accept`: make a night the base that later ones are compared with, and keep who did so and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import history
from bench.commands import nights
from bench.screen import Screen


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Accept a night. Raises RequestError for a directory that is no night, StoreError for an unreadable list."""
    run = Path(arguments.run).resolve()
    history.accepted(run.parent)
    made = history.accept(run.parent, run.name, arguments.who, arguments.why)
    nights.publish(run.parent, nights.read(run.parent))
    screen.say(f"{made.run} is the base from now on, accepted by {made.who}: {made.why}")
    return 0

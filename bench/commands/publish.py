"""`publish`: writes a run's leaderboard anew from its records. Runs nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from bench import claims
from bench.commands import results
from bench.screen import Screen, plural


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Write the leaderboard. Of a history of nights, that is the page of its trend.

    Raises StoreError where there is no run, NothingSelectedError where it has no records.
    """
    from bench import history
    from bench.commands import nights
    from leaderboard import render

    run = results.directory(arguments.run)
    if history.nights(run):
        screen.say(f"  {nights.publish(run, nights.read(run, screen.warn))[0]}")
        return 0
    results.read(run, screen)
    with claims.turn(run, "publish") if arguments.out is None else nullcontext():
        published = render.publish(run, arguments.out, arguments.png)
    screen.say(paths(published))
    return 0


def paths(published: Sequence[Path]) -> str:
    """Where the files of a leaderboard lie, one a line; of figures just the folder and their number."""
    figures = [path for path in published if path.suffix in (".svg", ".png")]
    lines = [f"  {path}" for path in published if path not in figures]
    folders = dict.fromkeys(path.parent for path in figures)
    lines += [f"  {folder}: {plural(sum(p.parent == folder for p in figures), 'file')}" for folder in folders]
    return "\n".join(lines)

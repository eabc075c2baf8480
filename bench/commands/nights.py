"""The nights of a history as commands read them, and the page of their trend. Runs and compares nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench import history
from bench.errors import StoreError
from leaderboard import sides, trend, trend_page
from leaderboard.changes import Change, change_points
from leaderboard.sides import Side


def read(place: Path, warn: Callable[[str], None]) -> list[Side]:
    """The recent nights of a history, oldest first.

    One that cannot be read is warned of and passed over: what is wrong with an old night must not stop a new one.
    """
    found = []
    for run in history.nights(place)[-history.KEPT:]:
        try:
            found.append(sides.read(run))
        except StoreError as error:
            warn(f"the night {run.name} is passed over: {error}")
    return found


def publish(place: Path, nights: Sequence[Side]) -> tuple[Path, list[Change]]:
    """Write the page of the trend into the history; its path, and the changes of level that it shows, oldest first.

    Raises StoreError for an acceptance that cannot be read.
    """
    found = change_points(nights)
    accepted = {a.run: f"accepted by {a.who}: {a.why}" for a in history.accepted(place)}
    return trend_page.write(place, trend.of(nights, found, accepted)), found

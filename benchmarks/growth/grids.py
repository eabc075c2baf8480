"""What a run of many cells and its board do beside the cells, at several numbers of cells."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

from bench import run as runs
from bench.commands.outlook import Outlook
from bench.executors.choice import Choice
from bench.plan import Plan
from bench.store import Store
from benchmarks import executors
from benchmarks.growth.axis import Axis
from leaderboard import render, study
from tests import fake_records, fake_run

LEARNER = "benchmarks.executors:open_nothing"


def _planning(cells: int, place: Path) -> Callable[[], object]:
    return lambda: [cell.fingerprint for cell in executors.large(cells).cells]


def _keeping(cells: int, place: Path) -> Callable[[], object]:
    plan = executors.large(cells)
    return lambda: Plan.loads(plan.dumps())


def _filled(cells: int, place: Path) -> Plan:
    plan = executors.large(cells)
    executors.fill(plan, place)
    return plan


def _fresh(cells: int, place: Path) -> Callable[[], object]:
    plan = _filled(cells, place)
    return lambda: runs.run(plan, place)


def _announcing(cells: int, place: Path) -> Callable[[], object]:
    plan = _filled(cells, place)
    return lambda: Outlook.of(plan, place).summary()


def _running(cells: int, place: Path) -> Callable[[], object]:
    """In this very process, each time into a directory of its own."""
    os.environ[executors.PAUSE] = "0"
    plan, numbers = executors.large(cells), itertools.count()
    here = Choice(workers=0)
    return lambda: runs.run(plan, place / str(next(numbers)), executor=here, learner=LEARNER)


def _written(cells: int, place: Path) -> Path:
    """A run of so many cells with answers to 60 rows."""
    fake_run.write(place / "run", cells // len(fake_records.TASKS))
    return place / "run"


def _studying(cells: int, place: Path) -> Callable[[], object]:
    store = Store(_written(cells, place))
    return lambda: study.of(store, store.records())


def _publishing(cells: int, place: Path) -> Callable[[], object]:
    run = _written(cells, place)
    return lambda: render.publish(run, place / "board")


AXES = (
    Axis("planning, with fingerprints", "cells", (1000, 2000, 4000, 8000), _planning),
    Axis("plan.json, there and back", "cells", (1000, 2000, 4000, 8000), _keeping),
    Axis("finding records fresh", "cells", (200, 400, 800, 1600), _fresh),
    Axis("reading records, announcing a run", "cells", (200, 400, 800, 1600), _announcing),
    Axis("running cells that do nothing", "cells", (125, 250, 500, 1000), _running),
    Axis("reading answers and comparing them", "cells", (50, 100, 200, 400), _studying),
    Axis("publishing, its charts aside", "cells", (100, 400), _publishing),
)
"""Charts are drawn by other processes, whose time is not counted, and are as many whatever the number of cells."""

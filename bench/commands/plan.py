"""`plan`: the cells that a run would make, with their steps and a time estimate. Trains nothing, loads no tensors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from bench.commands import request
from bench.commands.outlook import Outlook
from bench.plan import Cell
from bench.screen import Screen, columns, plural
from bench.spec import Budget
from leaderboard import figures


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the plan. Raises as `bench.commands.request.read` does."""
    asked = request.read(arguments)
    outlook = Outlook.of(asked.plan, asked.out, arguments.workers)
    if arguments.json:
        for cell in asked.plan.cells:
            screen.say(json.dumps(_row(cell, outlook)))
        return 0
    screen.say(_table(asked.plan.cells, outlook))
    screen.say()
    screen.say("\n".join([*_budgets(asked.plan.cells), outlook.summary()]))
    return 0


def _table(cells: Sequence[Cell], outlook: Outlook) -> str:
    head = ("task", "model", "method", "source", "steps", "estimate", "record")
    rows = [(*map(figures.plain, cell.names), cell.source, *_numbers(cell, outlook)) for cell in cells]
    return columns([head, *rows], right=(4, 5))


def _numbers(cell: Cell, outlook: Outlook) -> tuple[str, str, str]:
    return f"{outlook.steps(cell):,}", figures.seconds(outlook.seconds(cell)), str(outlook.state(cell))


def _budgets(cells: Sequence[Cell]) -> list[str]:
    """What each cell may spend; tasks with the same budget share a line."""
    by_task: dict[str, list[Budget]] = {}
    for cell in cells:
        budgets = by_task.setdefault(cell.task.name, [])
        if cell.budget not in budgets:
            budgets.append(cell.budget)
    by_text: dict[str, list[str]] = {}
    for task, budgets in by_task.items():
        by_text.setdefault(_budget(budgets), []).append(task)
    return [f"budget of {', '.join(names)}: {text}" for text, names in by_text.items()]


def _budget(budgets: Sequence[Budget]) -> str:
    """Budgets of one task in words; they differ in the training-set size only."""
    budget = budgets[0]
    sizes = {"train": [b.train_size for b in budgets], "validation": [budget.validation_size],
             "test": [budget.test_size]}
    rows = ", ".join(f"{name} {' | '.join(map(_size, several))}" for name, several in sizes.items())
    shorter = f" of {plural(budget.trial_epochs, 'epoch')}" if budget.trial_epochs < budget.epochs else ""
    return (
        f"{plural(budget.trials, 'trial')}{shorter}, seeds {' '.join(map(str, budget.seeds))}, "
        f"{plural(budget.epochs, 'epoch')} in batches of {budget.batch_size}; rows: {rows}"
    )


def _size(size: int | None) -> str:
    return "all" if size is None else str(size)


def _row(cell: Cell, outlook: Outlook) -> dict[str, Any]:
    return {
        "cell": cell.key, "task": cell.task.name, "model": cell.model.name, "method": cell.method_name,
        "train_size": cell.budget.train_size, "source": cell.source,
        "steps": outlook.steps(cell), "seconds": round(outlook.seconds(cell), 1), "record": str(outlook.state(cell)),
        "fingerprint": cell.fingerprint, "data_revision": cell.data_revision, "model_revision": cell.model_revision,
    }

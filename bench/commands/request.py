"""What the options of `run` and `plan` ask for: a plan, and the directory of its run.

Knows options, suites and plans; trains nothing and shows nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import catalog, plan, sizes
from bench.commands.results import RUNS
from bench.errors import RequestError
from bench.options import DEFAULT_SUITE
from bench.suite import Suite

UNNAMED = "custom"
"""What a selection without a suite is called, so that it does not overwrite a suite's run."""

BUDGET = ("trials", "seeds", "epochs", "train_size", "validation_size", "test_size")
"""The options that replace entries of the suite's budget, named as these."""


@dataclass(frozen=True)
class Asked:
    """A plan with the directory of its run."""

    plan: plan.Plan
    out: Path


def read(arguments: argparse.Namespace) -> Asked:
    """The plan that the options ask for.

    Raises RequestError for what cannot be run as asked, UnavailableError for data or checkpoints that cannot be had,
    NothingSelectedError where no cell is left.
    """
    suite = _suite(arguments)
    source = arguments.source or suite.source
    if arguments.data_dir is not None and source != "files":
        raise RequestError(f"--data-dir is only read with --source files, not with {source!r}. Add that, or leave it.")
    asked = plan.Request(
        tasks=_names(arguments.tasks), models=_names(arguments.models), methods=_names(arguments.methods),
        source=arguments.source, data_dir=arguments.data_dir, allow_pickle=_names(arguments.allow_pickle) or (),
    )
    return Asked(plan.make(suite, asked), arguments.out or RUNS / _directory(suite, arguments.source))


def _suite(arguments: argparse.Namespace) -> Suite:
    if arguments.suite is None and all(getattr(arguments, axis) is None for axis in ("tasks", "models", "methods")):
        raise RequestError(
            f"say what to run: --suite {DEFAULT_SUITE} (others: python -m bench list suites), or at least one of "
            "--tasks, --models and --methods."
        )
    suite = catalog.suite(arguments.suite or DEFAULT_SUITE)
    if arguments.suite is None:
        suite = dataclasses.replace(suite, name=UNNAMED)
    changes = {name: getattr(arguments, name) for name in BUDGET if getattr(arguments, name) is not None}
    try:
        return with_budget(suite, changes)
    except ValueError as error:
        raise RequestError(f"{error}.") from error


def with_budget(suite: Suite, changes: Mapping[str, Any]) -> Suite:
    """The suite with `changes` (fields of Budget) for every task and source, also where it has entries of its own.

    Of several training-set sizes `train_size` is a tuple. Raises ValueError for what no budget can be.
    """

    def others(table: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in table.items() if name not in changes}

    fields, several = sizes.apart(changes)
    return dataclasses.replace(
        suite,
        budget=dataclasses.replace(suite.budget, **fields),
        train_sizes=several if "train_size" in changes else suite.train_sizes,
        changes={task: others(table) for task, table in suite.changes.items()},
        hub_budget=others(suite.hub_budget),
    )


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else catalog.split_names(text)


def _directory(suite: Suite, source: str | None) -> str:
    return suite.name if source in (None, suite.source) else f"{suite.name}-{source}"

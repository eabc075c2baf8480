"""`list`: what there is to choose from. Knows declarations only and is quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from bench import catalog, models
from bench.errors import UnavailableError, UnknownNameError
from bench.screen import Screen, columns
from bench.spec import Method, Model
from bench.suite import Suite
from leaderboard import figures

Rows = list[tuple[str, ...]]


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show the tasks, models, methods or suites. Raises UnknownNameError for anything else."""
    if arguments.what not in LISTS:
        raise UnknownNameError("list", arguments.what, LISTS)
    screen.say(columns(LISTS[arguments.what]()))
    return 0


def _tasks() -> Rows:
    head = ("task", "what", "head", "metric", "sources")
    return [head, *((t.name, t.title, str(t.head), t.metric, ", ".join(t.sources)) for t in catalog.tasks().values())]


def _models() -> Rows:
    head = ("model", "family", "checkpoint", "note")
    return [head, *((m.name, str(m.family), _place(m), _note(m)) for m in catalog.models().values())]


def _methods() -> Rows:
    return [("method", "what", "rates at width 768", "options"), *map(_method, catalog.methods().values())]


def _method(method: Method) -> tuple[str, ...]:
    rates = f"{method.rates.low:g} to {method.rates.high:g}" if method.rates else figures.UNKNOWN
    return method.name, method.title, rates, ", ".join(f"{name}={value}" for name, value in method.options.items())


def _suites() -> Rows:
    return [("suite", "cells", "what", "source"), *map(_suite, catalog.suites().values())]


def _suite(suite: Suite) -> tuple[str, ...]:
    sizes = sum(len(suite.budgets_for(task, suite.source)) for task in suite.tasks)
    cells = sizes * len(suite.models) * len(suite.methods)
    return suite.name, str(cells), suite.description, suite.source


LISTS: Mapping[str, Callable[[], Rows]] = {"tasks": _tasks, "models": _models, "methods": _methods, "suites": _suites}


def _place(model: Model) -> str:
    if model.package is not None:
        return f"package {model.package.replace('_', '-')}"
    return model.path


def _note(model: Model) -> str:
    """The model's note; for a checkpoint that should be here and is not, that it is missing."""
    try:
        models.directory(model)
    except UnavailableError:
        absent = "not installed" if model.package else "missing"
        return f"{model.note} ({absent})"
    return model.note

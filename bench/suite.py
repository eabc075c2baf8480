"""What a suite is, and how its TOML file is read. A mistake in the file is an error that names file, key and remedy.

Knows the layout of the file; is told which names exist, and nothing of what they stand for.

    [suite]
    description = "..."
    tasks = ["sentiment"]
    models = ["bert-mini"]
    methods = ["full", "lora[r=16]"]
    source = "bundled"          # optional

    [budget]                    # optional: fields of bench.spec.Budget
    trials = 4
    train_size = [100, 500]     # one size, or several: then every cell is made at each of them

    [budget.qa]                 # optional: what differs for one task
    epochs = 2

    [hub]                       # optional: what differs with --source hub
    models = ["bert-base-uncased"]
    budget = { epochs = 3 }
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench import sizes
from bench.errors import RequestError, SuiteError, UnavailableError
from bench.spec import Budget

BUDGET_FIELDS = tuple(f.name for f in dataclasses.fields(Budget))
LISTS = {"seeds": "seeds = [1, 2, 3]", "train_size": "train_size = [100, 500]"}
"""Entries of a budget that may be lists, with an example."""

SUITE_FIELDS = ("description", "tasks", "models", "methods", "source", "name")

T = TypeVar("T")

NAME = re.compile(r"[\w-][\w.-]*")
"""Names that stay below `runs/`, on every file system."""

Check = Callable[[str], Any]
"""Looks a name up and raises UnknownNameError when there is none."""


@dataclass(frozen=True)
class Suite:
    """A named set of cells with its budget.

    `train_sizes` are the training-set sizes of every task where there are several, in place of the budget's one.
    `changes` holds by task what differs in its budget; `hub_models` and `hub_budget` apply with the source `hub`. Under
    `train_size` both may have several sizes, as a tuple.
    """

    name: str
    description: str
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    methods: tuple[str, ...]
    source: str = "bundled"
    budget: Budget = field(default_factory=Budget)
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hub_models: tuple[str, ...] = ()
    hub_budget: Mapping[str, Any] = field(default_factory=dict)
    train_sizes: tuple[int, ...] = ()

    def budgets_for(self, task: str, source: str) -> tuple[Budget, ...]:
        """The budget of every cell of `task`: one for each training-set size, which is mostly a single one."""
        common = {"train_size": self.train_sizes or self.budget.train_size}
        general = self.hub_budget if source == "hub" else {}
        changes, several = sizes.apart({**common, **self.changes.get(task, {}), **general})
        budget = dataclasses.replace(self.budget, **changes)
        return tuple(dataclasses.replace(budget, train_size=size) for size in several) or (budget,)


def read_suite(path: Path, check: Mapping[str, Check]) -> Suite:
    """The suite in a TOML file. `check` looks up the names under "tasks", "models" and "methods".

    Raises SuiteError naming file, key and remedy; UnavailableError where the file cannot be read.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnavailableError(f"suite file {path}: {error.strerror}. Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: not valid TOML: {error}") from error
    return _Reader(path, check).suite(document)


@dataclass(frozen=True)
class _Reader:
    path: Path
    check: Mapping[str, Check]

    def suite(self, document: Mapping[str, Any]) -> Suite:
        self.known("", document, ("suite", "budget", "hub"))
        head, hub = self.table("suite", document), self.table("hub", document)
        self.known("[suite]", head, SUITE_FIELDS)
        self.known("[hub]", hub, ("models", "budget"))
        tasks = self.names("tasks", head, "[suite]")
        common, changes = self.budgets(self.table("budget", document), tasks)
        suite = Suite(
            name=self.name(head),
            description=self.text("description", head, ""),
            tasks=tasks,
            models=self.names("models", head, "[suite]"),
            methods=self.names("methods", head, "[suite]"),
            source=self.text("source", head, "bundled"),
            budget=self.budget("[budget]", common),
            train_sizes=sizes.apart(common)[1],
            changes=changes,
            hub_models=self.names("models", hub, "[hub]") if "models" in hub else (),
            hub_budget=self.hub_budget(hub),
        )
        for task in tasks:
            own = {**common, **changes.get(task, {})}
            self.budget(f"[budget.{task}]", own)
            self.budget(f"[hub] budget of {task}", {**own, **suite.hub_budget})
        return suite

    def name(self, head: Mapping[str, Any]) -> str:
        """What the suite is called, which is also what the directory of its runs is called."""
        name = self.text("name", head, self.path.stem)
        if not NAME.fullmatch(name):
            wanted = "of letters, digits, '.', '_' and '-', not starting with '.'"
            where = "" if "name" in head else " (without one, it is that of the file)"
            raise self.wrong("[suite]", f"name{where}", name, wanted)
        return name

    def hub_budget(self, hub: Mapping[str, Any]) -> dict[str, Any]:
        value = hub.get("budget", {})
        if not isinstance(value, dict):
            raise self.wrong("[hub]", "budget", value, "a table, as in budget = { trials = 2 }")
        return self.budget_changes("[hub] budget", value)

    def budgets(self, table: Mapping[str, Any], tasks: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is common to all tasks, and what differs by task."""
        own = {name: value for name, value in table.items() if isinstance(value, dict)}
        common = {name: value for name, value in table.items() if name not in own}
        for task in own:
            if task not in tasks:
                raise self.unknown("[budget]", task, (*tasks, *BUDGET_FIELDS))
        changes = {task: self.budget_changes(f"[budget.{task}]", value) for task, value in own.items()}
        return self.budget_changes("[budget]", common), changes

    def budget_changes(self, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
        self.known(where, table, BUDGET_FIELDS)
        return {name: self.entry(where, name, value) for name, value in table.items()}

    def entry(self, where: str, name: str, value: object) -> Any:
        """A whole number, or a list of them where there may be one."""
        if name == "seeds" and not isinstance(value, list):
            raise self.wrong(where, name, value, f"a list of whole numbers, as in {LISTS[name]}")
        items: list[Any] = value if name in LISTS and isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, int) or isinstance(item, bool):
                several = f", or a list of them, as in {LISTS[name]}" if name in LISTS else ""
                raise self.wrong(where, name, item, f"a whole number{several}")
        if name == "train_size":
            return self.valid(where, lambda: sizes.checked(items))
        return tuple(items) if name == "seeds" else value

    def budget(self, where: str, values: Mapping[str, Any]) -> Budget:
        """The budget of these values; of the smallest training set where they name several, which are in order."""
        single, several = sizes.apart(values)
        return self.valid(where, lambda: Budget(**{**single, **({"train_size": several[0]} if several else {})}))

    def valid(self, where: str, make: Callable[[], T]) -> T:
        """What `make` gives. Raises SuiteError where it finds fault with the values."""
        try:
            return make()
        except ValueError as error:
            raise SuiteError(f"{self.path}: {where}: {error}.") from error

    def names(self, key: str, table: Mapping[str, Any], where: str) -> tuple[str, ...]:
        value = table.get(key)
        if value is None:
            raise SuiteError(f'{self.path}: {where} has no {key!r}. Add it: {key} = ["..."]')
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            raise self.wrong(where, key, value, 'a list of names, as in ["...", "..."]')
        for name in value:
            try:
                self.check[key](name)
            except RequestError as error:
                raise SuiteError(f"{self.path}: {where} {key}: {error}") from error
        return tuple(dict.fromkeys(value))

    def text(self, key: str, table: Mapping[str, Any], default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self.wrong("[suite]", key, value, "text in quotes")
        return value

    def table(self, key: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong("", key, value, f"a table; begin it with a line [{key}]")
        return value

    def known(self, where: str, table: Mapping[str, Any], names: Collection[str]) -> None:
        for key in table:
            if key not in names:
                raise self.unknown(where, key, names)

    def unknown(self, where: str, key: str, names: Collection[str]) -> SuiteError:
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        advice = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."
        return SuiteError(f"{self.path}: {where + ' has ' if where else ''}unknown key {key!r}. {advice}")

    def wrong(self, where: str, key: str, value: object, wanted: str) -> SuiteError:
        return SuiteError(f"{self.path}: {where + ' ' if where else ''}{key} must be {wanted}, not {value!r}.")

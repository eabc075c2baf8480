"""Every task is a declaration that the rest of the harness can act on."""

from __future__ import annotations

import importlib
import re

import pytest

from bench import sources
from bench.score import FLOORS, METRICS
from bench.spec import SPLITS, Budget, Bundled, Files, Head, Hub, Task

NAMES = ("sentiment", "ner", "qa", "translation", "summarization")


@pytest.fixture(params=NAMES)
def task(request: pytest.FixtureRequest) -> Task:
    declared = importlib.import_module(f"tasks.{request.param}").TASK
    assert isinstance(declared, Task)
    return declared


def test_a_task_is_named_like_its_module_and_offers_all_three_sources(task: Task) -> None:
    assert importlib.import_module(f"tasks.{task.name}").TASK is task
    assert [type(task.sources[name]) for name in ("bundled", "hub", "files")] == [Bundled, Hub, Files]


def test_its_metric_floors_types_and_columns_exist(task: Task) -> None:
    assert task.metric in METRICS
    assert task.floors
    assert set(task.floors) <= set(FLOORS)
    assert set(task.schema.values()) <= set(sources.TYPES)
    assert {*task.inputs, task.reference} <= set(task.schema)


def test_its_limits_suit_its_head(task: Task) -> None:
    assert task.input_tokens > 0
    assert (task.output_tokens > 0) == (task.head is Head.GENERATE)
    assert 0 <= task.stride < task.input_tokens
    assert (task.stride > 0) == (task.head is Head.SPAN)


def test_its_hub_source_fills_every_column_and_split_and_is_pinned_by_a_whole_commit_or_not_at_all(task: Task) -> None:
    hub = task.sources["hub"]
    assert isinstance(hub, Hub)
    assert re.fullmatch(r"[\w-]+/[\w.-]+", hub.id)
    assert set(hub.columns.values()) == set(task.schema)
    assert set(hub.splits) == set(SPLITS)
    assert hub.revision is None or re.fullmatch(r"[0-9a-f]{40}", hub.revision)


def test_its_bundled_rows_are_the_pinned_ones_and_all_fit_the_schema(task: Task) -> None:
    sources.check(task, "bundled")


def test_its_bundled_test_rows_are_not_in_train(task: Task) -> None:
    splits = sources.load(task, "bundled", budget=Budget())
    assert sources.overlap(task, splits) == 0
    assert all(row["phenomena"] for row in splits.test())

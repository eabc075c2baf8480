"""Every task is a declaration that the rest of the harness can act on."""

from __future__ import annotations

import importlib
import re

import pytest

from bench import catalog, plan, sources
from bench.errors import RequestError
from bench.score import FLOORS, METRICS
from bench.spec import SPLITS, Budget, Bundled, Files, Head, Hub, Task

KINDS = {"bundled": Bundled, "hub": Hub, "files": Files}
BUNDLED = ("sentiment", "ner", "qa", "translation", "summarization")
"""The tasks that come with a corpus of their own."""

GLUE = ("acceptability", "entailment", "mnli", "paraphrase", "qnli", "qqp", "similarity")


@pytest.fixture(params=catalog.tasks())
def task(request: pytest.FixtureRequest) -> Task:
    return catalog.task(request.param)


@pytest.fixture(params=BUNDLED)
def bundled(request: pytest.FixtureRequest) -> Task:
    return catalog.task(request.param)


def test_there_are_the_tasks_of_the_default_suite_and_the_rest_of_glue() -> None:
    assert sorted(catalog.tasks()) == sorted((*BUNDLED, *GLUE))


def test_a_task_is_named_like_its_module_and_reads_the_hub_and_files(task: Task) -> None:
    assert importlib.import_module(f"tasks.{task.name}").TASK is task
    assert {name: type(source) for name, source in task.sources.items()} == {
        name: KINDS[name] for name in KINDS if name != "bundled" or task.name in BUNDLED
    }


@pytest.mark.parametrize("name", GLUE)
def test_a_source_that_a_task_has_not_is_answered_with_those_it_has(name: str) -> None:
    """Most often the default one, where nothing is bundled."""
    with pytest.raises(RequestError) as caught:
        plan.make(catalog.suite("smoke"), plan.Request(tasks=(name,)))
    assert f"task '{name}' has no bundled data: add --source files or --source hub" in str(caught.value)
    assert "--data-dir" in str(caught.value)


@pytest.mark.parametrize("suite", catalog.suites())
def test_every_task_of_a_suite_has_its_source(suite: str) -> None:
    read = catalog.suite(suite)
    assert all(read.source in catalog.task(name).sources for name in read.tasks)


def test_its_metric_floors_types_and_columns_exist(task: Task) -> None:
    assert task.metric in METRICS
    assert task.floors
    assert set(task.floors) <= set(FLOORS)
    assert set(task.schema.values()) <= set(sources.TYPES)
    assert {*task.inputs, task.reference} <= set(task.schema)


def test_a_task_scored_by_the_name_of_a_label_says_which_labels_there_are(task: Task) -> None:
    assert bool(task.labels) == (task.metric == "f1")
    if task.labels:
        assert METRICS["f1"].compute(predictions=task.labels, references=task.labels)["f1"] == 100


def test_what_is_put_around_the_inputs_names_every_input_once(task: Task) -> None:
    """A prompt may leave the place of a single input open; a template also has the place of the answer."""
    for text, own in ((task.prompt, ()), (task.template, ("answer",))):
        named = re.findall(r"{(\w*)}", text)
        assert sorted(named) == sorted([*task.inputs, *own]) or (not named and (len(task.inputs) == 1 or not text))


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


def test_its_bundled_rows_are_the_pinned_ones_and_all_fit_the_schema(bundled: Task) -> None:
    sources.check(bundled, "bundled")


def test_its_bundled_test_rows_are_not_in_train(bundled: Task) -> None:
    splits = sources.load(bundled, "bundled", budget=Budget())
    assert sources.overlap(bundled, splits) == 0
    assert all(row["phenomena"] for row in splits.test())

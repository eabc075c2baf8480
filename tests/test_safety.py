"""Names and files that somebody else wrote: they stay in their directory, and run nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import catalog, cli
from bench.errors import RequestError, StoreError, SuiteError
from bench.plan import Plan
from bench.store import Store
from leaderboard import render
from tests import fake_records

HOSTILE = ["../../../escaped", "/tmp/escaped", "..", ".", "a/../../b", "..\\..\\escaped", "a\0b", "con\n../x", "~", ""]


def files(place: Path) -> set[str]:
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_lead_out_of_the_directory_of_a_run(tmp_path: Path, name: str) -> None:
    """Record, predictions, study, models and the pages of the board."""
    store = Store(tmp_path / "run")
    plain = fake_records.record("sentiment", "bert-mini", "full")
    for made in (replace(plain, task=name), replace(plain, model=name), replace(plain, method=name)):
        store.write_record(made)
        store.write_predictions(made.names, [])
        places = [store.study(made.names), store.model(made.names, 1)]
        assert all((tmp_path / "run") in place.resolve().parents for place in places)
    assert len(store.records()) == 3
    render.publish(tmp_path / "run")
    assert all(path.startswith("run/") for path in files(tmp_path))


def test_a_link_in_the_place_of_a_record_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("stays")
    store = Store(tmp_path / "run")
    made = fake_records.record("sentiment", "bert-mini", "full")
    path = store.path("records", made.names, "json")
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "precious")
    store.write_record(made)
    assert (tmp_path / "precious").read_text() == "stays"
    assert store.read_record(made.names) == made


def test_models_that_are_forgotten_take_nothing_beyond_a_link_with_them(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("stays")
    store, names = Store(tmp_path / "run"), ("sentiment", "bert-mini", "full")
    place = store.model(names, 1).parent
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "precious")
    store.remove_models(names)
    assert (tmp_path / "precious" / "file").read_text() == "stays"


SUITE = '[suite]\ntasks = ["sentiment"]\nmodels = ["bert-mini"]\nmethods = ["full"]\n'


@pytest.mark.parametrize(
    "more",
    [
        'learner = "os:system"', 'module = "evil"', "[learner]\nname = 1", "[budget]\ntrials = \"__import__('os')\"",
        'name = "../../escaped"', 'source = "os:system"',
    ],
)  # fmt: skip
def test_a_suite_file_can_name_no_code_and_no_place(tmp_path: Path, more: str) -> None:
    """What it may say is a fixed list of keys with plain values, all looked up in the catalog."""
    (tmp_path / "mine.toml").write_text(SUITE + more + "\n")
    line = ["plan", "--suite", str(tmp_path / "mine.toml")]
    assert cli.main(line) == 2


@pytest.mark.parametrize("methods", ['["full; import os"]', '["lora[r=__import__]"]', '["os:system"]', '["../full"]'])
def test_a_suite_file_can_only_name_methods_that_there_are(tmp_path: Path, methods: str) -> None:
    (tmp_path / "mine.toml").write_text(SUITE.replace('["full"]', methods))
    with pytest.raises(SuiteError):
        catalog.suite(str(tmp_path / "mine.toml"))


def test_a_plan_can_only_name_what_is_in_the_catalog() -> None:
    """It is a file of the run's directory, which others may have written to."""
    cell = {"task": "os", "model": {}, "method": "full"}
    for text in (json.dumps({"suite": "x", "cells": [cell]}), "[]", "{}", "null"):
        with pytest.raises((StoreError, RequestError)):
            Plan.loads(text)

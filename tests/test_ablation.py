"""Each lever takes away what it says and nothing else, and the page shows what that cost and what it did to scores."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest

from bench import work
from bench.learn import memory
from benchmarks.ablation import __main__ as command
from benchmarks.ablation import child, page
from benchmarks.ablation.levers import LEVERS, SINGLE
from benchmarks.ablation.page import Measured, Side

REPLACED = {
    "frozen": "bench.learn.fit.CACHE_LIMIT", "tokens": "bench.learn.fit.seen_rows",
    "writing": "bench.learn.writing.WRITTEN_HERE", "bfloat16": "bench.learn.device.CPU_BFLOAT16_WIDTH",
    "pools": "bench.learn.batch.POOL", "predictions": "bench.learn.memory.prediction_order",
    "pruning": "bench.tune.pruner",
}
"""What each lever replaces; the others change the budget, the environment or the number of processes."""


@pytest.mark.parametrize("name", REPLACED)
def test_without_a_lever_its_part_of_the_product_is_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _, attribute = REPLACED[name].rpartition(".")
    module = importlib.import_module(place)
    before: Any = getattr(module, attribute)
    monkeypatch.setattr(module, attribute, before)  # put back afterwards
    LEVERS[name].off()
    assert getattr(module, attribute) != before


def test_every_lever_has_one_way_to_be_taken_away() -> None:
    others = {name: (lever.budget, lever.unset, lever.fresh) for name, lever in SINGLE.items() if name not in REPLACED}
    assert set(others) == {"allocator", "half", "warm"}
    assert all(sum(map(bool, ways)) == 1 for ways in others.values())


def test_predictions_in_order_have_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "prediction_order", vars(memory)["prediction_order"])
    LEVERS["predictions"].off()
    seen: list[list[int]] = []
    memory.Room(10).each([7] * 20, lambda members: seen.append(list(members)))
    assert [len(batch) for batch in seen] == [8, 8, 4]
    assert [row for batch in seen for row in batch] == list(range(20))


@pytest.mark.parametrize("name", LEVERS)
def test_cells_of_a_lever_are_planned_with_and_without_it(name: str) -> None:
    lever = LEVERS[name]
    for together in lever.cells:
        keys = together.split()
        on, off = child.cells(keys, {}), child.cells(keys, lever.budget)
        assert [cell.key for cell in on] == [cell.key for cell in off] == keys
        assert all((one.budget != other.budget) == bool(lever.budget) for one, other in zip(on, off, strict=True))


def test_trials_of_half_the_length_become_whole_ones() -> None:
    (key, *_) = LEVERS["half"].cells
    (on,), (off,) = child.cells([key], {}), child.cells([key], LEVERS["half"].budget)
    assert (on.budget.trial_epochs, off.budget.trial_epochs) == (1, on.budget.epochs)


def test_allocator_is_left_out_on_one_side_only() -> None:
    lever = LEVERS["allocator"]
    assert command.environment(lever, "with") == work.ENVIRONMENT
    without = command.environment(lever, "without")
    assert without == {name: value for name, value in work.ENVIRONMENT.items() if not name.startswith("MALLOC")}


def test_levers_together_are_all_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [place.rpartition(".")[::2] for place in REPLACED.values()]
    before: list[Any] = [getattr(importlib.import_module(module), name) for module, name in places]
    for (module, name), value in zip(places, before, strict=True):
        monkeypatch.setattr(importlib.import_module(module), name, value)  # put back afterwards
    LEVERS["all"].off()
    for (module, name), value in zip(places, before, strict=True):
        assert getattr(importlib.import_module(module), name) != value
    assert LEVERS["all"].budget == LEVERS["half"].budget
    assert LEVERS["all"].unset == LEVERS["allocator"].unset
    assert LEVERS["all"].fresh


def test_page_ends_with_where_the_time_went_before_and_after() -> None:
    on = Side((1.0,), (1.0,), {}, {"forward": 2.0, "data": 0.5})
    both = Measured("all", ["ner/m/full"], on, Side((9.0,), (9.0,), {"ner/m/full": (1.0,)}, {"forward": 8.0}))
    text = page.render([dataclasses.replace(both, on=dataclasses.replace(on, scores={"ner/m/full": (1.0,)}))], {},
                       (0.0, 0.0), "")
    assert text.endswith("| forward | 8.0 s | 2.0 s |\n| data | 0.0 s | 0.5 s |\n")


def measured(*off_scores: float) -> Measured:
    on = Side((1.0, 2.0), (1.0, 1.5), {"ner/m/full": (50.0, 60.0)})
    return Measured("a lever", ["ner/m/full"], on, Side((3.0, 4.0), (2.0, 2.4), {"ner/m/full": off_scores}))


def test_row_has_ratios_by_round_and_scores_that_are_the_same() -> None:
    times = "1.2 s | 2.2 s | 1.80 (1.60 to 2.00) | 2.50 (2.00 to 3.00)"
    assert page.line(measured(50.0, 60.0)) == f"| a lever | ner/m/full | {times} | 55.0 | 55.0 | the same |\n"


def test_scores_that_moved_have_their_difference_even_where_it_rounds_to_nothing() -> None:
    assert page.line(measured(50.0, 58.0)).endswith("| 55.0 | 54.0 | +1.0 |\n")
    assert page.line(measured(60.0, 50.0)).endswith("| 55.0 | 55.0 | +0.0 |\n")


def test_page_says_what_it_was_measured_on() -> None:
    text = page.render([measured(50.0, 60.0)], {"cores": 2}, (0.5, 1.5), "seeds (1, 2)")
    assert "cores 2; load 0.5 before and 1.5 after" in text
    assert "smaller than in the suite: seeds (1, 2)" in text

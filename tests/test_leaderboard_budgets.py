"""What methods spent on their searches, and what that added."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.record import Record
from leaderboard import budgets, markdown
from tests import fake_records


def searched(model: str, *values: float) -> Record:
    record = fake_records.record("qa", "t5-mini", "full")
    trials = tuple(
        replace(record.trials[0], number=n, value=value, state="COMPLETE", steps=100 + n)
        for n, value in enumerate(values)
    )
    return replace(record, model=model, trials=trials, rate_at_edge=model == "a")


def test_a_budget_is_of_all_models_of_a_method_on_a_task() -> None:
    (found,) = budgets.of([searched("a", 50.0, 54.0), searched("b", 40.0, 30.0, 48.0)])
    assert (found.task, found.method, found.cells, found.edges) == ("qa", "full", 2, 1)
    assert (found.trials, found.steps) == ((2, 3), (101, 102))
    assert (found.default, found.tuned, found.gain) == pytest.approx((45.0, 51.0, 6.0))
    assert found.seconds == pytest.approx(5 * 3.5)


def test_sizes_and_tasks_are_told_apart() -> None:
    small = replace(searched("a", 50.0), train_size=100)
    other = fake_records.record("ner", "t5-mini", "full")
    assert [(b.task, b.size) for b in budgets.of([small, searched("a", 50.0), other])] == [
        ("qa", 100), ("qa", None), ("ner", None)]


def test_cells_without_trials_have_no_budget() -> None:
    assert budgets.of([searched("a")]) == ()


def test_default_and_tuned_are_of_the_same_cells() -> None:
    """A cell whose first trial has no score says nothing of what the search added."""
    lost = searched("b", 40.0, 60.0)
    lost = replace(lost, trials=(replace(lost.trials[0], value=None, state="DIVERGED"), lost.trials[1]))
    (found,) = budgets.of([searched("a", 50.0, 54.0), lost])
    assert (found.default, found.tuned, found.gain) == pytest.approx((50.0, 54.0, 4.0))


def by_method(*made: Record) -> dict[str, budgets.Budget]:
    return {budget.method: budget for budget in budgets.of(made)}


def test_a_method_is_read_against_the_one_that_is_best_when_tuned() -> None:
    """At the defaults they differ by 2 points, tuned by 8: three quarters of the gap are the search."""
    other = replace(searched("a", 48.0, 50.0), method="lora")
    found = by_method(searched("a", 50.0, 58.0), other)
    assert found["full"].behind is None
    behind = found["lora"].behind
    assert behind is not None
    assert (behind.tuned, behind.untuned, behind.share) == pytest.approx((8.0, 2.0, 0.75))
    assert "| 8.0 | 2.0 | 75% |" in markdown.search_table(tuple(found.values()))


def test_of_a_gap_below_a_point_no_share_is_told() -> None:
    found = by_method(searched("a", 50.0, 58.0), replace(searched("a", 40.0, 57.5), method="lora"))
    behind = found["lora"].behind
    assert behind is not None
    assert (behind.tuned, behind.share) == (0.5, None)


def test_only_models_that_have_both_methods_count_for_the_gap() -> None:
    found = by_method(searched("a", 50.0, 58.0), searched("b", 10.0, 90.0), replace(searched("a", 48.0), method="lora"))
    behind = found["lora"].behind
    assert behind is not None
    assert behind.tuned == pytest.approx(10.0)
    alone = by_method(searched("a", 50.0, 58.0), replace(searched("b", 48.0), method="lora"))
    assert alone["lora"].behind is None


def test_where_less_is_better_the_lowest_is_best() -> None:
    low, high = (replace(searched("a", v), method=m, higher_is_better=False) for v, m in ((1.0, "full"), (3.0, "lora")))
    found = by_method(low, high)
    assert found["full"].behind is None
    assert found["lora"].behind is not None


def test_the_table_shows_ranges_only_where_cells_differ() -> None:
    table = markdown.search_table(budgets.of([searched("a", 50.0, 54.0), searched("b", 40.0, 48.0)]))
    assert "| qa (bundled) | full | 2 | 2 | 101 | 14 s | 45.0 | 51.0 | 6.0 | 1 |  |  |  |" in table
    assert budgets.span((2, 3)) == "2\N{EN DASH}3"

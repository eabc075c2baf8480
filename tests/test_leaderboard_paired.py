"""Paired comparisons: against the libraries on the same numbers, and that they find nothing where there is nothing."""

from __future__ import annotations

import os

import numpy as np
import pytest
import sacrebleu
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.significance import PairedTest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from bench.metrics.metric import Array
from bench.predictions import Answers
from bench.score import METRICS
from bench.uncertainty import resampled_scores
from benchmarks import false_positives
from benchmarks.coverage import worlds
from leaderboard.paired import compare, holm, pairs
from leaderboard.panel import of_answers
from tests.answers import LOSS, grid, named, panel

A, B = named("a"), named("b")


def test_one_seed_each_is_the_paired_t_test_of_the_rows() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(52, 10, 400), rng.normal(50, 10, 400)
    known = scipy.stats.ttest_rel(one, other)
    limits = known.confidence_interval(0.95)
    found = compare(panel({"a": [one], "b": [other]}), A, B)
    assert found.value == pytest.approx(np.mean(one - other))
    assert found.p == pytest.approx(known.pvalue, rel=0.15)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=0.15)
    assert found.effect == pytest.approx(np.mean(one - other) / np.std(one - other, ddof=1), rel=0.06)
    assert found.one_seed


def test_rows_that_never_vary_leave_welchs_t_test_of_the_seeds() -> None:
    one, other = np.array([52.0, 55.0, 51.0]), np.array([50.0, 49.0, 50.5])
    known = scipy.stats.ttest_ind(one, other, equal_var=False)
    found = compare(panel({"a": [np.full(20, s) for s in one], "b": [np.full(20, s) for s in other]}), A, B)
    limits = known.confidence_interval(0.95)
    assert found.p == pytest.approx(known.pvalue, abs=1e-5)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=1e-4)
    assert not found.one_seed


@pytest.mark.parametrize(("only_a", "only_b"), [(30, 14), (22, 20), (40, 10)])
def test_accuracies_are_told_apart_as_by_mcnemars_test(only_a: int, only_b: int) -> None:
    """Mid-way between the asymptotic and the exact form, which brackets it from above."""
    one, other = np.zeros(300), np.zeros(300)
    one[: 150 + only_a] = 100
    other[:150] = 100
    other[150 + only_a : 150 + only_a + only_b] = 100
    table = [[150, only_a], [only_b, 150 - only_a - only_b]]
    found = compare(panel({"a": [one], "b": [other]}), A, B)
    assert found.p == pytest.approx(mcnemar(table, exact=False, correction=False).pvalue, rel=0.35, abs=0.02)
    assert found.p < mcnemar(table, exact=True).pvalue + 0.02
    assert (found.won, found.lost) == (only_a / 300, only_b / 300)


def noisy(texts: list[str], share: float, rng: np.random.Generator) -> list[str]:
    return [" ".join(w if rng.random() > share else "x" for w in text.split()) for text in texts]


@pytest.mark.parametrize("share", [0.20, 0.22, 0.24, 0.30])
def test_bleu_is_compared_as_by_sacrebleus_paired_tests(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its two tests approximate randomisation asks what ours asks, so p is the same.

    Its paired bootstrap counts resamples of |difference| that exceed their own mean by the difference seen: half of
    ours where the difference is clear, and never above one half.
    """
    monkeypatch.setitem(os.environ, "SACREBLEU_SEED", "12345")
    rng = np.random.default_rng(7)
    truth = [" ".join(f"w{w}" for w in rng.integers(0, 50, rng.integers(6, 20))) for _ in range(300)]
    outputs = {"a": noisy(truth, 0.2, rng), "b": noisy(truth, share, rng)}
    scorer = {"BLEU": sacrebleu.BLEU(references=[truth], force=True)}
    known = {
        kind: PairedTest(list(outputs.items()), scorer, references=None, test_type=kind, n_samples=1000)()[1]["BLEU"]
        for kind in ("ar", "bs")
    }
    bleu = METRICS["bleu"]
    statistics = {name: bleu.statistics(texts, truth) for name, texts in outputs.items()}
    cells = {named(name): [Answers(1, "rows", array, np.zeros(300))] for name, array in statistics.items()}
    found = compare(of_answers(bleu, cells), B, A)
    assert found.value == pytest.approx(known["ar"][1].score - known["ar"][0].score, abs=1e-9)
    assert found.p == pytest.approx(known["ar"][1].p_value, abs=0.04)
    apart = np.abs(np.diff(resampled_scores(bleu, list(statistics.values())), axis=1))
    assert np.mean(apart - apart.mean() > abs(found.value)) == pytest.approx(known["bs"][1].p_value, abs=0.05)


def test_p_is_uniform_where_two_single_trainings_do_not_differ() -> None:
    rng = np.random.default_rng(3)
    p = [pairs(panel(grid(rng, 2, 1, 80, seed_spread=0.0))).p[0, 1] for _ in range(250)]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("seed_spread", [0.0, 3.0])
def test_methods_of_three_seeds_that_do_not_differ_are_rarely_told_apart(seed_spread: float) -> None:
    rng = np.random.default_rng(4)
    p = np.array([pairs(panel(grid(rng, 2, 3, 80, seed_spread=seed_spread))).p[0, 1] for _ in range(250)])
    assert np.mean(p < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 250)


def test_a_board_of_equal_cells_shows_a_difference_in_few_cases() -> None:
    """A short form of `benchmarks.false_positives`: 40 boards of six cells, none of which should show one."""
    found = false_positives.found(worlds(("accuracy",))["accuracy"], seeds=3, points=2.0, boards=40)
    assert found.family <= 100 * (0.05 + 2 * np.sqrt(0.05 * 0.95 / 40))
    assert found.marked <= 5


@pytest.mark.parametrize("name", list(false_positives.WORLDS))
def test_cells_whose_seeds_vary_unlike_are_rarely_told_apart(name: str) -> None:
    """A short form of `benchmarks.false_positives`, which has more boards, larger ones, and what was used before."""
    used, before = false_positives.unlike(false_positives.WORLDS[name], cells=12, seeds=3, boards=25)
    assert used.pairs <= 10
    assert used.cells <= max(7, before.cells)


def test_seeds_that_agree_by_chance_are_not_believed_where_those_of_other_cells_do_not() -> None:
    rng = np.random.default_rng(12)
    common = rng.normal(50, 10, 500)
    near = {"a": [common + d for d in (3.0, 3.2, 2.8)], "b": [common + d for d in (0.0, 0.2, -0.2)]}
    others = {name: [common + d for d in rng.normal(0, 3, 3)] for name in "cdefghijklmn"}
    assert compare(panel(near), A, B).p < 1e-4
    assert compare(panel(near | others), A, B).p > 0.01


def test_a_difference_is_told_where_its_interval_leaves_out_0() -> None:
    board = panel(grid(np.random.default_rng(13), 6, 3, 80, seed_spread=2.0, tops=(6, 4, 3, 2, 1, 0)))
    found = pairs(board)
    clear = np.abs(found.ahead) > found.reach(0.95)
    assert 0 < clear.sum() < 30
    assert ((found.p < 0.05) == clear).all()


def test_a_difference_that_is_there_is_found() -> None:
    found = compare(panel(grid(np.random.default_rng(5), 2, 3, 400, seed_spread=0.5, tops=(4.0, 0.0))), A, B)
    assert found.p < 0.01
    assert found.low < 4 < found.high


def test_seeds_that_differ_speak_against_a_difference_that_rows_alone_would_show() -> None:
    rng = np.random.default_rng(6)
    common = rng.normal(50, 10, 500)
    seeds = {"a": [common + d for d in (9.0, 1.0, -4.0)], "b": [common + d for d in (0.1, 0.0, -0.1)]}
    alone = compare(panel({name: found[:1] for name, found in seeds.items()}), A, B)
    assert alone.p < 1e-6
    assert compare(panel(seeds), A, B).p > 0.3


def test_the_order_of_cells_seeds_and_rows_does_not_matter() -> None:
    cells = grid(np.random.default_rng(7), 3, 3, 150, seed_spread=1.0, tops=(2.0, 0.0, 1.0))
    found = compare(panel(cells), A, B)
    turned = compare(panel({name: cells[name][::-1] for name in "cba"}), A, B)
    assert (turned.value, turned.p) == pytest.approx((found.value, found.p))
    shuffled = compare(panel({n: [s[::-1] for s in seeds] for n, seeds in cells.items()}), A, B)
    assert shuffled.p == pytest.approx(found.p, rel=0.3, abs=0.01)


def test_the_other_way_round_is_the_same_with_the_sign_turned() -> None:
    both = panel(grid(np.random.default_rng(8), 2, 3, 100, seed_spread=1.0))
    one, other = compare(both, A, B), compare(both, B, A)
    assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low))
    assert (other.p, other.won, other.lost) == pytest.approx((one.p, one.lost, one.won))


def test_equal_cells_do_not_differ() -> None:
    same = grid(np.random.default_rng(9), 1, 2, 50, seed_spread=1.0)["a"]
    found = compare(panel({"a": same[:1], "b": same[:1]}), A, B)
    assert (found.value, found.low, found.high, found.p, found.effect) == (0, 0, 0, 1, None)


def test_a_single_row_tells_nothing() -> None:
    found = compare(panel({"a": [np.array([90.0])], "b": [np.array([10.0])]}), A, B)
    assert (found.p, found.low, found.high) == (1, -np.inf, np.inf)


def test_no_p_value_is_below_that_of_the_permutation_test() -> None:
    """Five rows all won by the same margin: a variance of 0, yet one of 16 ways to turn them looks as good."""
    found = compare(panel({"a": [np.full(5, 80.0)], "b": [np.full(5, 70.0)]}), A, B)
    assert found.p == 2 / 32


def test_where_less_is_better_rows_are_won_by_the_lower_score() -> None:
    both = panel({"a": [np.array([1.0, 2.0, 3.0])], "b": [np.array([2.0, 3.0, 3.0])]}, LOSS)
    found = compare(both, A, B)
    assert (found.value < 0, found.won, found.lost) == (True, 2 / 3, 0)
    assert pairs(both).ahead[0, 1] > 0


def test_cells_that_answered_other_rows_are_not_compared() -> None:
    row: Array = np.zeros((3, 2))
    cells = {A: [Answers(1, "some", row, row[:, 0])], B: [Answers(1, "others", row, row[:, 0])]}
    with pytest.raises(ValueError, match="did not answer the same test rows"):
        of_answers(LOSS, cells)


@pytest.mark.parametrize("p", [[0.2], [0.01, 0.04, 0.03, 0.005], [0.0, 1.0, 0.02, 0.02, 0.5, 0.019]])
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=10))
def test_holm_does_not_depend_on_the_order(p: list[float]) -> None:
    order = np.random.default_rng(len(p)).permutation(len(p))
    assert holm(np.array(p)[order]) == pytest.approx(holm(p)[order])

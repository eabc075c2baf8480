"""What holds for every metric, and the interval that is drawn from their statistics."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from bench.errors import UnknownNameError
from bench.metrics.metric import Array, Metric, means
from bench.score import METRICS, floor_scores, interval, metric_named
from bench.spec import Bundled, Head, Task
from tests.score_examples import EXAMPLES, TEXTS, fastest

MEAN = Metric("mean", ("mean",), "label", lambda predictions, references: np.zeros((0, 2)), means(("mean",)), dict)


def mean_statistics(values: Array) -> Array:
    return np.column_stack([np.ones(len(values)), values])


@pytest.fixture(params=list(METRICS))
def metric(request: pytest.FixtureRequest) -> Metric:
    return METRICS[request.param]


def test_compute_reports_every_measure_as_a_plain_float_with_the_primary_first(metric: Metric) -> None:
    predictions, references = EXAMPLES[metric.name]
    scores = metric.compute(predictions=predictions, references=references)
    assert tuple(scores) == metric.measures
    assert metric.measures[0] == metric.name
    assert {type(value) for value in scores.values()} == {float}


def test_a_perfect_prediction_scores_100(metric: Metric) -> None:
    references = [r for r in EXAMPLES[metric.name][1] if r]
    texts = [r["text"][0] if metric.reference == "answers" else r for r in references]
    scores = metric.compute(predictions=texts, references=references)
    assert all(value == pytest.approx(1 if name.endswith("_ratio") else 100) for name, value in scores.items())


def test_aggregate_of_many_sums_equals_scoring_each_choice_of_examples(metric: Metric) -> None:
    """The bootstrap scores resampled counts; that must be the score of the resampled examples themselves.

    Ranks change with the examples that are drawn: tests/test_score_spearman.py says how near that comes.
    """
    near = {"spearman": 30.0}
    predictions, references = EXAMPLES[metric.name]
    statistics = metric.statistics(predictions, references)
    draws = np.random.default_rng(3).integers(len(references), size=(20, len(references)))
    sums = np.stack([statistics[draw].sum(axis=0) for draw in draws])
    together = metric.aggregate(sums)
    for i, draw in enumerate(draws):
        alone = metric.compute(predictions=[predictions[j] for j in draw], references=[references[j] for j in draw])
        for name, values in together.items():
            assert values[i] == pytest.approx(alone[name], abs=near.get(name, 1e-9))


def test_there_is_one_example_score_between_0_and_100_for_each_example(metric: Metric) -> None:
    predictions, references = EXAMPLES[metric.name]
    examples = metric.per_example(metric.statistics(predictions, references))
    assert len(examples) == len(references)
    assert all(type(value) is float and 0 <= value <= 100 + 1e-9 for value in examples)


@pytest.mark.parametrize("name", ["accuracy", "squad_f1", "rougeL"])
def test_example_scores_average_to_the_corpus_score_where_the_metric_is_a_mean(name: str) -> None:
    metric, (predictions, references) = METRICS[name], EXAMPLES[name]
    statistics = metric.statistics(predictions, references)
    assert np.mean(metric.per_example(statistics)) == pytest.approx(metric.scores(statistics)[name])


def test_every_measure_has_a_signature(metric: Metric) -> None:
    signatures = metric.signatures()
    assert set(signatures) == set(metric.measures)
    assert all(signatures.values())


def test_a_prediction_too_few_is_an_error_that_gives_both_counts(metric: Metric) -> None:
    predictions, references = EXAMPLES[metric.name]
    expected = f"{metric.name}: {len(references) - 1} predictions for {len(references)} references"
    with pytest.raises(ValueError, match=expected):
        metric.compute(predictions=predictions[1:], references=references)


def test_nothing_to_score_is_an_error(metric: Metric) -> None:
    with pytest.raises(ValueError, match="nothing to score"):
        metric.compute(predictions=[], references=[])


def test_an_unknown_metric_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rougeL'"):
        metric_named("rouge-l")


def test_importing_the_module_brings_in_no_metric_library() -> None:
    heavy = "{'evaluate', 'datasets', 'torch', 'sacrebleu', 'nltk', 'rouge_score', 'sklearn', 'seqeval', 'pandas'}"
    code = f"import sys, bench.score; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


TASK = Task(
    name="rating", title="", version=1, head=Head.CLASSIFY, metric="accuracy",
    schema={"text": "text", "label": "label"}, inputs=("text",), reference="label",
    sources={"bundled": Bundled("none", "")}, input_tokens=8, floors=("majority",),
)


def test_floor_scores_are_all_measures_of_each_floor_of_the_task() -> None:
    train = [{"text": "a", "label": "bad"}, {"text": "b", "label": "good"}, {"text": "c", "label": "good"}]
    test = [{"text": "d", "label": "good"}, {"text": "e", "label": "bad"}]
    assert floor_scores(TASK, train, test) == {"majority": {"accuracy": 50.0, "macro_f1": pytest.approx(100 / 3)}}


def test_an_unknown_floor_is_answered_with_the_nearest() -> None:
    task = Task(**{**vars(TASK), "floors": ("majorty",)})
    with pytest.raises(UnknownNameError, match="Did you mean 'majority'"):
        floor_scores(task, [], [])


def test_the_interval_of_a_mean_is_the_one_of_the_normal_approximation() -> None:
    """One seed: nothing but test rows varies, so theory is known."""
    values = np.random.default_rng(1).normal(50, 10, 2000)
    low, high = interval(MEAN, [mean_statistics(values)], resamples=4000)
    error = values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_seeds_that_differ_widen_the_interval_as_students_t_says() -> None:
    """Rows that never vary: all that is left is the t interval of a mean of seeds."""
    seeds = np.random.default_rng(2).normal(50, 4, 12)
    low, high = interval(MEAN, [mean_statistics(np.full(10, seed)) for seed in seeds])
    known = scipy.stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((known.low, known.high), abs=1e-6)


def test_equal_seeds_do_not_make_a_test_set_look_larger() -> None:
    values = mean_statistics(np.random.default_rng(4).normal(50, 10, 300))
    one, five = interval(MEAN, [values], resamples=4000), interval(MEAN, [values] * 5, resamples=4000)
    assert five == pytest.approx(one, abs=0.15)


def test_the_interval_holds_the_score_and_repeats_for_the_same_seed(metric: Metric) -> None:
    predictions, references = EXAMPLES[metric.name]
    seeds = [metric.statistics(predictions, references), metric.statistics(predictions[::-1][::-1], references)]
    low, high = interval(metric, seeds, seed=7)
    assert low <= metric.scores(seeds[0])[metric.name] <= high
    assert (low, high) == interval(metric, seeds, seed=7)
    assert (low, high) == (round(low, 9), round(high, 9))


def test_seeds_may_have_predicted_different_labels() -> None:
    """The number of columns depends on the labels seen; the interval needs no common layout."""
    accuracy, references = METRICS["accuracy"], ["a", "b", "a", "b"]
    seeds = [accuracy.statistics(labels, references) for labels in (list("abbb"), list("acdb"))]
    low, high = interval(accuracy, seeds)
    assert 0 <= low < high <= 100


def test_a_large_test_set_is_resampled_in_blocks_with_every_resample_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.uncertainty._BLOCK", 1000)
    values = np.random.default_rng(5).normal(50, 10, 300)
    low, high = interval(MEAN, [mean_statistics(values)] * 2, resamples=1000)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(300), rel=0.1)


def test_an_interval_stays_within_the_limits_of_the_metric() -> None:
    low, high = interval(MEAN, [mean_statistics(np.full(10, seed)) for seed in (2.0, 98.0)])
    assert (low, high) == (0, 100)


def test_a_single_row_says_nothing_of_other_rows() -> None:
    assert interval(MEAN, [mean_statistics(np.array([70.0]))]) == (0, 100)


@pytest.mark.parametrize("sizes", [(3, 4), (0, 0), ()])
def test_seeds_without_common_rows_are_an_error(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Score every seed on the same rows"):
        interval(MEAN, [mean_statistics(np.zeros(n)) for n in sizes])


def test_a_thousand_resamples_of_three_seeds_and_a_thousand_rows_take_less_than_a_second() -> None:
    predictions, references = TEXTS
    bleu = METRICS["bleu"]
    statistics = np.tile(bleu.statistics(predictions, references), (200, 1))
    assert fastest(lambda: interval(bleu, [statistics] * 3)) < 1

"""All cells of one task, scored again on the same resampled test rows: what every comparison of them is read off.

Reads the answers that a run keeps beside its records. Knows no layout, and trains and scores nothing anew from texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import StoreError
from bench.metrics.metric import Array, Metric
from bench.predictions import Answers
from bench.record import Names, Record
from bench.score import metric_named
from bench.store import Store
from bench.uncertainty import mean_variance, row_covariance, shared_variance
from leaderboard.moderate import moderated


@dataclass(frozen=True, eq=False)
class Panel:
    """c cells that answered the same n test rows, and how their mean scores vary together.

    `values` (c,) are the cells' mean primary scores, `seed_variance` (c,) the variances of these means over seeds, 0
    where there is one seed, with `seed_freedom` (c,) degrees of freedom: both as all the cells tell them together
    (`leaderboard.moderate`). `shared` (c, c) is the covariance over test rows of the scores that other seeds would have
    as well; `fixed` (c, c) that of the mean scores of these very seeds. All in squared points. `examples` (c, n) are
    the rows' scores, averaged over the seeds: to look at, and to count rows won.
    """

    metric: Metric
    names: tuple[Names, ...]
    seeds: tuple[int, ...]
    values: Array
    seed_variance: Array
    seed_freedom: Array
    shared: Array
    fixed: Array
    examples: Array

    @property
    def rows(self) -> int:
        """The number of test rows."""
        return int(self.examples.shape[1])

    @property
    def sign(self) -> int:
        """1 where a higher score is better, else -1."""
        return 1 if self.metric.higher_is_better else -1

    def place(self, names: Names) -> int:
        """Where a cell stands. Raises KeyError for one that is not here."""
        if names not in self.names:
            raise KeyError(f"{'/'.join(names)} is not among the cells compared: {len(self.names)} cells")
        return self.names.index(names)


@dataclass(frozen=True)
class Reading:
    """The panel of some records, None where no cell can be read, and why cells are not in it, by key."""

    panel: Panel | None
    left_out: Mapping[str, str]


def read(store: Store, records: Sequence[Record]) -> Reading:
    """The panel of the records of one task at one training-set size.

    Cells without a score are passed over: they have nothing to compare. Of cells that answered other rows than most, or
    whose answers are not kept or cannot be read, the reason is given.
    """
    left_out, answers = {}, {}
    for names in (r.names for r in records if r.score is not None):
        try:
            answers[names] = store.read_answers(names)
        except StoreError:  # its message names a file of this machine: nothing for a page
            left_out["/".join(names)] = "its answers cannot be read"
    left_out |= {"/".join(n): "its answers are not kept" for n, found in answers.items() if not found}
    asked = Counter(a.asked for found in answers.values() for a in found)
    common = max(sorted(asked), key=lambda digest: asked[digest], default="")
    other = [n for n, found in answers.items() if found and any(a.asked != common for a in found)]
    left_out |= {"/".join(n): "it answered other test rows" for n in other}
    kept = {n: found for n, found in answers.items() if "/".join(n) not in left_out}
    return Reading(of_answers(metric_named(records[0].metric), kept) if kept else None, left_out)


def of_answers(metric: Metric, cells: Mapping[Names, Sequence[Answers]], rows: Sequence[int] | None = None) -> Panel:
    """The panel of these cells on all of their common rows, or on some of them.

    Raises ValueError for cells that did not answer the same rows.
    """
    if len({a.asked for found in cells.values() for a in found}) != 1:
        raise ValueError(f"{metric.name}: the cells did not answer the same test rows. Compare those that did.")
    chosen = slice(None) if rows is None else np.asarray(rows)
    statistics = [[a.statistics[chosen] for a in found] for found in cells.values()]
    scores = [np.array([metric.scores(array)[metric.name] for array in seeds]) for seeds in statistics]
    seeds = tuple(len(found) for found in cells.values())
    covariance = row_covariance(metric, [array for seeds in statistics for array in seeds])
    shared, fixed = _blocks(covariance, seeds)
    counts = np.array(seeds, dtype=np.float64)
    variances, freedom = moderated(np.array([mean_variance(s) for s in scores]) * counts, counts - 1)
    return Panel(
        metric=metric,
        names=tuple(cells),
        seeds=seeds,
        values=np.array([s.mean() for s in scores]),
        seed_variance=variances / counts,
        seed_freedom=freedom,
        shared=shared,
        fixed=fixed,
        examples=np.stack([np.mean([a.scores[chosen] for a in found], axis=0) for found in cells.values()]),
    )


def part(whole: Panel, names: Sequence[Names]) -> Panel:
    """Some of a panel's cells, in the order of `names`. Raises KeyError for one that is not there."""
    if tuple(names) == whole.names:
        return whole
    index = [whole.place(each) for each in names]
    return Panel(
        whole.metric, tuple(names), tuple(whole.seeds[i] for i in index), whole.values[index],
        whole.seed_variance[index], whole.seed_freedom[index], whole.shared[np.ix_(index, index)],
        whole.fixed[np.ix_(index, index)], whole.examples[index],
    )


def _blocks(covariance: Array, seeds: Sequence[int]) -> tuple[Array, Array]:
    """Covariances (m, m) of single seeds as those of cells: without, and with, what rows do to each seed by itself."""
    ends = [sum(seeds[: i + 1]) for i in range(len(seeds))]
    starts = [end - count for end, count in zip(ends, seeds, strict=True)]
    sums = np.add.reduceat(np.add.reduceat(covariance, starts, axis=0), starts, axis=1)
    fixed = sums / np.outer(seeds, seeds)
    shared = fixed.copy()
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        shared[i, i] = shared_variance(covariance[start:end, start:end])
    return shared, fixed

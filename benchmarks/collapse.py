"""Do intervals hold the truth where seeds know nothing, and each leans to a label of its own?

Part of `benchmarks.coverage`. Such seeds are right on opposite rows: their scores vary less together than one by one,
so that an interval may be narrower than that of tossed coins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics.metric import Array
from bench.score import METRICS
from bench.uncertainty import half_width, reach, row_covariance, spread

ROWS = 500
SHARE = 0.3
"""How much of what decides an answer is the row, the same for all seeds, and nothing to do with its label."""
RESAMPLES = 400
LEANS = (0.0, 1.0, 3.0, 10.0)
BALANCES = (0.5, 0.6)
SEEDS = (2, 3, 5)
COINS = 1.959964 * 100 * (0.25 / ROWS) ** 0.5
"""Half the width of the 95% interval of one series of tossed coins."""
INTRODUCTION = """## Seeds that know nothing

Two labels, {rows} rows, true accuracy 50. A seed answers "yes" where its lean and the row's noise exceed 0; leans are
normal around 0: with a spread of 0 seeds toss coins, with 1 they prefer a label, with 10 they give a single one.
`topped up` would be the coverage if no interval were narrower than the choice of rows alone makes that of these very
trainings. `narrow` is the share of intervals narrower than that of one seed of tossed coins, and how many of these hold
the truth.

Where labels are balanced the interval holds, though it is often narrow: seeds that lean to opposite labels really do
have a mean that hardly depends on the rows. Topped up it would hold too often, so it is left as it is. Where labels are
not balanced, seeds of single labels have one of two scores. Three of them agree in one case of four, and nothing in
them then tells of the other score: no interval can hold here, and such cells are marked `!` on the board instead."""


@dataclass(frozen=True)
class Found:
    """In percent: coverage, coverage topped up, narrow intervals, and of these coverage (None without any)."""

    held: float
    topped: float
    narrow: float
    held_narrow: float | None
    width: float


def found(*, lean: float, balance: float, seeds: int, cells: int) -> Found:
    """What becomes of so many cells whose leans spread by `lean`, where that part of the labels is "yes"."""
    rng = np.random.default_rng(0)
    widths = np.array([_widths(_right(rng, lean, balance, seeds)) for _ in range(cells)])
    # Leans are as often to the one label as to the other, so that the true mean is 50 whatever the balance.
    held = np.abs(widths[:, :1] - 50) <= widths[:, 1:]
    narrow = widths[:, 1] < COINS
    return Found(
        100 * float(held[:, 0].mean()), 100 * float(held[:, 1].mean()), 100 * float(narrow.mean()),
        100 * float(held[narrow, 0].mean()) if narrow.any() else None, 2 * float(np.median(widths[:, 1])),
    )


def _right(rng: np.random.Generator, lean: float, balance: float, seeds: int) -> Array:
    labels = rng.random(ROWS) < balance
    noise = np.sqrt(SHARE) * rng.standard_normal(ROWS) + np.sqrt(1 - SHARE) * rng.standard_normal((seeds, ROWS))
    said = noise + lean * rng.standard_normal((seeds, 1)) > 0
    return np.asarray(said == labels, dtype=np.float64)


def _widths(right: Array) -> tuple[float, float, float]:
    """The mean score, half the width of its interval, and the same topped up."""
    metric = METRICS["accuracy"]
    yes, no = metric.statistics(["yes", "no"], ["yes", "yes"])
    statistics = [np.where(each[:, None] > 0, yes, no) for each in right]
    known = spread(metric, statistics, resamples=RESAMPLES)
    own = float(np.mean(np.diag(row_covariance(metric, statistics, resamples=RESAMPLES)))) - known.row_variance
    missing = max(0.0, own / known.seeds - known.seed_variance)
    topped = reach(known.seed_variance, known.seeds - 1, known.row_variance + missing, ROWS - 1, 0.95)
    return 100 * float(right.mean()), half_width(known), float(topped)


def section(cells: int) -> str:
    """The part of the report, as Markdown."""
    lines = ["| labels | leans spread by | seeds | used | topped up | median width | narrow | of these held |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for balance in BALANCES:
        for seeds in SEEDS:
            for lean in LEANS:
                each = found(lean=lean, balance=balance, seeds=seeds, cells=cells)
                told = "" if each.held_narrow is None else f"{each.held_narrow:.1f}"
                lines.append(
                    f"| {balance:.0%} yes | {lean:g} | {seeds} | {each.held:.1f} | {each.topped:.1f} | "
                    f"{each.width:.1f} | {each.narrow:.1f} | {told} |"
                )
    return f"{INTRODUCTION.format(rows=ROWS)}\n\n" + "\n".join(lines)

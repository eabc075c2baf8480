"""Did scores shift between two runs? Cell by cell, and pooled over cells, without crying wolf.

The question is not whether two methods differ but whether a run behaves as its base did, so the noise that matters is
what another run of the same code would have given. Seeds tell it, but three of them tell it badly, and a search that
lands on another rate adds to it; both are mended here. Knows shifts and their variances; no records, no layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.metrics.metric import Array
from leaderboard.paired import holm

PRIOR_FREEDOM = 4.0
"""How many degrees of freedom the noise of like cells counts for beside a cell's own."""

MANY = 10
"""Moved cells from which their common excess of noise is told apart from a few real shifts."""

RUNS = 5
"""Fewest earlier runs that say how much a cell varies."""

FEW = 4
"""Fewest moved cells that are pooled."""

ALL = "all cells"
"""The scope of what is said of all cells together."""

QUANTILES = {0.5: 0.4549, 0.9: 2.7055}
"""Quantiles of the square of a standard normal number: the middle, and the tail that a few real shifts stay beyond."""


@dataclass(frozen=True)
class Shift:
    """One cell of the later run less the same cell of the base; positive is better.

    `group` names cells of like scale, whose noise is like; `scopes` the parts of the grid that the cell belongs to.
    `seed_variance` is that of the difference of the two means over seeds, with `freedom` degrees, None where a single
    seed does not tell. `row_variance` is what other test rows would add: it widens the interval and no test, for a
    run and its base answer the same rows, and a run of the same code differs from it by its seeds alone. `known` is the
    variance of the same difference by earlier runs and its degrees of freedom.
    """

    key: str
    group: str
    value: float
    seed_variance: float | None
    row_variance: float
    freedom: float
    scopes: tuple[str, ...] = ()
    known: tuple[float, float] | None = None


@dataclass(frozen=True)
class Finding:
    """A shift with its 95% interval, p, and p corrected within its family. `cells` were pooled (one: a single cell)."""

    scope: str
    value: float
    low: float
    high: float
    p: float
    adjusted: float
    error: float
    freedom: float
    cells: int = 1


@dataclass(frozen=True)
class Noise:
    """The variance of a shift where nothing changed, and its degrees of freedom."""

    variance: float
    freedom: float


def noises(shifts: Sequence[Shift]) -> dict[str, Noise]:
    """The noise of every shift whose noise is known, by key.

    A cell's own estimate is joined with what earlier runs say of it, by their freedom. From few seeds it is then drawn
    towards the median of its group, as empirical Bayes does (Smyth 2004, with a fixed prior freedom); but only upwards:
    too low an estimate is a false alarm, too high a one only a later alarm. A cell that tells nothing has its group's.
    """
    priors = _priors(shifts)
    found = {}
    for shift in shifts:
        noise = _noise(shift, priors.get(shift.group))
        if noise is not None:
            found[shift.key] = noise
    return found


def _priors(shifts: Sequence[Shift]) -> Mapping[str, float]:
    by_group: dict[str, list[float]] = {}
    for shift in shifts:
        if shift.seed_variance is not None:
            by_group.setdefault(shift.group, []).append(shift.seed_variance)
    return {group: float(np.median(values)) for group, values in by_group.items()}


def _noise(shift: Shift, prior: float | None) -> Noise | None:
    told = [(shift.seed_variance, shift.freedom)] if shift.seed_variance is not None else []
    told += [shift.known] if shift.known is not None else []
    freedom = sum(f for _, f in told)
    own = sum(v * f for v, f in told) / freedom if freedom else None
    if prior is None:
        return None if own is None else Noise(own, freedom)
    if own is None:
        return Noise(prior, PRIOR_FREEDOM)
    drawn = (freedom * own + PRIOR_FREEDOM * prior) / (freedom + PRIOR_FREEDOM)
    return Noise(max(own, drawn), freedom + PRIOR_FREEDOM)


def known_variance(nights: Sequence[Array]) -> tuple[float, float] | None:
    """What earlier runs of a cell say of the variance of a difference of two, and its freedom; one array of seeds each.

    Seeds within runs tell most, with a degree of freedom for each seed but one. Successive runs tell what seeds do not
    show, such as another rate, and are believed where they say twice as much: by the median of their squared steps, so
    that a change among them does not pass for noise, which costs about half their freedom. None for fewer than `RUNS`
    runs.
    """
    if len(nights) < RUNS:
        return None
    sizes = np.array([len(seeds) for seeds in nights])
    within = (0.0, 0.0)
    if sizes.min() > 1:
        variances = np.array([seeds.var(ddof=1) / len(seeds) for seeds in nights])
        within = 2 * float(np.average(variances, weights=sizes - 1)), float((sizes - 1).sum())
    steps = np.diff([seeds.mean() for seeds in nights])
    between = float(np.median(steps**2)) / QUANTILES[0.5], (len(nights) - 1) / 2
    return between if between[0] > 2 * within[0] else within


def of_cells(shifts: Sequence[Shift]) -> list[Finding]:
    """A two-sided test of every moved cell whose noise is known, corrected by Holm; the surest first.

    With `MANY` cells their squares are first divided by what they exceed chance by, in the middle or the upper tenth,
    after the common shift is taken out (genomic control, Devlin and Roeder 1999): noise that many cells have and that
    seeds do not show, as that of a search, then raises no alarm, and real shifts of few cells still do. Those of many
    cells are for `pooled`. The common shift is one of so many points, or of so many errors, whichever leaves less over:
    a drop of two points everywhere must not pass for noise where some cells are known to a tenth.
    """
    from scipy.special import stdtr, stdtrit

    noise = noises(shifts)
    judged = [shift for shift in shifts if shift.key in noise]
    values = np.array([shift.value for shift in judged])
    errors = np.sqrt([max(noise[s.key].variance, 1e-12) for s in judged]) if judged else np.zeros(0)
    if judged:
        errors = errors * np.sqrt(min(excess(values / errors), excess((values - np.median(values)) / errors)))
    freedom = np.array([noise[s.key].freedom for s in judged])
    p = 2 * stdtr(freedom, -np.abs(values / errors)) if judged else np.zeros(0)
    rows = np.array([shift.row_variance for shift in judged])
    reach = stdtrit(freedom, 0.975) * np.sqrt(errors**2 + rows) if judged else np.zeros(0)
    adjusted = holm(p)
    found = [
        Finding(s.key, s.value, float(s.value - r), float(s.value + r), float(q), float(a), float(e), float(f))
        for s, r, q, a, e, f in zip(judged, reach, p, adjusted, errors, freedom, strict=True)
    ]
    return sorted(found, key=lambda finding: finding.p)


def excess(ratios: Array) -> float:
    """By how much squared ratios of shift to error exceed chance, at least 1; 1 for fewer than `MANY`."""
    if len(ratios) < MANY:
        return 1.0
    squares = (ratios - np.median(ratios)) ** 2
    return max(1.0, *(float(np.quantile(squares, share)) / usual for share, usual in QUANTILES.items()))


def pooled(shifts: Sequence[Shift]) -> list[Finding]:
    """The mean shift of all moved cells, and of every part of the grid with `FEW` of them, corrected by Holm.

    Random effects with the variance of DerSimonian and Laird 1986 between cells, and the interval of Hartung, Knapp,
    Sidik and Jonkman (Knapp and Hartung 2003, never narrower than the common one): it reads its width off how much the
    cells' shifts differ, and so holds where single variances are wrong.
    """
    noise = noises(shifts)
    scopes: dict[str, list[Shift]] = {ALL: list(shifts)}
    for shift in shifts:
        for scope in shift.scopes:
            scopes.setdefault(scope, []).append(shift)
    parts = {name: part for name, part in scopes.items() if len(part) >= FEW}
    parts = {name: part for name, part in parts.items() if name == ALL or len(part) < len(shifts)}
    found = [_mean(name, part, noise) for name, part in parts.items()]
    adjusted = holm([finding.p for finding in found])
    return [replace(finding, adjusted=float(a)) for finding, a in zip(found, adjusted, strict=True)]


def _mean(scope: str, shifts: Sequence[Shift], noise: Mapping[str, Noise]) -> Finding:
    from scipy.special import stdtr, stdtrit

    values = np.array([shift.value for shift in shifts])
    variances = _filled([noise.get(shift.key) for shift in shifts], values)
    weights = 1 / (variances + _between(values, 1 / variances))
    mean = float(weights @ values / weights.sum())
    freedom = len(values) - 1
    spread = float(weights @ (values - mean) ** 2 / freedom)
    error = float(np.sqrt(max(1.0, spread) / weights.sum()))
    p = float(2 * stdtr(freedom, -abs(mean) / error))
    reach = float(stdtrit(freedom, 0.975)) * error
    return Finding(scope, mean, mean - reach, mean + reach, p, p, error, freedom, len(values))


def _filled(noise: Sequence[Noise | None], values: Array) -> Array:
    """Variances; where none is known, that of the shifts themselves, so that such cells weigh alike."""
    own = max(float(np.var(values)), 1e-6)
    known = [n.variance for n in noise if n is not None]
    floor = max(1e-6, 0.1 * float(np.median(known))) if known else 1e-6
    return np.array([own if n is None else max(n.variance, floor) for n in noise])


def _between(values: Array, weights: Array) -> float:
    """The variance between cells beyond their own noise, by moments."""
    mean = weights @ values / weights.sum()
    beyond = weights @ (values - mean) ** 2 - (len(values) - 1)
    return max(0.0, float(beyond / (weights.sum() - (weights**2).sum() / weights.sum())))


def detectable(finding: Finding, level: float) -> float:
    """The shift that a test of this error and freedom at this level catches four times in five."""
    from scipy.special import stdtrit

    return float(finding.error * (stdtrit(finding.freedom, 1 - level / 2) + stdtrit(finding.freedom, 0.8)))

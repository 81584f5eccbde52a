"""What is normal for a circuit, learnt from the readings that its deployed version was trained on.

Readings of industry resemble those before them: 48 hourly ones with a correlation of 0.9 say as much of the level as
two or three independent ones, and tests that count 48 see drift everywhere. Here each reading is held against what time
of week and the reading before lead to (prewhitening: Andrews & Monahan 1992, "An improved heteroskedasticity and
autocorrelation consistent covariance matrix estimator"), large surprises are clipped, and what is left of dependence is
measured: the same statistic over all windows of the reference says by how much it really varies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.forecasting.resampling import Grid
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.distances import BINS, bin_edges, counts_of, jensen_shannon
from fleetcast.pipeline.signals.rhythm import Rhythm, learn_rhythm
from fleetcast.pipeline.signals.steps import Ints, Memory, Steps, learn_memory, steps_of, windows_of

FEWEST_WINDOWS = 6
"""With fewer windows of a length in the reference, nothing is said about how such windows vary."""
_STARTS_PER_WINDOW = 4
_QUANTILES = 100
_MOST_ALIKE = 0.9
_FEWEST_MEANS = 3.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How one statistic of windows varies while nothing changes."""

    variance: Floats
    """Of each sensor's, at least 1; shape (k,)."""
    freedom: Floats
    """As how many independent windows of a bell curve tell the variance; shape (k,)."""
    together: Floats
    """Correlation of the sensors' statistics; shape (k, k)."""
    excess: float
    """By how much the joint statistic is larger than independent windows would make it; at least 1."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How windows of one length vary while nothing changes."""

    length: int
    """Steps."""
    level: Spread
    loudness: Spread
    distance: Floats
    """Mean Jensen-Shannon distance of a window from all of the reference; shape (k,)."""


@dataclass(frozen=True, slots=True)
class Normal:
    """What is normal for the sensors of a circuit."""

    step: timedelta
    rhythm: Rhythm
    memory: Memory
    usable: npt.NDArray[np.bool_]
    """Sensors of which enough is known to tell a change; shape (k,)."""
    edges: Floats
    """Of ten bins; shape (9, k)."""
    counts: Floats
    """Of the reference in these bins; shape (k, 10)."""
    quantiles: Floats
    """Of what rhythm does not explain; shape (100, k)."""
    ordered: tuple[Floats, ...]
    """The same, all of it in order, by sensor."""
    fast: Usual | None
    slow: Usual | None

    def rest_of(self, grid: Grid, values: Floats) -> Floats:
        """What rhythm does not explain of readings on a grid."""
        return self.rhythm.without(grid, values)


def learn_normal(grid: Grid, values: Floats, step: timedelta, fast: int, slow: int) -> Normal:
    """Learn what is normal.

    Args:
        grid: Of the reference.
        values: On it, masked and scaled; shape (n, k), NaN is a hole.
        step: Of the grid.
        fast: Length of the window for sudden changes, in steps.
        slow: Of that for slow ones.
    """
    rhythm = learn_rhythm(grid, values)
    rest = rhythm.unseen(grid, values)
    memory = learn_memory(rest)
    steps = steps_of(rest, memory)
    with np.errstate(invalid="ignore"):
        usable = (memory.spread > 0) & (memory.deviation > 0) & (memory.loud_deviation > 0)
    usable &= np.count_nonzero(~np.isnan(rest), axis=0) >= FEWEST_WINDOWS * fast * 0.5
    edges = bin_edges(rest)
    counts = counts_of(rest, edges, len(rest))[0] if len(rest) else np.zeros((values.shape[1], BINS))
    together = _correlation(steps.surprises)
    loud_together = _correlation(np.abs(steps.surprises))
    quantiles = np.full((_QUANTILES, values.shape[1]), np.nan)
    ordered = []
    for column in range(values.shape[1]):
        known = np.sort(rest[~np.isnan(rest[:, column]), column])
        ordered.append(known)
        if known.size:
            quantiles[:, column] = np.quantile(known, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)

    def usual(length: int) -> Usual | None:
        return _usual(steps, rest, edges, counts, together, loud_together, usable, length)

    return Normal(
        step, rhythm, memory, usable, edges, counts, quantiles, tuple(ordered), usual(fast), usual(slow)
    )


def joint(statistics: Floats, together: Floats) -> Floats:
    """The squared length of the sensors' statistics, less what they share; shape (windows,).

    About chi-square with as many degrees as there are sensors (Hotelling 1931).

    Args:
        statistics: Each about standard normal; shape (windows, k), none NaN.
        together: Their correlation; shape (k, k).
    """
    squared: Floats = np.einsum("ij,ji->i", statistics, np.linalg.solve(together, statistics.T))
    return squared


def _usual(
    steps: Steps,
    rest: Floats,
    edges: Floats,
    counts: Floats,
    together: Floats,
    loud_together: Floats,
    usable: npt.NDArray[np.bool_],
    length: int,
) -> Usual | None:
    n = len(steps.first)
    if n < FEWEST_WINDOWS * length:
        return None
    apart = max(length // _STARTS_PER_WINDOW, 1)
    starts = np.arange(0, n - length + 1, apart)
    windows = windows_of(steps, starts, length)
    distance = jensen_shannon(_counts_of_windows(rest, edges, starts, length), counts)
    known = ~np.isnan(windows.level)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = np.where(known, distance, 0.0).sum(axis=0) / known.sum(axis=0)
    next_one = -(-length // apart)
    return Usual(
        length,
        _spread(windows.level, n / length, next_one, together, usable),
        _spread(windows.loudness, n / length, next_one, loud_together, usable),
        by_chance,
    )


def _spread(
    statistics: Floats, windows: float, next_one: int, together: Floats, usable: npt.NDArray[np.bool_]
) -> Spread:
    """How a statistic varies, and how well that is known.

    Windows that resemble the one before tell less: of the level about which they vary, so that it lies nearer to them
    than to one to come, and of how far they vary (Bartlett 1946, "On the theoretical specification and sampling
    properties of autocorrelated time-series").

    Args:
        statistics: Of overlapping windows; shape (windows, k), NaN where one has too few readings.
        windows: How many the reference holds, one after another.
        next_one: How many places on the next window begins where one ends.
        together: Correlation of the sensors' statistics.
        usable: Sensors of which enough is known.
    """
    variance = _variance(statistics)
    standard = statistics / np.sqrt(variance)
    alike = _alike(standard, next_one)
    means = np.maximum(windows * (1 - alike) / (1 + alike), _FEWEST_MEANS)
    freedom = windows * (1 - alike**2) / (1 + alike**2)
    heavy = _heavy(standard[:, usable], windows)
    return Spread(
        variance * (means + 1) / (means - 1),
        1 / (1 / np.maximum(freedom, 1.0) + heavy),
        together,
        _excess(standard, together, usable),
    )


def _alike(standard: Floats, next_one: int) -> Floats:
    """Correlation of each sensor's windows with those that follow, 0 to below 1; shape (k,)."""
    pairs = standard[next_one:] * standard[:-next_one]
    known = ~np.isnan(pairs)
    squared = np.nan_to_num(standard) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, pairs, 0.0).sum(axis=0) / known.sum(axis=0)
        found = mean * np.count_nonzero(~np.isnan(standard), axis=0) / squared.sum(axis=0)
    alike: Floats = np.clip(np.nan_to_num(found), 0.0, _MOST_ALIKE)
    return alike


def _heavy(standard: Floats, windows: float) -> float:
    """One over the freedom of Student's distribution whose fourth moment the statistics have; 0 for a bell curve.

    Only what is beyond chance counts: of few windows the fourth moment says little.
    """
    known = standard[~np.isnan(standard)]
    if not known.size:
        return 0.0
    moment = float((known**4).mean() / (known**2).mean() ** 2)
    beyond = moment - 3 - 2 * math.sqrt(24 / (windows * standard.shape[1]))
    return beyond / (4 * beyond + 6) if beyond > 0 else 0.0


def _counts_of_windows(rest: Floats, edges: Floats, starts: Ints, length: int) -> Floats:
    block = math.gcd(length, int(starts[1])) if len(starts) > 1 else length
    counts = counts_of(rest, edges, block)
    summed = np.concatenate([np.zeros((1, *counts.shape[1:])), np.cumsum(counts, axis=0)])
    found: Floats = summed[(starts + length) // block] - summed[starts // block]
    return found


def _variance(statistics: Floats) -> Floats:
    """About zero, at least 1: a reference that happens to vary little is no reason to expect that."""
    known = ~np.isnan(statistics)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(known, statistics**2, 0.0).sum(axis=0) / known.sum(axis=0)
    variance: Floats = np.maximum(np.nan_to_num(found, nan=1.0), 1.0)
    return variance


def _excess(statistics: Floats, together: Floats, usable: npt.NDArray[np.bool_]) -> float:
    chosen = np.flatnonzero(usable)
    whole = statistics[:, chosen]
    whole = whole[~np.isnan(whole).any(axis=1)]
    if len(whole) < FEWEST_WINDOWS or not chosen.size:
        return 1.0
    return max(1.0, float(joint(whole, together[np.ix_(chosen, chosen)]).mean()) / chosen.size)


def _correlation(surprises: Floats) -> Floats:
    """Of the sensors' surprises where both have one; drawn a little to independence, so that it can be inverted."""
    known = ~np.isnan(surprises)
    n = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, surprises - np.where(known, surprises, 0.0).sum(axis=0) / n, 0.0)
    both = known.astype(float).T @ known.astype(float)
    covariance = centred.T @ centred / np.maximum(both, 1.0)
    deviation = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.nan_to_num(covariance / np.outer(deviation, deviation))
    drawn: Floats = np.clip(found, -1.0, 1.0) * 0.95
    np.fill_diagonal(drawn, 1.0)
    return drawn

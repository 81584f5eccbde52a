"""Whether the newest readings of a circuit are what its model learned from: each sensor, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetcast.forecasting.resampling import Grid
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.combining import combined
from fleetcast.pipeline.signals.distances import (
    beyond_chance,
    counts_of,
    jensen_shannon,
    kolmogorov_smirnov,
    wasserstein,
)
from fleetcast.pipeline.signals.normal import Normal, Usual, joint
from fleetcast.pipeline.signals.steps import steps_of, windows_of

_FREEDOM = 1.0
"""Degrees of freedom of what is known of variation, for each window of the reference."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the newest windows of a circuit show; shapes are (k,), NaN where nothing could be measured."""

    chance: Floats
    """P-value that a sensor is unchanged."""
    together: float
    """That none of the sensors has changed."""
    distance: Floats
    """Jensen-Shannon, without what chance shows: the larger of the two windows'."""
    raw_distance: Floats
    """As measured, of the same window."""
    smirnov: Floats
    moved: Floats
    """Wasserstein distance in the sensor's usual spread."""
    shift: Floats
    """Of the level, in the sensor's usual spread; signed."""
    louder: Floats
    """How much larger surprises are than usual, in their standard errors."""
    information: Floats
    """As how many independent readings the window for sudden changes counts."""
    apart: Floats
    """How far each sensor's level is from what the others' lead to, about standard normal."""
    related: Floats
    """How much of a sensor's surprises the others lead to, 0 to 1."""


def changes_of(normal: Normal, grid: Grid, values: Floats, trusted: npt.NDArray[np.bool_]) -> Changes:
    """Hold the newest readings against what is normal.

    Args:
        normal: Learnt from the reference.
        grid: Of the newest readings, to the last step that is over.
        values: On it; shape (n, k), NaN is a hole.
        trusted: Sensors that measure; what a broken one shows is not held against the process.
    """
    k = values.shape[1]
    rest = normal.rest_of(grid, values)
    steps = steps_of(rest, normal.memory)
    tests: list[Floats] = []
    joints: list[float] = []
    none = np.full(k, np.nan)
    distance, raw, smirnov, moved = none.copy(), none.copy(), none.copy(), none.copy()
    shift, louder, information, apart = none.copy(), none.copy(), none.copy(), none.copy()
    related = none.copy()
    for usual in (normal.fast, normal.slow):
        if usual is None or usual.length > grid.steps:
            continue
        start = grid.steps - usual.length
        found = windows_of(steps, np.array([start]), usual.length)
        with np.errstate(invalid="ignore"):
            level = np.where(normal.usable, found.level[0] / np.sqrt(usual.level), np.nan)
            loudness = np.where(normal.usable, found.loudness[0] / np.sqrt(usual.loudness), np.nan)
        tests += [_two_sided(level, usual), _two_sided(loudness, usual)]
        joints += [
            _joint_chance(level, usual.level_together, usual.level_excess, usual, trusted),
            _joint_chance(loudness, usual.loudness_together, usual.loudness_excess, usual, trusted),
        ]
        measured = jensen_shannon(counts_of(rest[start:], normal.edges, usual.length)[0], normal.counts)
        beyond = np.where(np.isnan(level), np.nan, beyond_chance(measured, usual.distance))
        larger = ~np.isnan(beyond) & ~(beyond <= distance)
        for column in np.flatnonzero(larger):
            window = rest[start:, column]
            window = window[~np.isnan(window)]
            smirnov[column] = kolmogorov_smirnov(normal.ordered[column], window)
            moved[column] = wasserstein(normal.quantiles[:, column], window) / normal.memory.spread[column]
        distance, raw = np.where(larger, beyond, distance), np.where(larger, measured, raw)
        first = np.isnan(information)
        shift = np.where(first, found.shift[0], shift)
        louder = np.where(first, loudness, louder)
        information = np.where(first, found.information[0], information)
        alone, alike = _apart(level, usual.level_together)
        apart, related = np.where(first, alone, apart), np.where(first, alike, related)
    seen = (distance, raw, smirnov, moved, shift, louder, information, apart, related)
    if not tests:
        return Changes(none, np.nan, *seen)
    chance = combined(np.stack(tests, axis=-1))
    single = chance[trusted & ~np.isnan(chance)]
    least = float(np.minimum(single.min() * single.size, 1.0)) if single.size else np.nan
    together = float(combined(np.array([*joints, least])))
    return Changes(chance, together, *seen)


def _two_sided(statistic: Floats, usual: Usual) -> Floats:
    from scipy.special import stdtr  # commands that watch nothing do without

    chance: Floats = 2 * stdtr(_FREEDOM * usual.windows, -np.abs(statistic))
    return chance


def _joint_chance(
    statistic: Floats, together: Floats, excess: float, usual: Usual, trusted: npt.NDArray[np.bool_]
) -> float:
    from scipy.special import fdtrc

    chosen = np.flatnonzero(trusted & ~np.isnan(statistic))
    if chosen.size < 2:
        return np.nan
    squared = joint(statistic[None, chosen], together[np.ix_(chosen, chosen)])[0] / excess
    return float(fdtrc(chosen.size, _FREEDOM * usual.windows, squared / chosen.size))


def _apart(level: Floats, together: Floats) -> tuple[Floats, Floats]:
    """Each sensor's level against what the others' lead to, and how much they do; NaN with fewer than two others."""
    found, alike = np.full(len(level), np.nan), np.full(len(level), np.nan)
    chosen = np.flatnonzero(~np.isnan(level))
    if chosen.size < 3:
        return found, alike
    inverse = np.linalg.inv(together[np.ix_(chosen, chosen)])
    found[chosen] = (inverse @ level[chosen]) / np.sqrt(np.diag(inverse))
    alike[chosen] = 1.0 - 1.0 / np.diag(inverse)
    return found, alike

"""Whether the newest readings of a circuit are what its model learned from: each sensor, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
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
from fleetcast.pipeline.signals.normal import Normal, Spread, Usual, joint
from fleetcast.pipeline.signals.steps import Ints, Steps, Windows, steps_of, windows_of


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


@dataclass(frozen=True, slots=True)
class Chances:
    """What several looks at one circuit say; NaN where nothing could be measured."""

    single: Floats
    """P-values that a sensor is unchanged; shape (looks, k)."""
    together: Floats
    """That none of the sensors has changed; shape (looks,)."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Windows of one length against what is usual of them; shapes are (looks, k)."""

    usual: Usual
    windows: Windows
    level: Floats
    """About standard normal."""
    loudness: Floats


def chances_at(
    normal: Normal, grid: Grid, values: Floats, ends: Ints, trusted: npt.NDArray[np.bool_]
) -> Chances:
    """How likely chance alone is at each of several looks.

    Args:
        normal: Learnt from the reference.
        grid: Of readings.
        values: On it; shape (n, k), NaN is a hole.
        ends: Where looks are taken: steps before these have been read; each at least as long as the longest window.
        trusted: Sensors that measure; shape (k,).
    """
    steps = steps_of(normal.rest_of(grid, values), normal.memory)
    return _chances(_held(normal, steps, ends), trusted, len(ends))


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
    none = np.full(k, np.nan)
    distance, raw, smirnov, moved = none.copy(), none.copy(), none.copy(), none.copy()
    shift, louder, information, apart = none.copy(), none.copy(), none.copy(), none.copy()
    related = none.copy()
    holding = _held(normal, steps_of(rest, normal.memory), np.array([grid.steps]))
    for held in holding:
        start = grid.steps - held.usual.length
        level = held.level[0]
        measured = jensen_shannon(counts_of(rest[start:], normal.edges, held.usual.length)[0], normal.counts)
        beyond = np.where(np.isnan(level), np.nan, beyond_chance(measured, held.usual.distance))
        larger = ~np.isnan(beyond) & ~(beyond <= distance)
        for column in np.flatnonzero(larger):
            window = rest[start:, column]
            window = window[~np.isnan(window)]
            smirnov[column] = kolmogorov_smirnov(normal.ordered[column], window)
            moved[column] = wasserstein(normal.quantiles[:, column], window) / normal.memory.spread[column]
        distance, raw = np.where(larger, beyond, distance), np.where(larger, measured, raw)
        first = np.isnan(information)
        shift = np.where(first, held.windows.shift[0], shift)
        louder = np.where(first, held.loudness[0], louder)
        information = np.where(first, held.windows.information[0], information)
        alone, alike = _apart(level, held.usual.level.together)
        apart, related = np.where(first, alone, apart), np.where(first, alike, related)
    chances = _chances(holding, trusted, 1)
    single = chances.single[0] if holding else none
    return Changes(
        single,
        float(chances.together[0]),
        distance,
        raw,
        smirnov,
        moved,
        shift,
        louder,
        information,
        apart,
        related,
    )


def _held(normal: Normal, steps: Steps, ends: Ints) -> list[_Held]:
    """The windows before each end, of the lengths that it has room for and that the reference tells of."""
    found = []
    for usual in (normal.fast, normal.slow):
        if usual is None or usual.length > ends.min():
            continue
        windows = windows_of(steps, ends - usual.length, usual.length)
        with np.errstate(invalid="ignore"):
            level = np.where(normal.usable, windows.level / np.sqrt(usual.level.variance), np.nan)
            loudness = np.where(normal.usable, windows.loudness / np.sqrt(usual.loudness.variance), np.nan)
        found.append(_Held(usual, windows, level, loudness))
    return found


def _chances(holding: Sequence[_Held], trusted: npt.NDArray[np.bool_], looks: int) -> Chances:
    if not holding:
        return Chances(np.full((looks, len(trusted)), np.nan), np.full(looks, np.nan))
    tests, joints = [], []
    for held in holding:
        usual = held.usual
        for statistics, spread in ((held.level, usual.level), (held.loudness, usual.loudness)):
            tests.append(_two_sided(statistics, spread))
            joints.append(_joint_chance(statistics, spread, trusted))
    chance = combined(np.stack(tests, axis=-1))
    believed = np.where(trusted, chance, np.nan)
    known = ~np.isnan(believed)
    least = np.minimum(np.where(known, believed, 1.0).min(axis=1) * known.sum(axis=1), 1.0)
    least = np.where(known.any(axis=1), least, np.nan)
    return Chances(chance, combined(np.stack([*joints, least], axis=-1)))


def _two_sided(statistics: Floats, spread: Spread) -> Floats:
    from scipy.special import stdtr  # commands that watch nothing do without

    chance: Floats = 2 * stdtr(spread.freedom, -np.abs(statistics))
    return chance


def _joint_chance(statistics: Floats, spread: Spread, trusted: npt.NDArray[np.bool_]) -> Floats:
    """Of all sensors that are trusted and known, at each look; NaN where they are fewer than two."""
    from scipy.special import fdtrc

    found = np.full(len(statistics), np.nan)
    usable = trusted & ~np.isnan(statistics)
    # Looks that know the same sensors, which almost all do, are worked out at once.
    for pattern in np.unique(usable, axis=0):
        chosen = np.flatnonzero(pattern)
        if chosen.size < 2:
            continue
        looks = np.flatnonzero((usable == pattern).all(axis=1))
        together = spread.together[np.ix_(chosen, chosen)]
        squared = joint(statistics[np.ix_(looks, chosen)], together)
        # Each sensor's variance is known by itself: errors of many that go each its own way even out.
        own_ways = chosen.size**2 / (together**2).sum()
        freedom = spread.freedom[chosen].mean() * max(own_ways / 2, 1.0)
        found[looks] = fdtrc(chosen.size, freedom, squared / spread.excess / chosen.size)
    return found


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

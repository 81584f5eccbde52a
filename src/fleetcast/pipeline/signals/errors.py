"""How forecasts fared once the readings came: errors by step, intervals, and whether forecasts themselves moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from fleetcast.forecasting.chance import chance_of
from fleetcast.forecasting.resampling import Grid, Micros, means_on
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.cleaning import Clean
from fleetcast.pipeline.signals.watched import Published

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
FEWEST_ORIGINS = 5
"""Independent ones: with fewer no rise of errors is told from chance."""


@dataclass(frozen=True, slots=True)
class Errors:
    """One sensor's forecasts against what was read; None where it could not be measured."""

    origins: int
    """From which readings of the first day have come."""
    rise: float | None
    """Of the mean absolute error over what the backtest had, over the first day: 0.1 is 10 %."""
    rise_chance: float | None
    mae: float | None
    expected: float | None
    coverage: float | None
    """Share of readings in their 80 % interval, over the first day."""
    too_few_chance: float | None = None
    """That intervals hold at least what they must."""
    too_many_chance: float | None = None
    by_horizon: Mapping[str, float] = field(default_factory=dict)
    """Mean absolute error of the first step, of the first day, and of the last step that was forecast."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Forecasts next to what was read at their times; shape (origins, steps, sensors), NaN where either is missing."""

    origins: Micros
    """In steps."""
    error: Floats
    inside: Floats
    """1 where a reading fell into its interval, 0 where not."""
    point: Floats
    sensors: tuple[str, ...]
    near: int
    """Steps of the first day, by which forecasts of successive days have no reading in common."""


def join(published: Published, current: Clean, sensors: tuple[str, ...], frequency: timedelta) -> Joined:
    """Put forecasts next to the readings of the same times; what comes late or corrected counts as it is now.

    Only steps that are over have all their readings: one that the newest reading falls into is left out.
    """
    step = frequency // _MICROSECOND
    o, h, k = published.point.shape
    origins = published.origins // step
    near = min(h, max(_DAY // frequency, 1))
    if not o or not h or not len(current.times):
        none = np.full((o, h, k), np.nan)
        return Joined(origins, none, none, published.point, published.sensors, max(near, 1))
    first, stop = int(current.times[0]) // step, int(current.times[-1]) // step
    # A stray time must not make the grid long: no more than forecasts reach over.
    first = max(first, int(origins.min()))
    stop = min(stop, int(origins.max()) + h)
    grid = Grid(first * step, step, max(stop - first, 0))
    columns = [sensors.index(name) if name in sensors else -1 for name in published.sensors]
    read = means_on(grid, current.times, current.values)
    actual = np.full((o, h, k), np.nan)
    place = origins[:, None] + np.arange(h) - first
    within = (place >= 0) & (place < grid.steps)
    for column, source in enumerate(columns):
        if source >= 0:
            actual[within, column] = read[place[within], source]
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(actual - published.point)
        inside = ((actual >= published.lower_80) & (actual <= published.upper_80)).astype(float)
    bounded = ~(np.isnan(actual) | np.isnan(published.lower_80) | np.isnan(published.upper_80))
    error = np.where(np.isfinite(error), error, np.nan)
    return Joined(origins, error, np.where(bounded, inside, np.nan), published.point, published.sensors, near)


def errors_of(
    joined: Joined, sensor: str, expected: Floats | None, least: float | None, most: float | None
) -> Errors:
    """How one sensor's forecasts fared.

    Successive errors resemble each other, so each origin counts once, by its first day, and origins nearer than that
    count in part (`forecasting.chance`).

    Args:
        joined: Of the circuit.
        sensor: One of its sensors that is forecast.
        expected: Mean absolute errors of the backtest by step, or one for all.
        least: Share of readings that intervals must hold.
        most: Share that they may.
    """
    column = joined.sensors.index(sensor)
    near, order = joined.near, np.argsort(joined.origins, kind="stable")
    origins = joined.origins[order]
    error, inside = joined.error[order, :, column], joined.inside[order, :, column]
    first_day = error[:, :near]
    mean, share = _row_means(first_day), _row_means(inside[:, :near])
    measured = ~np.isnan(mean)
    enough = measured.sum() >= 2 and _independent(origins[measured], near) >= FEWEST_ORIGINS
    rise = rise_chance = base = None
    if expected is not None and len(expected) and enough:
        steps = np.resize(expected, near) if len(expected) == 1 else _reaching(expected, near)
        should = _row_means(np.where(np.isnan(first_day), np.nan, steps[None, :]))
        base = float(np.nanmean(should))
        if base > 0:
            ratios = np.where(should > 0, mean / np.where(should > 0, should, 1.0), np.nan)
            rise = float(np.nanmean(ratios)) - 1.0
            rise_chance = chance_of(ratios - 1.0, origins, near)
        else:
            base = None
    covered = ~np.isnan(share)
    held = float(share[covered].mean()) if enough and covered.any() else None
    return Errors(
        int(measured.sum()),
        rise,
        rise_chance,
        float(mean[measured].mean()) if measured.any() else None,
        base,
        held,
        chance_of(least - share, origins, near) if held is not None and least is not None else None,
        chance_of(share - most, origins, near) if held is not None and most is not None else None,
        _by_horizon(error, near),
    )


def moved(joined: Joined, sensor: str) -> tuple[float, float] | None:
    """By how much the newer half of the forecasts lies elsewhere than the older, in their spread, and its p-value.

    None with too few of them.
    """
    from scipy.special import stdtr

    column = joined.sensors.index(sensor)
    order = np.argsort(joined.origins, kind="stable")
    level = _row_means(joined.point[order, : joined.near, column])
    level = level[np.isfinite(level)]
    if len(level) < 2 * FEWEST_ORIGINS:
        return None
    largest = np.abs(level).max()
    level = level / largest if largest > 0 else level
    half = len(level) // 2
    old, new = level[:half], level[half:]
    apart = float(new.mean() - old.mean())
    rest = np.concatenate([old - old.mean(), new - new.mean()])
    spread = float(np.sqrt(np.dot(rest, rest) / (len(rest) - 2)))
    if spread <= 1e-12:
        return (0.0, 1.0) if abs(apart) <= 1e-12 else None
    alike = float(np.clip(np.dot(rest[1:], rest[:-1]) / np.dot(rest, rest), 0.0, 0.9))
    # Bartlett (1935): so many origins that resemble each other count as fewer.
    counted = (1 - alike) / (1 + alike)
    error = spread * np.sqrt((1 / len(old) + 1 / len(new)) / counted)
    freedom = max(len(level) * counted - 2, 1.0)
    return abs(apart) / spread, float(2 * stdtr(freedom, -abs(apart) / error))


def _row_means(values: Floats) -> Floats:
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    scale = np.where(known, np.abs(values), 0.0).max(axis=1, initial=0.0)
    scale = np.where(scale > 1e100, scale, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(known, values / scale[:, None], 0.0).sum(axis=1) / counts * scale
    return means


def _independent(origins: Micros, apart: int) -> float:
    return (
        min(float(len(origins)), (float(origins[-1] - origins[0]) + apart) / apart) if len(origins) else 0.0
    )


def _reaching(expected: Floats, steps: int) -> Floats:
    """As long as wanted: beyond the backtest its last error counts."""
    return expected[np.minimum(np.arange(steps), len(expected) - 1)]


def _by_horizon(error: Floats, near: int) -> Mapping[str, float]:
    named = {"mae_first_step": error[:, :1], "mae_first_day": error[:, :near]}
    steps = np.flatnonzero((~np.isnan(error)).any(axis=0))
    if steps.size and steps[-1] >= near:
        named["mae_last_step"] = error[:, steps[-1] : steps[-1] + 1]
    found = {}
    for name, values in named.items():
        means = _row_means(values)
        if np.isfinite(means).any():
            found[name] = float(np.mean(means[np.isfinite(means)]))
    return found

"""Raw readings onto a regular UTC grid: mask what cannot be true, take means, close short holes causally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.quality import CleaningRules, SensorLimits
from fleetcast.domain.sensor import LARGEST
from fleetcast.forecasting.series import Floats, Series

Micros = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MOST_STEPS = 20_000_000
"""A longer grid is a slip, one stray year or a wrong frequency, and would fill the memory."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of equal length, aligned to 1970-01-01 UTC; `start` and `step` in microseconds."""

    start: int
    step: int
    steps: int

    @classmethod
    def over(cls, times: Micros, frequency: timedelta, start: datetime | None, end: datetime | None) -> Grid:
        """The whole steps inside [start, end); without them, the steps from the first to the last reading.

        Raises:
            BadInput: There would be more than `MOST_STEPS` steps.
        """
        step = frequency // _MICROSECOND
        seen = (int(times[0]) // step, int(times[-1]) // step + 1) if len(times) else None
        first = -(-micros(start) // step) if start is not None else seen[0] if seen else 0
        stop = micros(end) // step if end is not None else seen[1] if seen else first
        steps = max(stop - first, 0)
        if steps > MOST_STEPS:
            span = f"{instant(first * step):%Y-%m-%d} to {instant(stop * step):%Y-%m-%d}"
            raise BadInput(
                f"{span} is {steps} steps of {format_duration(frequency)}, more than {MOST_STEPS}",
                fix="check the frequency, and the readings for a stray date; or shorten the training window",
            )
        return cls(first * step, step, steps)


@dataclass(frozen=True, slots=True)
class Masked:
    """Raw readings without those that cannot be true; counts have shape (k,)."""

    values: Floats
    """NaN where there is no reading, or none that can be used; shape (n, k)."""
    out_of_limits: npt.NDArray[np.int64]
    infinite: npt.NDArray[np.int64]


def micros(moment: datetime) -> int:
    """Microseconds from 1970-01-01 UTC to an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(time: int) -> datetime:
    """The aware UTC moment so many microseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=int(time))


def resample(
    times: Micros,
    values: Floats,
    sensors: Sequence[str],
    frequency: timedelta,
    limits: Mapping[str, SensorLimits],
    cleaning: CleaningRules,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Series:
    """Put a circuit's raw readings on a regular grid.

    Each step holds the mean of its usable readings. Readings that are not finite or outside the physical
    limits are masked first. A hole of at most `cleaning.fill_steps` steps takes the last value before it;
    a longer one stays a hole, and so does one before the first reading. No value comes from the future.

    Args:
        times: Microseconds since 1970-01-01 UTC, ascending; shape (n,).
        values: Each sensor in its own unit, NaN where there is no reading; shape (n, k).
        sensors: Names of the k columns.
        frequency: Length of a step; steps begin at its multiples since 1970-01-01 UTC.
        limits: Physical range by sensor; sensors not named have none.
        cleaning: Says which holes are closed.
        start: Aware UTC; the first step begins here or, off the grid, at the next multiple. None: the step
            of the first reading.
        end: Aware UTC, exclusive; a step that ends later is left out. None: the step of the last reading.

    Returns:
        The series; it reaches from `start` to `end` even where readings do not.

    Raises:
        BadInput: The grid would have more than `MOST_STEPS` steps.
    """
    grid = Grid.over(times, frequency, start, end)
    means = means_on(grid, times, mask(values, sensors, limits).values)
    return Series(instant(grid.start), frequency, tuple(sensors), filled(means, cleaning.fill_steps))


def mask(values: Floats, sensors: Sequence[str], limits: Mapping[str, SensorLimits]) -> Masked:
    """Replace readings that are infinite, beyond all sensors or outside the physical limits by NaN; shape (n, k)."""
    infinite = np.abs(values) > LARGEST
    infinities = (
        np.count_nonzero(infinite, axis=0) if infinite.any() else np.zeros(len(sensors), dtype=np.int64)
    )
    usable = np.where(infinite, np.nan, values) if infinities.any() else np.array(values, dtype=np.float64)
    out_of_limits = np.zeros(len(sensors), dtype=np.int64)
    for column, sensor in enumerate(sensors):
        limit = limits.get(sensor)
        if limit is not None:
            low = -np.inf if limit.minimum is None else limit.minimum
            high = np.inf if limit.maximum is None else limit.maximum
            outside = (usable[:, column] < low) | (usable[:, column] > high)
            out_of_limits[column] = np.count_nonzero(outside)
            usable[outside, column] = np.nan
    return Masked(usable, out_of_limits, infinities)


def means_on(grid: Grid, times: Micros, values: Floats) -> Floats:
    """The mean reading of each step, NaN where there is none.

    Args:
        grid: The n steps wanted; readings outside are ignored.
        times: Ascending; shape (m,).
        values: Masked readings; shape (m, k).

    Returns:
        Shape (n, k).
    """
    first, last = np.searchsorted(times, [grid.start, grid.start + grid.step * grid.steps])
    inside = values[first:last]
    means = np.full((grid.steps, values.shape[1]), np.nan)
    if not len(inside):
        return means
    step_of = (times[first:last] - grid.start) // grid.step
    begins = np.flatnonzero(np.diff(step_of, prepend=-1))
    if len(begins) == len(step_of):
        means[step_of] = inside
        return means
    usable = ~np.isnan(inside)
    counts = np.add.reduceat(usable, begins, axis=0, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        averages = np.add.reduceat(np.where(usable, inside, 0.0), begins, axis=0) / counts
    averages[~np.isfinite(averages)] = np.nan
    means[step_of[begins]] = averages
    return means


def filled(values: Floats, fill_steps: int) -> Floats:
    """Close holes of at most `fill_steps` steps with the last value before them; shape (n, k), a copy."""
    result = values.copy()
    if fill_steps == 0:
        return result
    holes = np.isnan(values)
    for column in np.flatnonzero(holes.any(axis=0)):
        begins, lengths = stretches(holes[:, column])
        short = (lengths <= fill_steps) & (begins > 0)
        begins, lengths = begins[short], lengths[short]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        result[np.repeat(begins, lengths) + within, column] = np.repeat(values[begins - 1, column], lengths)
    return result


def stretches(flags: npt.NDArray[np.bool_]) -> tuple[Micros, Micros]:
    """Where unbroken stretches of True begin and how long they are; `flags` has shape (n,)."""
    framed = np.zeros(len(flags) + 2, dtype=bool)
    framed[1:-1] = flags
    edges = np.flatnonzero(framed[1:] != framed[:-1])
    return edges[::2], edges[1::2] - edges[::2]

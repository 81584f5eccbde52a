"""Measuring how good a circuit's readings are; `domain.quality.judge` decides what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.quality import CircuitProfile, CleaningRules, SensorLimits, SensorProfile
from fleetcast.forecasting.resampling import (
    Grid,
    Masked,
    Micros,
    filled,
    instant,
    mask,
    means_on,
    micros,
    stretches,
)
from fleetcast.forecasting.series import Floats, Series

_SAME = 1e-12
"""Means of equal readings differ by rounding; values this close, relative to their size, count as equal."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A circuit's regular series, and what was measured on the way."""

    series: Series
    profile: CircuitProfile


def measure(
    times: Micros,
    values: Floats,
    sensors: Sequence[str],
    frequency: timedelta,
    limits: Mapping[str, SensorLimits],
    cleaning: CleaningRules,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    absent: frozenset[str] = frozenset(),
) -> Measured:
    """Resample and profile in one go; arguments and errors as in `resample` and `profile`."""
    whole = Grid.over(times, frequency, start, end)
    masked = mask(values, sensors, limits)
    means = means_on(whole, times, masked.values)
    closed = filled(means, cleaning.fill_steps)
    series = Series(instant(whole.start), frequency, tuple(sensors), closed)
    inside = slice(*np.searchsorted(times, [whole.start, whole.start + whole.step * whole.steps]))
    if inside != slice(0, len(times)):
        times, masked = times[inside], mask(values[inside], sensors, limits)
    profiled = _profile(
        times, masked, _span(means, times, whole), closed, sensors, frequency, cleaning, absent, end
    )
    return Measured(series, profiled)


def profile(
    times: Micros,
    values: Floats,
    sensors: Sequence[str],
    frequency: timedelta,
    limits: Mapping[str, SensorLimits],
    cleaning: CleaningRules,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    absent: frozenset[str] = frozenset(),
) -> CircuitProfile:
    """Measure a circuit's raw readings: missing, stuck, impossible, spiked, unevenly spaced, too short.

    Args:
        times: Microseconds since 1970-01-01 UTC, ascending; shape (n,).
        values: Each sensor in its own unit, NaN where there is no reading; shape (n, k).
        sensors: Names of the k columns.
        frequency: Length of a step of the grid that is measured on.
        limits: Physical range by sensor.
        cleaning: Says how long a hole is closed and how long a repetition is a flatline.
        start: Aware UTC; None: the first reading.
        end: Aware UTC, exclusive; None: after the last reading.
        absent: Sensors that the data source has no column for.

    Raises:
        BadInput: The grid would have more than `resampling.MOST_STEPS` steps.
    """
    return measure(times, values, sensors, frequency, limits, cleaning, start, end, absent=absent).profile


def _span(means: Floats, times: Micros, grid: Grid) -> Floats:
    """The part of the grid from the first to the last reading."""
    if not len(times):
        return means[:0]
    return means[(times[0] - grid.start) // grid.step : (times[-1] - grid.start) // grid.step + 1]


def _profile(
    times: Micros,
    masked: Masked,
    means: Floats,
    closed: Floats,
    sensors: Sequence[str],
    frequency: timedelta,
    cleaning: CleaningRules,
    absent: frozenset[str],
    end: datetime | None,
) -> CircuitProfile:
    begins, gaps = stretches(np.logical_and.reduce(np.isnan(means), axis=1))
    begins, gaps = begins[gaps > cleaning.fill_steps], gaps[gaps > cleaning.fill_steps]
    by_sensor = np.ascontiguousarray(_without(means, begins, gaps).T)
    closed_by_sensor = np.ascontiguousarray(closed.T)
    measured = tuple(
        _sensor(sensor, absent, by_sensor[i], closed_by_sensor[i], masked, i, cleaning)
        for i, sensor in enumerate(sensors)
    )
    apart = np.diff(times)
    median = float(np.median(apart)) if len(apart) else 0.0
    uneven = float(np.mean((apart > 1.5 * median) | (apart < 0.5 * median))) if len(apart) else 0.0
    return CircuitProfile(
        rows=len(times),
        first=instant(times[0]) if len(times) else None,
        last=instant(times[-1]) if len(times) else None,
        step=frequency,
        gaps=len(gaps),
        gap_steps=int(gaps.sum()),
        other_steps_share=uneven,
        median_step=timedelta(microseconds=round(median)) if len(apart) else None,
        longest_run_steps=max((sensor.longest_run_steps for sensor in measured), default=0),
        silent_steps_at_end=_silent_at_end(times, frequency, end),
        sensors=measured,
    )


def _without(means: Floats, begins: Micros, lengths: Micros) -> Floats:
    """The steps outside the circuit's gaps; one empty step of each stays, so that it joins nothing."""
    if not len(begins):
        return means
    outside = np.ones(len(means), dtype=bool)
    for begin, length in zip(begins, lengths, strict=True):
        outside[begin + 1 : begin + length] = False
    return means[outside]


def _silent_at_end(times: Micros, frequency: timedelta, end: datetime | None) -> int:
    if end is None or not len(times):
        return 0
    step = frequency // timedelta(microseconds=1)
    return max(micros(end) // step - int(times[-1]) // step - 1, 0)


def _sensor(
    name: str,
    absent: frozenset[str],
    means: Floats,
    closed: Floats,
    masked: Masked,
    column: int,
    rules: CleaningRules,
) -> SensorProfile:
    empty = np.isnan(means)
    usable = means[~empty]
    _, holes = stretches(empty)
    _, whole = stretches(~np.isnan(closed))
    flat = _flat_runs(means)
    flat = flat[flat > rules.flat_steps]
    low, high = (float(usable.min()), float(usable.max())) if len(usable) else (None, None)
    return SensorProfile(
        sensor=name,
        present=name not in absent,
        steps=len(means),
        missing_steps=len(means) - len(usable),
        longest_gap_steps=int(holes.max(initial=0)),
        longest_run_steps=int(whole.max(initial=0)),
        flat_steps=int(flat.sum()),
        longest_flat_steps=int(flat.max(initial=0)),
        out_of_limits=int(masked.out_of_limits[column]),
        not_finite=int(masked.infinite[column]),
        spikes=_spikes(means, rules.spike_deviations),
        distinct=0 if low is None else 1 if low == high else 2,
        minimum=low,
        maximum=high,
        mean=float(usable.mean()) if len(usable) else None,
    )


def _flat_runs(means: Floats) -> npt.NDArray[np.int64]:
    """Lengths, in steps, of the stretches of two and more equal values."""
    same = np.abs(np.diff(means)) <= _SAME * np.abs(means[1:])
    return stretches(same)[1] + 1


def _spikes(means: Floats, deviations: float) -> int:
    """Steps that jump off and back by more than so many robust deviations of the usual change."""
    change = np.diff(means)
    size = np.abs(change)
    moves = size[size > 0]
    if len(moves) < 3:
        return 0
    # Two estimates of one deviation. The second is the larger for sensors that rest and then move in earnest.
    middle, high = len(moves) // 2, len(moves) * 19 // 20
    ordered = np.partition(moves, (middle, high))
    usual = max(1.4826 * float(ordered[middle]), float(ordered[high]) / 1.96)
    off, back = change[:-1], change[1:]
    jumped = (size[:-1] > deviations * usual) & (size[1:] > deviations * usual)
    return int((jumped & (np.abs(off + back) < 0.5 * size[:-1])).sum())


def infer_frequency(times: Micros) -> timedelta:
    """The usual time between successive readings, in whole seconds; an hour if there are fewer than two.

    Args:
        times: Microseconds since 1970-01-01 UTC, ascending; shape (n,).
    """
    if len(times) < 2:
        return timedelta(hours=1)
    return timedelta(seconds=max(round(float(np.median(np.diff(times))) / 1e6), 1))

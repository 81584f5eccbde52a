"""Raw readings made fit to be looked at: in order, each time once, of this circuit's sensors, none from the future."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.sensor import LARGEST
from fleetcast.forecasting.resampling import Grid, Micros, means_on, micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.watched import WatchedCircuit, Window

FAST_STEPS = 48
"""The window for sudden changes has about as many steps: finer readings are averaged."""
_FEWEST_FAST_STEPS = 12
_SLOW = 3.5
_LONGEST_REFERENCE = 20_000
"""Steps of the grid, over two years of hours: of a longer reference the newest part is taken."""
_MICROSECOND = timedelta(microseconds=1)
_LARGE = 1e100
"""Sensors with larger readings are scaled down: their squares would not be finite."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Readings in order of time, with what had to be left out counted."""

    times: Micros
    """Ascending, unique."""
    values: Floats
    """Columns as the circuit declares its sensors, all NaN where there is none; shape (n, k)."""
    rows: int
    """As they came."""
    doubled: int
    """Rows at a time that another one has."""
    disordered: int
    """Rows that came after a later one."""
    future: int
    """Rows after the moment of the look, left out."""
    out_of_limits: Micros
    """Readings outside their sensor's limits or infinite, masked; shape (k,)."""
    absent: frozenset[str]
    """Declared sensors without a column."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How a circuit is looked at."""

    step: timedelta
    fast: int
    """Steps of the window for sudden changes."""
    slow: int


def spans_of(circuit: WatchedCircuit) -> Spans:
    """The step to average to, and how many of them the windows have."""
    frequency = circuit.frequency // _MICROSECOND
    window = max(circuit.window // _MICROSECOND, _FEWEST_FAST_STEPS * frequency)
    step = max(window // FAST_STEPS // frequency, 1) * frequency
    fast = -(-window // step)
    return Spans(step * _MICROSECOND, fast, int(_SLOW * fast))


def clean(
    window: Window, sensors: tuple[str, ...], limits: Mapping[str, SensorLimits], until: datetime
) -> Clean:
    """Put readings in order.

    Of rows at one time, each sensor's last reading counts, as a correction comes later.

    Args:
        window: As the table has it.
        sensors: As the circuit declares them.
        limits: Physical ranges.
        until: Aware UTC; rows after it are left out.
    """
    place = {name: column for column, name in enumerate(window.sensors)}
    rows = len(window.times)
    values = np.full((rows, len(sensors)), np.nan)
    for column, name in enumerate(sensors):
        if name in place:
            values[:, column] = window.values[:, place[name]]
    times = np.asarray(window.times, dtype=np.int64)
    believed = times <= micros(until)
    future = rows - int(believed.sum())
    if future:
        times, values = times[believed], values[believed]
    disordered = int((np.diff(times) < 0).sum())
    if disordered:
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    doubled = int((np.diff(times) == 0).sum())
    if doubled:
        times, values = _once(times, values)
    out = np.zeros(len(sensors), dtype=np.int64)
    for column, name in enumerate(sensors):
        limit = limits.get(name)
        reading = values[:, column]
        wrong = np.abs(reading) > LARGEST
        if limit is not None and limit.minimum is not None:
            wrong |= reading < limit.minimum
        if limit is not None and limit.maximum is not None:
            wrong |= reading > limit.maximum
        out[column] = wrong.sum()
        reading[wrong] = np.nan
    absent = frozenset(name for name in sensors if name not in place)
    return Clean(times, values, rows, doubled, disordered, future, out, absent)


def scales_of(reference: Clean) -> Floats:
    """By what each sensor is divided so that its squares are finite; 1 for usual ones, shape (k,)."""
    largest = np.nan_to_num(np.abs(reference.values)).max(axis=0, initial=0.0)
    return np.where(largest > _LARGE, largest, 1.0)


def scaled(values: Floats, scales: Floats | float) -> Floats:
    """Readings divided by their scale; what is still beyond all measure is drawn in."""
    result: Floats = np.clip(values / scales, -_LARGE, _LARGE)
    return result


def reference_grid(reference: Clean, step: timedelta, scales: Floats) -> tuple[Grid, Floats]:
    """The reference on the grid, its newest part if it is very long."""
    length = step // _MICROSECOND
    if not len(reference.times):
        return Grid(0, length, 0), np.zeros((0, reference.values.shape[1]))
    stop = int(reference.times[-1]) // length + 1
    first = max(int(reference.times[0]) // length, stop - _LONGEST_REFERENCE)
    grid = Grid(first * length, length, stop - first)
    return grid, means_on(grid, reference.times, scaled(reference.values, scales))


def current_grid(
    current: Clean, step: timedelta, steps: int, now: datetime, scales: Floats
) -> tuple[Grid, Floats]:
    """The newest readings on the grid, up to the last step that is over."""
    length = step // _MICROSECOND
    stop = micros(now) // length
    grid = Grid((stop - steps) * length, length, steps)
    return grid, means_on(grid, current.times, scaled(current.values, scales))


def _once(times: Micros, values: Floats) -> tuple[Micros, Floats]:
    begins = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
    group = np.cumsum(np.diff(times, prepend=times[0]) > 0)
    merged = np.full((len(begins), values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        known = np.flatnonzero(~np.isnan(values[:, column]))
        merged[group[known], column] = values[known, column]
    return times[begins], merged

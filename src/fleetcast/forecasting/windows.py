"""Where a series is unbroken, and windows cut from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from fleetcast.forecasting.series import Floats

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken stretch of one sensor's readings: steps `begin` (inclusive) to `end` (exclusive)."""

    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin


def runs(readings: Floats) -> tuple[Stretch, ...]:
    """The unbroken stretches of one sensor, oldest first; shape (n,), NaN is a hole."""
    observed = np.isfinite(readings).astype(np.int8)
    edges = np.flatnonzero(np.diff(observed, prepend=0, append=0))
    return tuple(Stretch(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True))


def longest_run(values: Floats) -> int:
    """Steps of the longest unbroken stretch of any sensor; shape (n, k)."""
    return max((len(run) for column in values.T for run in runs(column)), default=0)


def whole_origins(values: Floats, lookback: int, horizon: int) -> Bools:
    """Which origins have their whole window and their whole horizon observed.

    Args:
        values: Shape (n, k); NaN is a hole.
        lookback: Steps before the origin, which itself is the first step to forecast.
        horizon: Steps from the origin on.

    Returns:
        Shape (n + 1, k): whether values[o - lookback : o + horizon] of that sensor has no hole and lies
        inside the series.
    """
    steps, sensors = values.shape
    whole = np.zeros((steps + 1, sensors), dtype=bool)
    if steps >= lookback + horizon:
        holes = ~np.isfinite(values)
        if not holes.any():
            whole[lookback : steps - horizon + 1] = True
            return whole
        missing = np.zeros((steps + 1, sensors), dtype=np.int64)
        np.cumsum(holes, axis=0, out=missing[1:])
        whole[lookback : steps - horizon + 1] = (
            missing[lookback + horizon :] == missing[: steps + 1 - lookback - horizon]
        )
    return whole


def cut(values: Floats, begins: Ints, length: int) -> Floats:
    """Copy windows out of a series.

    Args:
        values: Shape (n, k).
        begins: First step of each window, each with `length` steps to follow; shape (q,).
        length: Steps of a window.

    Returns:
        Shape (k, q, length): sensor first, so that each sensor's windows lie together.
    """
    by_sensor = np.ascontiguousarray(values.T)
    return sliding_window_view(by_sensor, length, axis=1)[:, begins]


def carried_forward(values: Floats) -> Floats:
    """A series whose holes take the last reading before them, and 0 before the first; shape (n, k)."""
    observed = np.isfinite(values)
    if observed.all():
        return values
    last = np.where(observed, np.arange(len(values))[:, None], -1)
    np.maximum.accumulate(last, axis=0, out=last)
    return np.where(last >= 0, np.take_along_axis(values, np.maximum(last, 0), axis=0), 0.0)


def far_windows(values: Floats, origins: Ints, length: int, observed: int) -> Floats:
    """Copy the windows before origins; what lies far back has its holes closed by what was read before them.

    Args:
        values: Shape (n, k), standardised; NaN is a hole.
        origins: First step after each window, none below `length`.
        length: Steps of a window.
        observed: The steps before an origin that must have been read.

    Returns:
        Shape (k, q, length); NaN throughout where a step that must have been read was not.
    """
    windows = cut(values, origins - length, length)
    if length <= observed:
        return windows
    whole: Bools = np.asarray(np.isfinite(windows[:, :, length - observed :]).all(axis=2))
    return np.where(whole[:, :, None], fill_causally(windows, np.zeros(values.shape[1])), np.nan)


def fill_causally(windows: Floats, otherwise: Floats) -> Floats:
    """Close the holes of forecast windows without looking ahead.

    A hole takes the last reading before it; before the first reading, the mean of the window's readings;
    in a window without any reading, what the model was trained around.

    Args:
        windows: Shape (k, q, length); NaN is a hole. Not changed.
        otherwise: The last resort for each sensor, in its unit; shape (k,).
    """
    observed = np.isfinite(windows)
    if observed.all():
        return windows
    last = np.where(observed, np.arange(windows.shape[2]), -1)
    np.maximum.accumulate(last, axis=2, out=last)
    filled = np.take_along_axis(windows, np.maximum(last, 0), axis=2)
    count = observed.sum(axis=2)
    largest = np.max(np.where(observed, np.abs(windows), 0.0), axis=2)
    unit = np.where(largest > 0, largest, 1.0)[:, :, None]
    mean = np.sum(np.where(observed, windows / unit, 0.0), axis=2) / np.maximum(count, 1) * unit[:, :, 0]
    mean = np.where(count > 0, mean, otherwise[:, None])
    return np.where(last >= 0, filled, mean[:, :, None])

"""The sums that a linear model of a circuit is solved from: gathered once, combined many times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fleetcast.forecasting.gram import DiagonalSteps, centre, summed
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import runs


class Normalisation(StrEnum):
    """What a window, and the horizon after it, is centred on."""

    LAST = "last"
    MEAN = "mean"


def centring_weights(normalisation: Normalisation, lookback: int) -> Floats:
    """The weights, over the window's steps, of the value it is centred on; they sum to 1."""
    if normalisation is Normalisation.MEAN:
        return np.full(lookback, 1.0 / lookback)
    weights = np.zeros(lookback)
    weights[-1] = 1.0
    return weights


@dataclass(frozen=True, slots=True)
class _Run:
    """Readings of one sensor without a hole, long enough for a window."""

    readings: Floats
    begin: int
    past_stop: int
    """The step after the last window that ends before the training does; `begin` if there is none."""
    stop: int
    """The step after the last window."""


class LaggedProducts:
    """Products of lags, summed over every window of each sensor that crosses no hole.

    The sums for the past (windows that end before `train_end`) are kept for each sensor, as all of them are pooled
    and each is tried alone. Those over the whole history are made for what was chosen only: half the work.
    """

    def __init__(self, values: Floats, *, reach: int, horizon: int, train_end: int) -> None:
        span = reach + horizon
        self.horizon = horizon
        self.sensors = values.shape[1]
        self._adding = DiagonalSteps(reach, span)
        self._runs = [list(_long_runs(readings, span, train_end)) for readings in values.T]
        self._past = np.zeros((self.sensors, reach, span))
        for steps, own in zip(self._past, self._runs, strict=True):
            for run in own:
                if run.past_stop > run.begin:
                    self._adding.add(steps, run.readings, run.begin, run.past_stop)

    def past(self, sensor: int) -> Floats:
        """One sensor's matrix over the windows before `train_end`, shape (reach, reach + horizon)."""
        return summed(self._past[sensor])

    def whole(self, sensor: int) -> Floats:
        """One sensor's matrix over all windows."""
        return self._over_all([sensor])

    def past_pooled(self) -> Floats:
        """The sum of `past` over the sensors."""
        return summed(self._past.sum(axis=0))

    def whole_pooled(self) -> Floats:
        """The sum of `whole` over the sensors."""
        return self._over_all(range(self.sensors))

    def _over_all(self, sensors: Iterable[int]) -> Floats:
        steps = np.zeros(self._past.shape[1:])
        for sensor in sensors:
            for run in self._runs[sensor]:
                self._adding.add(steps, run.readings, run.begin, run.stop)
        return summed(steps)


def _long_runs(readings: Floats, span: int, train_end: int) -> Iterator[_Run]:
    known = np.where(np.isfinite(readings), readings, 0.0)
    for run in runs(readings):
        stop = run.end - span + 1
        if stop > run.begin:
            yield _Run(known, run.begin, min(max(run.begin, train_end - span + 1), stop), stop)


def centred(matrix: Floats, horizon: int, lookback: int, normalisation: Normalisation) -> Floats:
    """Restrict a matrix of lags to the last `lookback` of its window, and centre those windows.

    Returns:
        Shape (lookback, lookback + horizon).
    """
    part = _last(matrix, horizon, lookback)
    result = np.empty_like(part)
    centre(part, centring_weights(normalisation, lookback), out=result)
    return result


def centred_in_place(matrix: Floats, horizon: int, lookback: int, normalisation: Normalisation) -> Floats:
    """The same as `centred`, over the matrix that was given."""
    part = _last(matrix, horizon, lookback)
    centre(part, centring_weights(normalisation, lookback), out=part)
    return part


def _last(matrix: Floats, horizon: int, lookback: int) -> Floats:
    skipped = len(matrix) - lookback
    return matrix[skipped:, skipped : skipped + lookback + horizon]

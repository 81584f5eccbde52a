"""The sums that a linear model of a circuit is solved from: gathered once, combined many times."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from fleetcast.forecasting.gram import DiagonalSums, centre, unskew
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


class LaggedProducts:
    """Products of lags, summed over every window of each sensor that crosses no hole.

    The sums for the past (windows that end before `train_end`) and for the whole history share their work.
    """

    def __init__(self, values: Floats, *, reach: int, horizon: int, train_end: int) -> None:
        span = reach + horizon
        self.horizon = horizon
        self.sensors = values.shape[1]
        sums = DiagonalSums(reach, span, parts=2, sensors=self.sensors)
        for sensor, readings in enumerate(values.T):
            known = np.where(np.isfinite(readings), readings, 0.0)
            for run in runs(readings):
                stop = run.end - span + 1
                if stop > run.begin:
                    past_stop = min(max(run.begin, train_end - span + 1), stop)
                    sums.add(sensor, known, run.begin, (past_stop, stop))
        self._past, self._whole = sums.totals

    def past(self, sensor: int) -> Floats:
        """One sensor's matrix over the windows before `train_end`, shape (reach, reach + horizon)."""
        return unskew(self._past[sensor])

    def whole(self, sensor: int) -> Floats:
        """One sensor's matrix over all windows."""
        return unskew(self._whole[sensor])

    def past_pooled(self) -> Floats:
        """The sum of `past` over the sensors."""
        return unskew(self._past.sum(axis=0))

    def whole_pooled(self) -> Floats:
        """The sum of `whole` over the sensors."""
        return unskew(self._whole.sum(axis=0))


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

"""The sums that a linear model of a circuit is solved from: gathered once, combined many times."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from fleetcast.forecasting.gram import centre, diagonal_sums, unskew
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
        self.reach = reach
        self.horizon = horizon
        self._past: list[Floats] = []
        self._whole: list[Floats] = []
        for readings in values.T:
            past, whole = _sums(readings, reach, reach + horizon, train_end)
            self._past.append(past)
            self._whole.append(whole)

    @property
    def sensors(self) -> int:
        """How many sensors there are."""
        return len(self._past)

    def past(self, sensor: int) -> Floats:
        """One sensor's matrix, shape (reach, reach + horizon), over the windows that end before `train_end`."""
        return unskew(self._past[sensor])

    def whole(self, sensor: int) -> Floats:
        """One sensor's matrix over all windows."""
        return unskew(self._whole[sensor])

    def past_pooled(self) -> Floats:
        """The sum of `past` over the sensors."""
        return unskew(_total(self._past))

    def whole_pooled(self) -> Floats:
        """The sum of `whole` over the sensors."""
        return unskew(_total(self._whole))


def centred(matrix: Floats, horizon: int, lookback: int, normalisation: Normalisation) -> Floats:
    """Restrict a matrix of lags to the last `lookback` of its window, and centre those windows.

    Returns:
        Shape (lookback, lookback + horizon).
    """
    skipped = len(matrix) - lookback
    return centre(matrix[skipped:, skipped : skipped + lookback + horizon], centring_weights(normalisation, lookback))


def _total(parts: list[Floats]) -> Floats:
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def _sums(readings: Floats, lookback: int, span: int, train_end: int) -> tuple[Floats, Floats]:
    past: Floats | None = None
    whole: Floats | None = None
    known = np.where(np.isfinite(readings), readings, 0.0)
    for run in runs(readings):
        stop = run.end - span + 1
        if stop <= run.begin:
            continue
        past_stop = min(max(run.begin, train_end - span + 1), stop)
        first, second = diagonal_sums(known, run.begin, (past_stop, stop), lookback, span)
        past = first if past is None else np.add(past, first, out=past)
        whole = second if whole is None else np.add(whole, second, out=whole)
    empty = np.zeros((lookback, span))
    return (empty if past is None else past), (empty if whole is None else whole)

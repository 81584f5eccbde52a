"""The sums that a linear model of a circuit is solved from: gathered once, combined many times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from itertools import chain

import numpy as np

from fleetcast.forecasting.gram import DiagonalSteps, Stretch, centre, summed
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import runs


class Normalisation(StrEnum):
    """What a window, and the horizon after it, is centred on."""

    LAST = "last"
    MEAN = "mean"


@lru_cache(maxsize=256)
def centring_weights(normalisation: Normalisation, lookback: int) -> Floats:
    """The weights, over the window's steps, of the value it is centred on; they sum to 1. Nobody may change them."""
    weights = np.full(lookback, 1.0 / lookback)
    if normalisation is Normalisation.LAST:
        weights[:] = 0.0
        weights[-1] = 1.0
    weights.flags.writeable = False
    return weights


class LaggedProducts:
    """Products of lags, summed over every window of each sensor that crosses no hole.

    The sums for the past (windows that end before `train_end`) are kept for each sensor, as all of them are pooled
    and each is tried alone. Those over the whole history are made for what was chosen only: half the work.
    """

    def __init__(self, values: Floats, *, reach: int, horizon: int, train_end: int) -> None:
        span = reach + horizon
        self.horizon = horizon
        self.sensors = values.shape[1]
        self._steps = DiagonalSteps(reach, span)
        self._whole = [list(_stretches(readings, span)) for readings in values.T]
        # One block, with a third part that nobody writes to and that costs nothing so. glibc gives freed memory back to
        # the system once it is more than twice the largest block: with the matrices that are `summed` of both it would
        # be at times, and the next training pays a fifth of its time for it again.
        self._past, self._room, _ = np.empty((3, self.sensors, reach, span))
        for own, out in zip(self._whole, self._past, strict=True):
            self._steps.over(_before(own, train_end - span + 1), out)

    def past(self, sensor: int) -> Floats:
        """One sensor's matrix over the windows before `train_end`, shape (reach, reach + horizon)."""
        return summed(self._past[sensor])

    def whole(self, sensor: int) -> Floats:
        """One sensor's matrix over all windows."""
        return summed(self._steps.over(self._whole[sensor], self._room[sensor]))

    def past_pooled(self) -> Floats:
        """The sum of `past` over the sensors."""
        return summed(self._past.sum(axis=0))

    def whole_pooled(self) -> Floats:
        """The sum of `whole` over the sensors."""
        return summed(self._steps.over(chain.from_iterable(self._whole), self._room[0]))


def _stretches(readings: Floats, span: int) -> Iterator[Stretch]:
    known = np.where(np.isfinite(readings), readings, 0.0)
    for run in runs(readings):
        stop = run.end - span + 1
        if stop > run.begin:
            yield Stretch(known, run.begin, stop)


def _before(stretches: Iterable[Stretch], stop: int) -> Iterator[Stretch]:
    """What of them begins before a step."""
    for each in stretches:
        if each.begin < stop:
            yield replace(each, stop=min(each.stop, stop))


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

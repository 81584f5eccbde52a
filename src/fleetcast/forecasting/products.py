"""The sums that a linear model of a circuit is solved from: gathered once, combined many times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from itertools import chain

import numpy as np

from fleetcast.forecasting.far import Far, FarSums
from fleetcast.forecasting.gram import DiagonalSteps, Stretch, centre, summed
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import carried_forward, runs


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


class FarProducts:
    """The same with far inputs beside a nearer window: see `far.py`. What lies far back may have had holes.

    Args:
        values: Shape (n, k); NaN is a hole.
        near: Steps of the near window, none of which is a hole.
        far: The other inputs.
        horizon: Steps to forecast.
        train_end: As of a split.
        first: The absolute step of the first reading.
    """

    def __init__(
        self, values: Floats, *, near: int, far: Far, horizon: int, train_end: int, first: int
    ) -> None:
        span = near + horizon
        self.near, self.far, self.horizon = near, far, horizon
        self._steps = DiagonalSteps(near, span)
        self._sums = FarSums(np.ascontiguousarray(carried_forward(values).T), near, far, horizon, first)
        self._whole = [list(_from(_stretches(readings, span), far.reach)) for readings in values.T]
        self._train_end = train_end

    def past(self, sensor: int, normalisation: Normalisation) -> Floats:
        """One sensor's centred sums over the windows before `train_end`, shape (inputs, inputs + horizon)."""
        return self._centred([sensor], normalisation, self._train_end)

    def whole(self, sensor: int, normalisation: Normalisation) -> Floats:
        """One sensor's centred sums over all windows."""
        return self._centred([sensor], normalisation, None)

    def past_pooled(self, normalisation: Normalisation) -> Floats:
        """The sum of `past` over the sensors."""
        return self._centred(range(len(self._whole)), normalisation, self._train_end)

    def whole_pooled(self, normalisation: Normalisation) -> Floats:
        """The sum of `whole` over the sensors."""
        return self._centred(range(len(self._whole)), normalisation, None)

    def _centred(self, sensors: Iterable[int], normalisation: Normalisation, train_end: int | None) -> Floats:
        span = self.near + self.horizon
        steps = np.zeros((self.near, span))
        room = np.empty_like(steps)
        alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
        own: dict[int, list[Stretch]] = {}
        for sensor in sensors:
            stretches = self._whole[sensor]
            own[sensor] = stretches if train_end is None else list(_before(stretches, train_end - span + 1))
            alike.setdefault(tuple((each.begin, each.stop) for each in own[sensor]), []).append(sensor)
            steps += self._steps.over(own[sensor], room)
        beside = sum(self._sums.over(group, own[group[0]]) for group in alike.values())
        return _joined(
            summed(steps), np.asarray(beside), self.far, centring_weights(normalisation, self.near)
        )


def _joined(lags: Floats, beside: Floats, far: Far, level: Floats) -> Floats:
    """The sums of all inputs, near and far, with each other and the horizon, after the windows were centred.

    Args:
        lags: Of the near window with itself and the horizon, shape (near, near + horizon).
        beside: Of the far inputs, as from `FarSums`.
        far: The far inputs, of which the calendar's are not centred.
        level: The weights of the value that windows are centred on; shape (near,).
    """
    near, size, means = len(lags), far.size, far.means
    horizon = lags.shape[1] - near
    windows = np.empty((near + means, near + means + horizon))
    windows[:near, :near], windows[:near, near + means :] = lags[:, :near], lags[:, near:]
    windows[near:, :near], windows[near:, near + means :] = (
        beside[:means, :near],
        beside[:means, near + size :],
    )
    windows[:near, near : near + means] = beside[:means, :near].T
    windows[near:, near : near + means] = beside[:means, near : near + means]
    centre(windows, np.concatenate([level, np.zeros(means)]), out=windows)
    calendar = beside[means:]
    pulled = (calendar[:, :near] @ level)[:, None]
    sums = np.empty((near + size, near + size + horizon))
    sums[: near + means, : near + means] = windows[:, : near + means]
    sums[: near + means, near + size :] = windows[:, near + means :]
    sums[near + means :, : near + means] = calendar[:, : near + means] - pulled
    sums[: near + means, near + means : near + size] = sums[near + means :, : near + means].T
    sums[near + means :, near + means : near + size] = calendar[:, near + means : near + size]
    sums[near + means :, near + size :] = calendar[:, near + size :] - pulled
    return sums


def _from(stretches: Iterable[Stretch], begin: int) -> Iterator[Stretch]:
    """What of them does not begin before a step."""
    for each in stretches:
        if each.stop > begin:
            yield replace(each, begin=max(each.begin, begin))


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

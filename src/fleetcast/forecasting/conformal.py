"""Prediction intervals by split conformal prediction (Vovk et al. 2005; Lei et al. 2018), a tail at a time.

The errors on held-out origins say how far an interval must reach to each side: of c signed errors, reading less
forecast, the ⌊(c+1)α/2⌋-th smallest downwards and the ⌈(c+1)(1−α/2)⌉-th smallest upwards, for each sensor and each
step of the horizon on its own (signed-error conformal regression: Linusson, Johansson & Löfström 2014; the tails
apart as in Theorem 2 of Romano, Patterson & Candès 2019). Each tail then holds at most α/2 of new errors that are
exchangeable with those, so the interval covers at least 1−α of them, and leans where the errors do. Origins that
overlap, and drift, make it approximate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleetcast.forecasting.series import Floats

_LEVELS = (0.8, 0.95)


@dataclass(frozen=True)
class Offsets:
    """What is added to a point to get the ends of its intervals; each of shape (k, h).

    At every place lower_95 ≤ lower_80 ≤ 0 ≤ upper_80 ≤ upper_95: the point lies in its intervals.
    """

    lower_80: Floats
    upper_80: Floats
    lower_95: Floats
    upper_95: Floats

    @classmethod
    def symmetric(cls, half_80: Floats, half_95: Floats) -> Offsets:
        """Intervals that reach as far down as up, by half their widths."""
        return cls(-half_80, half_80, -half_95, half_95)

    @property
    def in_order(self) -> tuple[Floats, Floats, Floats, Floats]:
        """From the lowest to the highest end."""
        return self.lower_95, self.lower_80, self.upper_80, self.upper_95

    @cached_property
    def stacked(self) -> Floats:
        """From the lowest to the highest end, steps before sensors: shape (4, h, k)."""
        return np.stack([end.T for end in self.in_order])

    def times(self, scale: Floats) -> Offsets:
        """The same offsets in another unit for each sensor; `scale` has shape (k,) and is positive."""
        ends = (self.lower_80, self.upper_80, self.lower_95, self.upper_95)
        return Offsets(*(end * scale[:, None] for end in ends))

    def as_stored(self) -> Offsets:
        """The same offsets as 16-bit numbers can hold them, rounded outwards: an interval never gets narrower."""
        ends = (self.lower_80, self.upper_80, self.lower_95, self.upper_95)
        return Offsets(*(_outwards(end) for end in ends))


def conformal_offsets(errors: Floats) -> Offsets:
    """Offsets from the signed errors on held-out origins.

    Args:
        errors: Reading less forecast, shape (k, c, h); NaN where not measured. A tail of so few origins that a
            finite sample cannot promise it (9 for 80 %, 39 for 95 %) reaches as far as the largest error, to
            both sides.

    Returns:
        Zeros for a sensor and step without any measured error.
    """
    count = np.isfinite(errors).sum(axis=1)
    if not errors.shape[1]:
        return Offsets(*(np.zeros(count.shape) for _ in range(4)))
    # takes half the time of np.partition for the four places that are wanted
    ordered = np.sort(errors, axis=1)
    if count.min() == errors.shape[1]:
        largest = np.maximum(np.abs(ordered[:, 0]), np.abs(ordered[:, -1]))
    else:
        largest = np.max(np.where(np.isfinite(errors), np.abs(errors), 0.0), axis=1)
    return Offsets(*(end for level in _LEVELS for end in _ends(ordered, count, largest, level)))


def _ends(
    ordered: Floats, count: npt.NDArray[np.int64], largest: Floats, level: float
) -> tuple[Floats, Floats]:
    """How far the interval of one level reaches down and up, given the errors in order."""
    rank = np.array([_rank(c, level) for c in range(ordered.shape[1] + 1)])[count]
    enough = rank >= 1
    low = np.take_along_axis(ordered, np.maximum(rank - 1, 0)[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ordered, np.where(enough, count - rank, 0)[:, None], axis=1)[:, 0]
    # a model that errs to one side only keeps its own point inside
    return (
        np.where(enough, np.minimum(low, 0.0), -largest),
        np.where(enough, np.maximum(high, 0.0), largest),
    )


def _outwards(end: Floats) -> Floats:
    most = np.finfo(np.float16).max
    near = np.clip(end, -most, most).astype(np.float16)
    short = (np.abs(near) < np.abs(end)) & (np.abs(near) < most)
    away = np.nextafter(near, np.copysign(most, end).astype(np.float16))
    return np.where(short, away, near).astype(np.float64)


def _rank(count: int, level: float) -> int:
    """Which of the smallest errors, counted from one, bounds the interval below; 0 with too few."""
    return math.floor((count + 1) * (1 - level) / 2 + 1e-9)

"""Which part of a history trains, which calibrates and which tests; always in this order of time.

Rolling-origin evaluation after Tashman (2000): a model fitted once on the past forecasts from many later
origins. Every calibration origin lies after the last training target, every test origin after the last
calibration target, so that no reading is used before its turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fleetcast.forecasting.errors import HistoryTooShort
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.windows import Ints, longest_run, whole_origins

SPARE_ORIGINS = 24
"""Origins that the shortest history leaves for training, calibration and test together."""
_HELD_OUT_SHARE = 0.16
_FEWEST = 4
_MOST_CALIBRATION = 96
_MOST_TEST = 80


@dataclass(frozen=True, slots=True)
class Split:
    """A history in three parts. An origin is the first step that is forecast from it."""

    reach: int
    """Steps before an origin that are observed without a hole, for every origin below."""
    train_end: int
    """No reading from this step on is trained on, nor is it the target of a training window."""
    calibration: Ints
    """Origins to choose by and to calibrate on; shape (c,), ascending."""
    test: Ints
    """Origins to report on; shape (t,), ascending."""


def steps_needed(reach: int, horizon: int) -> int:
    """The shortest unbroken run with a training window, and calibration and test origins kept apart."""
    return reach + 3 * (horizon - 1) + SPARE_ORIGINS


def count_origins(values: Floats, reach: int, horizon: int) -> int:
    """Origins with window and horizon whole for at least one sensor."""
    return int(np.count_nonzero(whole_origins(values, reach, horizon).any(axis=1)))


def split(values: Floats, *, reach: int, horizon: int, step: timedelta) -> Split:
    """Divide a history.

    Args:
        values: Shape (n, k); NaN is a hole.
        reach: Steps of the longest window that a model may look at.
        horizon: Steps to forecast.
        step: The grid; origins are spread so that they fall on every time of the day.

    Raises:
        HistoryTooShort: No run is long enough to keep the three parts apart.
    """
    origins = np.flatnonzero(whole_origins(values, reach, horizon).any(axis=1))
    spare = len(origins) - 2 * (horizon - 1)
    if spare < SPARE_ORIGINS:
        raise HistoryTooShort(longest_run(values), steps_needed(reach, horizon))
    held_out = max(_FEWEST, int(_HELD_OUT_SHARE * spare))
    test = origins[-held_out:]
    calibration = origins[origins + horizon <= test[0]][-held_out:]
    return Split(
        reach,
        train_end=int(calibration[0]),
        calibration=_spread(calibration, _MOST_CALIBRATION, step),
        test=_spread(test, _MOST_TEST, step),
    )


def _spread(origins: Ints, most: int, step: timedelta) -> Ints:
    """Thin out origins evenly, by a stride that shares no factor with a day, so every hour has its turn."""
    stride = -(-len(origins) // most)
    day = max(1, round(timedelta(days=1) / step))
    while math.gcd(stride, day) > 1:
        stride += 1
    return origins[::-stride][::-1]

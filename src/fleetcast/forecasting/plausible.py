"""Whether a forecast can be true at all: what is looked at before anybody is given it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fleetcast.domain.health import Invalid
from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.series import Floats

_ROUNDING = 1e-9
"""A spread, as a share of the largest reading, below which a sensor does not change."""
_RANGES = 3.0
"""How many times the range of its recent readings a sensor may leave that range."""


def invalid(point: Floats, history: Floats, bounds: Bounds, horizon: int) -> list[Invalid | None]:
    """What is wrong with the forecast of each sensor; the first that is, in the order of `Invalid`.

    Args:
        point: Shape (h, k), in the sensors' units.
        history: Recent readings, shape (n, k), oldest first; NaN is a hole. Where a sensor has none, or never
            changes, nothing is held against its scale.
        bounds: The physical range of the sensors.
        horizon: Steps that were asked for.

    Returns:
        For each of the k sensors; None: nothing.
    """
    if not len(point):
        return [Invalid.WRONG_LENGTH if horizon else None] * point.shape[1]
    # Of a handful of sensors, numbers are compared sooner than arrays.
    ranges = zip(
        point.min(axis=0).tolist(),
        point.max(axis=0).tolist(),
        *_range(history),
        bounds.lower.tolist(),
        bounds.upper.tolist(),
        strict=True,
    )
    return [_first(*numbers, right_length=len(point) == horizon, horizon=horizon) for numbers in ranges]


def _range(history: Floats) -> tuple[Sequence[float], Sequence[float]]:
    """The least and the greatest reading of each sensor; 0 where there is none."""
    if len(history):
        lows, highs = history.min(axis=0).tolist(), history.max(axis=0).tolist()
        if all(map(math.isfinite, (*lows, *highs))):
            return lows, highs
    known = np.isfinite(history)
    seen = known.any(axis=0)
    least = np.where(seen, np.min(np.where(known, history, np.inf), axis=0, initial=np.inf), 0.0)
    most = np.where(seen, np.max(np.where(known, history, -np.inf), axis=0, initial=-np.inf), 0.0)
    return least.tolist(), most.tolist()


def _first(
    lowest: float,
    highest: float,
    least: float,
    most: float,
    lower: float,
    upper: float,
    *,
    right_length: bool,
    horizon: int,
) -> Invalid | None:
    """What is wrong with one sensor's forecast; a number that is none makes its lowest and its highest one too.

    Args:
        lowest: Point.
        highest: Point.
        least: Recent reading.
        most: Recent reading.
        lower: That can be read.
        upper: That can be read.
        right_length: Whether it has as many steps as were asked for.
        horizon: How many those are.
    """
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        return Invalid.NOT_FINITE
    if not right_length:
        return Invalid.WRONG_LENGTH
    if lowest < lower or highest > upper:
        return Invalid.OUTSIDE_LIMITS
    size, span = max(abs(least), abs(most)), most - least
    if span <= _ROUNDING * size:
        return None
    if horizon > 1 and highest - lowest <= _ROUNDING * size:
        return Invalid.CONSTANT
    room = _RANGES * span
    return Invalid.OFF_SCALE if lowest < least - room or highest > most + room else None

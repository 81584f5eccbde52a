"""Whether a forecast can be true at all: what is looked at before anybody is given it."""

from __future__ import annotations

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
    finite = np.isfinite(point).all(axis=0)
    outside = ((point < bounds.lower) | (point > bounds.upper)).any(axis=0)
    known = np.isfinite(history)
    seen = known.any(axis=0)
    least = np.where(seen, np.min(np.where(known, history, np.inf), axis=0, initial=np.inf), 0.0)
    most = np.where(seen, np.max(np.where(known, history, -np.inf), axis=0, initial=-np.inf), 0.0)
    size = np.maximum(np.abs(least), np.abs(most))
    changes = most - least > _ROUNDING * size
    highest, lowest = (
        (np.max(point, axis=0), np.min(point, axis=0)) if len(point) else (np.zeros_like(least),) * 2
    )
    constant = changes & (horizon > 1) & (highest - lowest <= _ROUNDING * size)
    room = _RANGES * (most - least)
    off = changes & ((lowest < least - room) | (highest > most + room))
    checks = (
        (Invalid.NOT_FINITE, ~finite),
        (Invalid.WRONG_LENGTH, np.full(point.shape[1], len(point) != horizon)),
        (Invalid.OUTSIDE_LIMITS, outside),
        (Invalid.CONSTANT, constant),
        (Invalid.OFF_SCALE, off),
    )
    wrong = np.stack([each for _, each in checks])
    first = np.where(wrong.any(axis=0), wrong.argmax(axis=0), len(checks))
    kinds: list[Invalid | None] = [*(kind for kind, _ in checks), None]
    return [kinds[number] for number in first]

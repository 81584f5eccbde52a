"""The physical range of sensors: no forecast and no interval may leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.series import Floats


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value that each sensor can take, in its own unit; each of shape (k,)."""

    lower: Floats
    """−inf where there is no least."""
    upper: Floats
    """inf where there is no greatest."""

    is_open: bool = field(init=False)
    """Whether every value lies within."""

    def __post_init__(self) -> None:
        is_open = bool((self.lower == -np.inf).all() and (self.upper == np.inf).all())
        object.__setattr__(self, "is_open", is_open)

    @classmethod
    def of(cls, sensors: Sequence[str], limits: Mapping[str, SensorLimits]) -> Bounds:
        """Those of some sensors, in their order; a sensor that is not named has none."""
        if not limits:
            return _open(len(sensors))
        ranges = [limits.get(name, SensorLimits()) for name in sensors]
        return cls(
            np.array([-np.inf if each.minimum is None else each.minimum for each in ranges]),
            np.array([np.inf if each.maximum is None else each.maximum for each in ranges]),
        )

    def applied(self, values: Floats) -> Floats:
        """Values with the sensors along the last axis, those outside moved to the nearest bound; NaN stays."""
        bounded: Floats = np.clip(values, self.lower, self.upper)
        return bounded


@lru_cache(maxsize=64)
def _open(count: int) -> Bounds:
    """Of so many sensors that can read anything."""
    return Bounds(np.full(count, -np.inf), np.full(count, np.inf))

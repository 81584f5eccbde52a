"""A forecast of a circuit with its prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.forecasting.series import Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """The coming steps of a circuit's sensors, on the regular grid of its history.

    `start` is the aware UTC time of the first step; step i begins at `start + i * step`. The five arrays have
    shape (h, k): h steps by k sensors in the order of `sensors`, each in its own unit, no NaN, and at every
    place lower_95 ≤ lower_80 ≤ point ≤ upper_80 ≤ upper_95.
    """

    start: datetime
    step: timedelta
    sensors: tuple[str, ...]
    point: Floats
    lower_80: Floats
    upper_80: Floats
    lower_95: Floats
    upper_95: Floats

    def __len__(self) -> int:
        return len(self.point)

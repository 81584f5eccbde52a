"""A forecast of a circuit with its prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.forecasting.bounds import Bounds
from fleetcast.forecasting.conformal import Offsets
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

    @classmethod
    def around(
        cls,
        start: datetime,
        step: timedelta,
        sensors: tuple[str, ...],
        point: Floats,
        offsets: Offsets,
        bounds: Bounds,
    ) -> Forecast:
        """A forecast with its intervals, none of which leaves what the sensors can read.

        Args:
            start: As of a forecast.
            step: As of a forecast.
            sensors: As of a forecast.
            point: Shape (h, k), inside the bounds.
            offsets: Of the interval's ends, in the sensors' units.
            bounds: Of the sensors.
        """
        ends = point + offsets.stacked
        if not bounds.is_open:
            ends = bounds.applied(ends)
        lower_95, lower_80, upper_80, upper_95 = ends
        return cls(start, step, sensors, point, lower_80, upper_80, lower_95, upper_95)

    @property
    def end(self) -> datetime:
        """Aware UTC time just after the last step."""
        return self.start + len(self) * self.step

    def __len__(self) -> int:
        return len(self.point)

"""Readings of one circuit, raw and on a regular grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import BadInput

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """A circuit's sensors on a regular UTC grid.

    `values` has shape (n, k): n steps oldest first, k sensors in the order of `sensors`, each in its own
    unit; NaN is a hole. `start` is the aware UTC time of the first step; step i begins at `start + i * step`
    and holds the mean of the readings in [begin, begin + step).
    """

    start: datetime
    step: timedelta
    sensors: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> datetime:
        """Aware UTC time just after the last step: where a forecast begins."""
        return self.start + len(self) * self.step

    @property
    def silent(self) -> tuple[str, ...]:
        """Sensors without a single reading."""
        return tuple(
            name for column, name in enumerate(self.sensors) if not np.isfinite(self.values[:, column]).any()
        )

    def until(self, moment: datetime) -> Series:
        """The steps that end by a moment, as if nothing had been read since.

        Raises:
            BadInput: None does, or the moment has no time zone.
        """
        whole = min(self.step_at(self._floor(moment)) or 0, len(self))
        if whole < 1:
            raise BadInput(f"nothing was read before {moment}", fix="begin later")
        return Series(self.start, self.step, self.sensors, self.values[:whole])

    def first_step_from(self, moment: datetime) -> int:
        """The first step that does not begin before a moment, 0 if that lies before the series.

        Raises:
            BadInput: The moment has no time zone.
        """
        floor = self._floor(moment)
        step = self.step_at(floor) or 0
        return max(step + (floor < moment), 0)

    def _floor(self, moment: datetime) -> datetime:
        """The last step, on the grid that goes on for ever, that does not begin after a moment."""
        if moment.tzinfo is None:
            raise BadInput(f"the moment {moment} has no time zone", fix="give moments in UTC")
        return self.start + ((moment.astimezone(UTC) - self.start) // self.step) * self.step

    def step_at(self, origin: datetime) -> int | None:
        """Which step begins at this moment, also before the first or after the last; None off the grid.

        Raises:
            BadInput: The moment has no time zone.
        """
        if origin.tzinfo is None:
            raise BadInput(f"the origin {origin} has no time zone", fix="give origins in UTC")
        steps, rest = divmod(origin.astimezone(UTC) - self.start, self.step)
        return None if rest else steps

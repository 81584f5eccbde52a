"""What can be asked of every model of a circuit, whether it was trained here or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.series import Floats, Series


@dataclass(frozen=True, slots=True)
class NotedForecast:
    """A forecast, and what a reader should know of how it was made."""

    forecast: Forecast
    notes: tuple[str, ...]
    """Sentences without a full stop; empty if there is nothing to say."""


class Looks(Protocol):
    """What says which readings it needs."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The sensors whose readings it is given."""
        ...

    @property
    def step(self) -> timedelta:
        """Of its grid."""
        ...

    @property
    def lookback(self) -> int:
        """Steps that the points of one forecast are made from, at least 1; a shorter history is filled up."""
        ...

    @property
    def horizon(self) -> int:
        """Steps it forecasts, at least 1."""
        ...

    @property
    def more_history(self) -> int:
        """Steps before the lookback that are worth giving, for the intervals' sake; 0 for none."""
        ...


class Forecaster(Looks, Protocol):
    """One trained model, ready to forecast.

    It never changes and remembers nothing: the same readings give the same numbers. The series it is given may
    hold more sensors than it reads, in any order; NaN is a hole, and so is what is infinite.
    """

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors it forecasts, all of which it reads."""
        ...

    @property
    def waits(self) -> bool:
        """Whether a forecast waits for another process, for seconds at times."""
        ...

    @property
    def memory_bytes(self) -> int:
        """What it takes in this process, about; it never changes."""
        ...

    @property
    def repeated_decimals(self) -> int:
        """How many decimals repeat when its replayed errors are set against another model's once more."""
        ...

    def forecast(self, history: Series) -> NotedForecast:
        """Forecast the horizon that begins where the history ends.

        Args:
            history: What it reads, in the sensors' own units, on its grid. The points come from its last
                `lookback` steps alone.

        Returns:
            A forecast of `sensors`, in that order, from `history.end` on, points and intervals within what the
            sensors can read. Where nothing says how wide the
            intervals should be, they have no width, and a note says so.

        Raises:
            BadInput: A sensor is missing, the grid is another, or it cannot forecast from so few readings.
            ForeignModelFailed: It runs in a process of its own, which crashed, took too much, or gave no forecast.
        """
        ...

    def replay(self, series: Series, origins: Sequence[datetime]) -> Floats:
        """How it would have fared from given origins: the mean absolute error over the horizon.

        Each is measured on the points that `forecast` gives of the series cut off at the origin, except for the
        rounding of 32-bit numbers: all origins are computed at once.

        Args:
            series: What it reads, in the sensors' own units, on its grid.
            origins: Aware times of the first step forecast, in any order; a fair comparison chooses them after
                the training data.

        Returns:
            Shape (origins, sensors), in the sensors' units. NaN where it cannot be measured: the origin is not
            on the grid or has too few readings before it, or the horizon has a hole or reaches past the series.

        Raises:
            BadInput: A sensor is missing, the grid is another, or an origin has no time zone.
            ForeignModelFailed: As of `forecast`.
        """
        ...

"""A model that was trained here, as a forecaster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.forecasting.backtest import replay
from fleetcast.forecasting.fitted import FittedModel
from fleetcast.forecasting.forecaster import NotedForecast
from fleetcast.forecasting.series import Floats, Series

_OBJECTS_BYTES = 40_000
"""What a model takes beside its weights."""


@dataclass(frozen=True, slots=True)
class FittedForecaster:
    """One trained version of a circuit's model. Its intervals come with it, so the lookback is all it needs."""

    model: FittedModel
    more_history = 0
    waits = False
    repeated_decimals = 6

    @property
    def memory_bytes(self) -> int:
        """Its weights and the ends of its intervals, and what holds them together."""
        numbers = (
            *self.model.model.tensors.values(),
            *self.model.offsets.in_order,
            *self.model.reach.in_order,
        )
        return _OBJECTS_BYTES + sum(int(each.nbytes) for each in numbers)

    @property
    def reads(self) -> tuple[str, ...]:
        """The sensors it forecasts: each is forecast from its own past."""
        return self.model.sensors

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors it was trained on."""
        return self.model.sensors

    @property
    def step(self) -> timedelta:
        """Of its grid."""
        return self.model.step

    @property
    def lookback(self) -> int:
        """Steps of history that one forecast is made from."""
        return self.model.lookback

    @property
    def horizon(self) -> int:
        """Steps it forecasts."""
        return self.model.horizon

    def forecast(self, history: Series) -> NotedForecast:
        """Forecast; a sensor without any reading is forecast from its mean in training."""
        return NotedForecast(self.model.forecast(history), ())

    def replay(self, series: Series, origins: Sequence[datetime]) -> Floats:
        """Its errors; NaN for a sensor that has no reading at all before the origin."""
        return replay(self.model, series, origins)

"""What is known of a circuit when it is looked at: what its model learned from, what came since, what was forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.settings.environments import EnvironmentSettings
from fleetcast.forecasting.resampling import Micros
from fleetcast.forecasting.series import Floats

LOOK_BACK = timedelta(days=14)
"""How much of the newest readings `current` should hold: slow changes are looked for over a week, errors over two."""


@dataclass(frozen=True, slots=True)
class Window:
    """Raw readings, as the table has them: in any order, doubled, with holes."""

    times: Micros
    """Microseconds since 1970-01-01 UTC; shape (n,)."""
    values: Floats
    """One column for each of `sensors`, each in its own unit, NaN where there is no reading; shape (n, k)."""
    sensors: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.sensors)):
            raise BadInput(
                f"{len(self.times)} times of {len(self.sensors)} sensors come with values of {self.values.shape}"
            )

    @classmethod
    def empty(cls, sensors: Sequence[str] = ()) -> Window:
        """Without any reading."""
        return cls(np.zeros(0, np.int64), np.zeros((0, len(sensors))), tuple(sensors))


@dataclass(frozen=True, slots=True)
class Published:
    """What was forecast for a circuit; shapes are (origins, steps, sensors), NaN where nothing was published."""

    origins: Micros
    """When the first step of each forecast begins, in microseconds since 1970-01-01 UTC; step i begins i × the
    circuit's frequency later, and holds the mean of the readings until the next."""
    point: Floats
    lower_80: Floats
    upper_80: Floats
    sensors: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = (len(self.origins), self.point.shape[1] if self.point.ndim == 3 else -1, len(self.sensors))
        if not self.point.shape == self.lower_80.shape == self.upper_80.shape == shape:
            raise BadInput(
                f"forecasts of {len(self.sensors)} sensors from {len(self.origins)} origins have the shapes "
                f"{self.point.shape}, {self.lower_80.shape} and {self.upper_80.shape}"
            )

    @classmethod
    def nothing(cls, sensors: Sequence[str] = ()) -> Published:
        """Before the first forecast."""
        none = np.zeros((0, 0, len(sensors)))
        return cls(np.zeros(0, np.int64), none, none, none, tuple(sensors))


@dataclass(frozen=True, slots=True)
class WatchedCircuit:
    """One circuit in one environment, with all that one look at it needs."""

    key: CircuitKey
    environment: EnvironmentName
    model: str | None
    """`NAME:VERSION` that is deployed; None: nothing is."""
    frequency: timedelta
    sensors: tuple[str, ...]
    """As declared now; what reference, readings and forecasts have of others is not looked at."""
    reference: Window
    """What the deployed version was trained on."""
    current: Window
    """The newest readings, of about `LOOK_BACK`; actual values of forecasts are taken from here, by their time."""
    settings: EnvironmentSettings
    published: Published = field(default_factory=Published.nothing)
    expected_error: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    """By sensor: mean absolute error of the backtest by step, shape (steps,), or the same for all, shape (1,)."""
    limits: Mapping[str, SensorLimits] = field(default_factory=lambda: MappingProxyType({}))
    newest: datetime | None = None
    """Aware UTC: of the newest reading in the table; None: it has none of this circuit."""
    data_end: datetime | None = None
    """Aware UTC: where the training data of the deployed version ends."""
    window: timedelta = timedelta(days=2)
    """How much of the newest readings is held against the reference for sudden changes; for slow ones it is 3.5 times
    as much."""
    stale_after: timedelta | None = None
    """From which age on of the newest reading it is an alarm; None: twelve steps, at least three hours."""
    old_after: timedelta | None = None
    """From which age on of its training data a model is too old; None: that is not expected of it."""

"""A circuit as the fleet repository declares it, with every inherited setting resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import Json
from fleetcast.domain.duration import parse_date, parse_instant
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, checked_id
from fleetcast.domain.quality import CleaningRules, SensorLimits
from fleetcast.domain.thresholds import Thresholds

HyperparameterValue = str | int | float | bool
MAX_STEPS = 100_000
"""The longest horizon in steps: more is a slip of the unit, and would not fit in memory."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The end of a circuit's training data: a date (that whole UTC day included) or an instant (included)."""

    text: str
    """Canonical: `2025-11-01`, or an instant in UTC."""
    end: datetime
    """Aware UTC; readings before this moment are training data, exclusive."""

    @classmethod
    def parse(cls, text: str) -> Cutoff:
        """Read a date or an ISO 8601 instant with offset.

        Raises:
            BadInput: Neither, or an instant without a time zone.
        """
        text = text.strip()
        day = parse_date(text)
        if day is not None:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return cls(day.isoformat(), midnight + timedelta(days=1))
        instant = parse_instant(text)
        return cls(instant.isoformat().replace("+00:00", "Z"), instant + timedelta(microseconds=1))

    def __str__(self) -> str:
        return self.text


class Serving(StrEnum):
    """How a circuit's forecasts reach those who need them."""

    ENDPOINT = "endpoint"
    """Clients ask a server at any moment, and read the table too."""
    BATCH = "batch"
    """Only by the table that `fleetcast score` publishes."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit: what to forecast, from which data, with which model.

    Every value is resolved: inherited from the fleet and the plant where the circuit itself is silent.
    """

    key: CircuitKey
    model_name: str
    features: tuple[str, ...]
    """Sensor columns read for training, in the order declared."""
    targets: tuple[str, ...]
    """The sensors to forecast; a subset of `features`, in their order."""
    frequency: timedelta
    horizon: timedelta
    training_window: timedelta
    cutoff: Cutoff
    data_source: str
    delta_version: int
    component_version: str
    """Version of the training pipeline component this circuit trains with."""
    family: str
    hyperparameters: Mapping[str, HyperparameterValue] = field(default_factory=lambda: MappingProxyType({}))
    """As declared; a family's own defaults are not written in, so that they never enter the training hash."""
    sensor_limits: Mapping[str, SensorLimits] = field(default_factory=lambda: MappingProxyType({}))
    cleaning: CleaningRules = field(default_factory=CleaningRules)
    source_mapping: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    """What decides how an external table is read for this circuit; empty for fleetcast's own."""
    revision: int = 0
    serving: Serving = Serving.ENDPOINT
    thresholds: Thresholds = field(default_factory=Thresholds)
    description: str = ""
    owner: str = ""
    units: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By sensor, what its numbers are in, such as `°C`; where it is said. It trains nothing."""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        checked_id("model_name", self.model_name)
        if self.horizon % self.frequency:
            raise BadInput(
                f"forecast_horizon {self.horizon} of {self.key} is not a multiple of its frequency {self.frequency}",
                fix="choose a horizon that is a whole number of steps",
            )
        if not 1 <= self.steps <= MAX_STEPS:
            raise BadInput(
                f"forecast_horizon of {self.key} is {self.steps} steps",
                fix=f"choose a horizon of 1 to {MAX_STEPS} steps of {self.frequency}",
            )
        unknown = [name for name in self.targets if name not in self.features]
        if unknown:
            raise BadInput(
                f"targets {', '.join(unknown)} of {self.key} are not among its features",
                fix="add them to `features`",
            )

    @property
    def steps(self) -> int:
        """The horizon in steps of the frequency."""
        return self.horizon // self.frequency

    @property
    def window_start(self) -> datetime:
        """Aware UTC; training data begins here, inclusive."""
        return self.cutoff.end - self.training_window

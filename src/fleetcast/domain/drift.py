"""What is watched after training, and what one look at it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.place import EnvironmentName


class Signal(StrEnum):
    """One way in which a deployed model, its data or its endpoint can go wrong."""

    DATA_DRIFT = "data-drift"
    """Readings are distributed otherwise than those that the deployed version learned from."""
    PREDICTION_DRIFT = "prediction-drift"
    """Forecasts are distributed otherwise than they were."""
    ACCURACY = "accuracy"
    """Errors against the readings that came since, by step of the horizon."""
    COVERAGE = "coverage"
    """How many readings fell into the intervals that were promised."""
    FRESHNESS = "freshness"
    """How old the newest reading is."""
    DATA_QUALITY = "data-quality"
    """How much is missing, doubled or out of its limits."""
    SENSOR_FAULT = "sensor-fault"
    """A sensor is stuck, gone, jumps or drowns in noise."""
    ENDPOINT_HEALTH = "endpoint-health"
    """Availability, errors and latency of a plant's endpoint."""
    TRAINING_FAILURES = "training-failures"
    """How many jobs failed of late."""
    MODEL_AGE = "model-age"
    """How long ago the training data of the deployed version ended."""


class Outcome(StrEnum):
    """What one look found; that nothing could be measured is neither good nor bad."""

    FINE = "fine"
    BREACHED = "breached"
    """Beyond its threshold; whether that is more than chance in so large a fleet is another question."""
    NOT_ENOUGH_DATA = "not enough data"
    NOT_MEASURED = "not measured"
    """Nothing to measure by: no threshold, no model, no endpoint."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at one signal found, of a sensor, a circuit or a plant."""

    signal: Signal
    environment: EnvironmentName
    plant: str
    circuit: str | None
    """None: it is about the plant as a whole."""
    sensor: str | None
    """None: it is about the circuit as a whole."""
    at: datetime
    """Aware UTC: up to when was looked."""
    outcome: Outcome
    value: float | None = None
    """The size of what was found, corrected for its bias, in `unit`; None where nothing was measured."""
    threshold: float | None = None
    """In the same unit; None: nothing is expected."""
    unit: str = ""
    """Empty for shares and distances, which have none."""
    p_value: float | None = None
    """How likely chance alone gives as much; None where no test was made."""
    impact: float = 0.0
    """How much the forecast suffers, as a share of its error: what alarms are ranked by."""
    model: str | None = None
    """`NAME:VERSION` that was deployed."""
    detail: Mapping[str, float | str] = field(default_factory=lambda: MappingProxyType({}))
    """Further numbers by their names, for people: `wasserstein`, `mae_then`, `stuck_since` …"""

"""Alarms: one for each cause, however many sensors show it, from the first sign until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.drift import Observation
from fleetcast.domain.place import EnvironmentName


class CauseKind(StrEnum):
    """What stands behind an alarm."""

    PROCESS_CHANGED = "process changed"
    """The plant runs otherwise: a retrain would help."""
    SENSOR_BROKEN = "sensor broken"
    """What is measured is wrong: a retrain would learn the fault."""
    GATEWAY_DOWN = "gateway down"
    """Many sensors of a plant went silent, or stuck, at once."""
    DATA_STALE = "data stale"
    DATA_POOR = "data poor"
    """Rows come twice, or from the future: what writes them is wrong."""
    MODEL_WORSE = "model worse"
    """Forecasts are worse than they were, while the data look as ever."""
    ENDPOINT_DOWN = "endpoint down"
    ENDPOINT_SLOW = "endpoint slow"
    TRAINING_FAILS = "training fails"
    MODEL_OLD = "model old"


PAGES = frozenset({CauseKind.DATA_STALE, CauseKind.GATEWAY_DOWN, CauseKind.ENDPOINT_DOWN})
"""What somebody is woken for."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What stands behind an alarm, and where: the same one never has two alarms at once."""

    kind: CauseKind
    environment: EnvironmentName
    plant: str
    circuit: str | None = None
    """None: the plant as a whole."""
    sensor: str | None = None
    """None: the circuit as a whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that one look at the whole fleet found, with all that shows it; the most harmful ones come first."""

    cause: Cause
    since: datetime
    """Aware UTC: the first sign of it."""
    shown_by: tuple[Observation, ...]
    """What shows it, the strongest first; never empty."""
    impact: float
    """How much forecasts suffer by it, summed over the circuits concerned."""


class AlarmState(StrEnum):
    """Where an alarm stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    """Until a time; nobody is told before."""
    RECOVERED = "recovered"
    """Its cause is gone; the same one later is a new alarm."""

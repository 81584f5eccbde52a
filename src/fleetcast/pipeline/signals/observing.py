"""One look at one circuit: all its signals, each measured or with the reason why not."""

from __future__ import annotations

from datetime import datetime

from fleetcast.domain.drift import Observation
from fleetcast.pipeline.signals.watched import WatchedCircuit


def observe(circuit: WatchedCircuit, now: datetime) -> list[Observation]:
    """Look at a circuit.

    Args:
        circuit: With all that is known of it.
        now: Aware UTC; readings after it are not believed.

    Returns:
        Of each sensor data drift and sensor faults, and prediction drift, accuracy and coverage where it is forecast;
        of the circuit data drift of all sensors together, freshness, data quality and model age.
    """
    raise NotImplementedError(f"{circuit.key} at {now}")

"""Forecast many circuits, one after the other: one that cannot be forecast keeps none of the others back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import CircuitKey
from fleetcast.workflows.forecast import CircuitForecast, MakeForecast


@dataclass(frozen=True, slots=True)
class NotForecast:
    """A circuit that could not be forecast, and why."""

    key: CircuitKey
    error: FleetcastError


def forecast_many(
    make: MakeForecast,
    circuits: Sequence[Circuit],
    *,
    at: datetime | None = None,
    delta_version: int | None = None,
) -> Iterator[CircuitForecast | NotForecast]:
    """Forecast some circuits, each as soon as it is asked for.

    Args:
        make: Forecasts one.
        circuits: In the order in which they are wanted.
        at: As of one forecast.
        delta_version: As of one forecast.
    """
    for circuit in circuits:
        try:
            yield make(circuit, at=at, delta_version=delta_version)
        except FleetcastError as error:
            yield NotForecast(circuit.key, error)

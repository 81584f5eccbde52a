"""Forecast many circuits, one after the other: one that cannot be forecast keeps none of the others back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.workflows.forecast import CircuitForecast, MakeForecast


@dataclass(frozen=True, slots=True)
class NotForecast:
    """A circuit that could not be forecast, and why."""

    key: CircuitKey
    error: FleetcastError


def chosen(circuits: Sequence[Circuit], pattern: str) -> Sequence[Circuit]:
    """The circuits that a pattern matches, by their keys.

    Args:
        circuits: As declared.
        pattern: `PLANT/CIRCUIT` with `*`, `?` and `[…]`.

    Raises:
        BadInput: It matches none.
    """
    wanted = set(matching([circuit.key for circuit in circuits], [pattern]))
    return sorted((circuit for circuit in circuits if circuit.key in wanted), key=lambda circuit: circuit.key)


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

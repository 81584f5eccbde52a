"""What a process that serves forecasts is opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Right
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.domain.circuit import Circuit
    from fleetcast.domain.place import EnvironmentName
    from fleetcast.domain.release import ServedModel
    from fleetcast.forecasting.forecaster import Forecaster
    from fleetcast.ports.endpoints import TrafficBoard
    from fleetcast.ports.models import ModelStates
    from fleetcast.ports.readings import ReadingsTable
    from fleetcast.ports.releases import ReleaseBook


@dataclass(frozen=True, slots=True)
class OpenServing:
    """A fleet as a server of one environment needs it."""

    directory: Path
    environment: EnvironmentName
    circuits: Mapping[str, Mapping[str, Circuit]]
    """As declared, by plant and circuit id."""
    board: TrafficBoard
    releases: ReleaseBook
    states: ModelStates
    tables: Mapping[str, ReadingsTable]
    open_model: Callable[[Circuit, ServedModel], Forecaster]
    holder: str
    """Who serves, as another server is told."""
    clock: Clock


def open_serving(directory: Path, environment: EnvironmentName, clock: Clock | None = None) -> OpenServing:
    """Open a fleet to serve it.

    Raises:
        Denied: Whoever runs the process may not serve in this environment.
        BadInput: The platform has servers of its own.
        InvalidFleet: The repository has mistakes.
    """
    from fleetcast.app.desk import open_fleet
    from fleetcast.pipeline.forecasters.served import OpenServed
    from fleetcast.platforms.local.endpoints import LocalEndpoints, LocalTrafficBoard
    from fleetcast.workflows.exclusive import holder

    opened = open_fleet(directory, clock)
    control, endpoints = opened.platform.control, opened.platform.workspace.endpoints
    control.require(Right.OPERATE, Scope(environment=environment))
    if not isinstance(endpoints, LocalEndpoints):
        raise BadInput("this platform has servers of its own", fix="deploy to it with `fleetcast deploy`")
    circuits = {
        plant: {circuit.key.circuit: circuit for circuit in held}
        for plant, held in groupby(opened.fleet.circuits, lambda one: one.key.plant)
    }
    return OpenServing(
        directory,
        environment,
        circuits,
        LocalTrafficBoard(endpoints, opened.fleet.settings.platform.lease),
        control.releases,
        control.states,
        opened.platform.workspace.tables,
        OpenServed.in_force(opened.platform),
        holder(control, clock or SystemClock()),
        clock or SystemClock(),
    )

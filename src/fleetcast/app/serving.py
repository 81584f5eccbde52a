"""What a process that serves forecasts is opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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


class DeclaredCircuits:
    """What a fleet's files declare, by plant and circuit id; read anew once they are others."""

    def __init__(
        self, directory: Path, clock: Clock, circuits: Sequence[Circuit], files: Sequence[str]
    ) -> None:
        """Begin with what was read.

        Args:
            directory: The fleet repository.
            clock: Tells the time.
            circuits: Sorted by their keys.
            files: What they were read from, below the directory.
        """
        self._directory = directory
        self._clock = clock
        self._take(circuits, files)

    def of(self, plant: str) -> Mapping[str, Circuit]:
        """The circuits of one plant, as they were read last."""
        return self._circuits.get(plant, {})

    def refresh(self) -> None:
        """Read the files again, if they are others than before.

        Raises:
            InvalidFleet: They have mistakes; what was read before stays.
        """
        from fleetcast.config.reader import read_fleet

        if self._seen != self._stamps():
            reading = read_fleet(self._directory, now=self._clock.now())
            self._take(reading.fleet.circuits, reading.files)

    def _take(self, circuits: Sequence[Circuit], files: Sequence[str]) -> None:
        from fleetcast.config.circuit_files import CIRCUITS_FOLDER

        self._files = (*files, CIRCUITS_FOLDER)
        self._seen = self._stamps()
        self._circuits: Mapping[str, Mapping[str, Circuit]] = {
            plant: {circuit.key.circuit: circuit for circuit in held}
            for plant, held in groupby(circuits, lambda one: one.key.plant)
        }

    def _stamps(self) -> Mapping[str, tuple[int, int]]:
        """When each file and folder was written last, and its size."""
        found = {}
        for name in self._files:
            with suppress(OSError):
                state = (self._directory / name).stat()
                found[name] = (state.st_mtime_ns, state.st_size)
        return found


@dataclass(frozen=True, slots=True)
class OpenServing:
    """A fleet as a server of one environment needs it."""

    directory: Path
    environment: EnvironmentName
    circuits: DeclaredCircuits
    board: TrafficBoard
    releases: ReleaseBook
    states: ModelStates
    tables: Mapping[str, ReadingsTable]
    open_model: Callable[[Circuit, ServedModel], Forecaster]
    holder: str
    """Who serves, as another server is told."""
    clock: Clock


def open_serving(
    directory: Path, environment: EnvironmentName, clock: Clock | None = None, *, in_container: bool = False
) -> OpenServing:
    """Open a fleet to serve it.

    Args:
        directory: The fleet repository, or a copy of its files.
        environment: Which is served.
        clock: Tells the time.
        in_container: Whether this process is a server of the platform's own.

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
    if in_container:
        # Nobody types here: whoever may give a container the database's identity has said what it serves.
        endpoints = getattr(endpoints, "rows", endpoints)
    else:
        control.require(Right.OPERATE, Scope(environment=environment))
    if not isinstance(endpoints, LocalEndpoints):
        raise BadInput("this platform has servers of its own", fix="deploy to it with `fleetcast deploy`")
    return OpenServing(
        directory,
        environment,
        DeclaredCircuits(directory, clock or SystemClock(), opened.fleet.circuits, opened.files),
        LocalTrafficBoard(endpoints, opened.fleet.settings.platform.lease),
        control.releases,
        control.states,
        opened.platform.workspace.tables,
        OpenServed.in_force(opened.platform),
        holder(control, clock or SystemClock()),
        clock or SystemClock(),
    )

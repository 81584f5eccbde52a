"""Opening the platform of a fleet alone, for whoever knows the circuits already or needs none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.database import open_database_in
from fleetcast.app.people import whoever
from fleetcast.app.platforms import Ground, lasting_door
from fleetcast.app.tables import DeclaredTables
from fleetcast.ports.clock import Clock, SystemClock
from fleetcast.ports.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fleetcast.domain.circuit import Circuit
    from fleetcast.domain.fleet import Fleet
    from fleetcast.domain.identity import CircuitKey
    from fleetcast.domain.release import Release
    from fleetcast.pipeline.fared import Fared, FaredWorse
    from fleetcast.workflows.advance_rollouts import AdvanceRollouts


def open_platform(directory: Path, clock: Clock | None = None) -> Platform:
    """The platform of a fleet in the name of whoever runs this process; its circuits are not read.

    Raises:
        InvalidFleet: The settings have mistakes.
        Denied: The token says nothing, or not any more.
        Unavailable: The platform's state cannot be read or written.
    """
    from fleetcast.config.settings_reader import load_settings
    from fleetcast.platforms.control.opening import control
    from fleetcast.platforms.database.session import Session

    clock, settings = clock or SystemClock(), load_settings(directory)
    state = directory / settings.platform.state
    database = open_database_in(state, clock, settings.signing)
    ground = Ground(directory, state, DeclaredTables(directory, settings), settings, clock)
    acts = whoever(database, settings.platform.lease, directory)
    session = Session(database, acts.actor)
    workspace = lasting_door(settings.platform.kind, None).open(ground)(session)
    return Platform(workspace, control(session, settings.platform.lease, acts.only))


def open_controller(directory: Path, clock: Clock) -> AdvanceRollouts:
    """What moves releases on, for a process that does nothing else; errors as of `open_platform`."""
    from fleetcast.config.reader import load_fleet
    from fleetcast.workflows.advance_rollouts import AdvanceRollouts

    platform = open_platform(directory, clock)
    compare = comparing_releases(platform, lambda: load_fleet(directory, now=clock.now()))
    return AdvanceRollouts(platform, clock, compare)


def comparing_releases(platform: Platform, fleet: Callable[[], Fleet]) -> FaredWorse:
    """Holding releases against what serves.

    Args:
        platform: Of the fleet.
        fleet: Gives it as declared, when there is something to compare.
    """
    from fleetcast.pipeline.fared import CompareOnce, CompareReleases
    from fleetcast.pipeline.forecasters.served import OpenServed

    def circuits() -> Mapping[CircuitKey, Circuit]:
        return {circuit.key: circuit for circuit in fleet().circuits}

    def compare(green: Release, blue: Release) -> Sequence[Fared]:
        opening = OpenServed.in_force(platform)
        return CompareReleases(circuits, platform.workspace.tables, opening)(green, blue)

    return CompareOnce(compare, platform.workspace.tables)

"""The platforms that a fleet can run on: one door for each kind."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import PlatformKind

if TYPE_CHECKING:
    from fleetcast.config.layers import Origin
    from fleetcast.domain.settings import Settings
    from fleetcast.platforms.database.session import Session
    from fleetcast.platforms.memory.world import World
    from fleetcast.ports.clock import Clock
    from fleetcast.ports.platform import Workspace
    from fleetcast.ports.readings import ReadingsTable

_log = logging.getLogger("fleetcast.steps")

WorkspaceOf = Callable[["Session"], "Workspace"]
"""What exists on one platform, as one person works with it; may be called for many people."""


class Lasts(Enum):
    """How long what a platform holds is there."""

    ON = "until somebody removes it"
    ONE_PROCESS = "as long as the process that made it"


@dataclass(frozen=True, slots=True)
class Ground:
    """What every platform is opened with."""

    directory: Path
    """The fleet repository."""
    state: Path
    """The folder where it may keep things."""
    tables: Mapping[str, ReadingsTable]
    """Tables of readings, by the name of the data source."""
    settings: Settings
    clock: Clock


@dataclass(frozen=True, slots=True)
class Door:
    """How one kind of platform is opened."""

    open: Callable[[Ground], WorkspaceOf]
    lasts: Lasts


def _local(ground: Ground) -> WorkspaceOf:
    from fleetcast.platforms.local.platform import local_workspace

    settings = ground.settings

    def workspace(session: Session) -> Workspace:
        return local_workspace(
            session, ground.state, ground.tables, settings.platform, foreign=settings.foreign
        )

    return workspace


def _memory(ground: Ground) -> WorkspaceOf:
    from fleetcast.platforms.memory.world import World

    return memory_of(ground, World())


def memory_of(ground: Ground, world: World) -> WorkspaceOf:
    """The platform in memory over what is there already."""
    from fleetcast.platforms.memory.platform import memory_workspace

    def workspace(session: Session) -> Workspace:
        return memory_workspace(session, world, ground.tables, ground.state, clock=ground.clock)

    return workspace


def _azureml(ground: Ground) -> WorkspaceOf:
    from fleetcast.platforms.azureml.platform import azure_fleet, azure_workspace

    settings = ground.settings
    fleet = azure_fleet(settings, ground.directory, os.environ)

    def workspace(session: Session) -> Workspace:
        return azure_workspace(session, fleet, ground.state, ground.tables, settings.foreign)

    return workspace


DOORS: Mapping[PlatformKind, Door] = {
    PlatformKind.LOCAL: Door(_local, Lasts.ON),
    PlatformKind.MEMORY: Door(_memory, Lasts.ONE_PROCESS),
    PlatformKind.AZUREML: Door(_azureml, Lasts.ON),
}


def door(kind: PlatformKind, written: Origin | None, doors: Mapping[PlatformKind, Door] = DOORS) -> Door:
    """The door to a kind of platform.

    Args:
        kind: What the fleet's settings name.
        written: Where they do; None: they do not.
        doors: All there are.

    Raises:
        BadInput: This program cannot open such a platform.
    """
    if kind not in doors:
        raise BadInput(
            f"{_place(written)}the platform {kind.value!r} cannot be opened by this program",
            fix=f"known are {', '.join(known.value for known in doors)}",
        )
    _log.debug("platform: %s", kind.value)
    return doors[kind]


def lasting_door(
    kind: PlatformKind, written: Origin | None, doors: Mapping[PlatformKind, Door] = DOORS
) -> Door:
    """The door to a platform that is still there for the next command; arguments as of `door`.

    Raises:
        BadInput: This program cannot open such a platform, or it would be gone with this process.
    """
    found = door(kind, written, doors)
    if found.lasts is not Lasts.ON:
        lasting = " or ".join(
            f"`kind: {known.value}`" for known, each in doors.items() if each.lasts is Lasts.ON
        )
        raise BadInput(
            f"{_place(written)}the platform {kind.value!r} does not outlive a command",
            fix=f"write {lasting} there",
        )
    return found


def _place(written: Origin | None) -> str:
    return "" if written is None else f"{written}: "

"""Opening a fleet: once for a process, and then for each person who works with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.database import open_database_in
from fleetcast.app.fleet import FilesOf, OpenFleet, no_files, state_of
from fleetcast.app.people import whoami, whoever
from fleetcast.app.platforms import Ground, WorkspaceOf, lasting_door
from fleetcast.app.tables import DeclaredTables
from fleetcast.config.reader import read_fleet
from fleetcast.domain.audit import Actor
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.role import Right
from fleetcast.ports.clock import Clock, SystemClock
from fleetcast.ports.platform import Platform

if TYPE_CHECKING:
    from fleetcast.config.not_used_yet import UnusedSetting
    from fleetcast.platforms.database.control import ControlDatabase


@dataclass(frozen=True, slots=True)
class Desk:
    """A fleet, its tables and its control database, opened once for everybody whom a process serves.

    The fleet is as it was declared when the desk was opened; after a commit, open another.
    """

    directory: Path
    fleet: Fleet
    database: ControlDatabase
    workspace_of: WorkspaceOf
    clock: Clock
    unused: tuple[UnusedSetting, ...] = ()
    """What the settings write and nothing uses yet."""
    scratch: Path | None = None
    """As of `OpenFleet`."""
    files: tuple[str, ...] = ()
    """As of `OpenFleet`."""
    files_of: FilesOf = no_files
    """As of `OpenFleet`."""

    def as_(self, actor: Actor, only: frozenset[Right] = frozenset()) -> OpenFleet:
        """The fleet in one person's name.

        Each call begins a session of its own: a lease that one holds fences nobody else, so two things that one
        person does at the same time are two calls. Threads may share the desk, not what this gives.

        Args:
            actor: Who acts.
            only: What their token reaches to, at most; empty: all that they may.
        """
        from fleetcast.platforms.control.opening import control
        from fleetcast.platforms.database.session import Session

        session = Session(self.database, actor)
        platform = Platform(
            self.workspace_of(session), control(session, self.fleet.settings.platform.lease, only)
        )
        return OpenFleet(
            self.directory,
            self.fleet,
            platform,
            self.clock,
            self.unused,
            self.scratch,
            self.files,
            self.files_of,
        )


def open_desk(directory: Path, clock: Clock | None = None, database: ControlDatabase | None = None) -> Desk:
    """Read a fleet repository, and open its database and the platform that its settings name.

    Args:
        directory: The fleet repository.
        clock: Tells the time.
        database: Its control database, where it is open already.

    Raises:
        InvalidFleet: The repository has mistakes; all of them are named.
        BadInput: The platform cannot be opened, does not outlive a command, or belongs to another version.
        Unavailable: The platform's state cannot be read or written.
    """
    clock = clock or SystemClock()
    reading = read_fleet(directory, now=clock.now())
    fleet = reading.fleet
    opening = lasting_door(fleet.settings.platform.kind, reading.setting("platform", "kind"))
    state = state_of(directory, fleet)
    database = database or open_database_in(state, clock, fleet.settings.signing)
    ground = Ground(directory, state, DeclaredTables(directory, fleet.settings), fleet.settings, clock)
    desk = Desk(
        directory,
        fleet,
        database,
        opening.open(ground),
        clock,
        reading.unused,
        files=reading.files,
        files_of=reading.deciding_files().__getitem__,
    )
    return _ready(desk)


def open_fleet(directory: Path, clock: Clock | None = None) -> OpenFleet:
    """Open a fleet for the one command that this process runs, in the name of whoever its token or user says.

    Errors as of `open_desk`.

    Raises:
        Denied: The token says nothing, or not any more.
    """
    desk = open_desk(directory, clock)
    acts = whoever(desk.database, desk.fleet.settings.platform.lease, directory)
    return desk.as_(acts.actor, acts.only)


def _ready(desk: Desk) -> Desk:
    """Put a new fleet's gate policies in force, in the name of whoever runs this process."""
    desk.as_(whoami()).platform.control.policies.take_first(desk.fleet.settings.gates)
    return desk

"""The control database of a fleet: where it is, and looking after it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.platforms.database.backend import Backend
    from fleetcast.platforms.database.control import ControlDatabase


def open_database(directory: Path) -> ControlDatabase:
    """The control database of a fleet, whatever its schema.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
    """
    from fleetcast.config.reader import load_settings
    from fleetcast.platforms.database.control import ControlDatabase

    backend = _backend(directory / load_settings(directory).platform.state)
    return ControlDatabase(backend, clock=SystemClock())


def open_database_in(state: Path, clock: Clock) -> ControlDatabase:
    """The control database of a fleet with this state directory, in this program's schema.

    Raises:
        Unavailable: It does not answer, or the directory cannot be written.
        BadInput: Another version of fleetcast made it.
    """
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.database.migrate import ensure_schema

    database = ControlDatabase(_backend(state), clock=clock)
    ensure_schema(database)
    return database


def open_scratch_database(scratch: Path, clock: Clock) -> ControlDatabase:
    """A database of its own in a scratch folder, whatever the environment names."""
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.database.migrate import ensure_schema
    from fleetcast.platforms.database.sqlite import sqlite

    database = ControlDatabase(sqlite(scratch / "control.db"), clock=clock)
    ensure_schema(database)
    return database


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """How a control database stands."""

    address: str
    schema: str | None
    """None: it is empty."""
    newest_schema: str
    """What this program knows."""
    holders: Mapping[str, str]
    """Who holds which lease; none where the schema is another."""


def look_at_database(directory: Path) -> DatabaseState:
    """Look at the control database of a fleet; changes nothing. Errors as of `open_database`."""
    from fleetcast.platforms.database import schema
    from fleetcast.platforms.database.leases import holders
    from fleetcast.platforms.database.migrate import schema_number

    database = open_database(directory)
    found = schema_number(database)
    held = holders(database) if found == schema.NUMBER else {}
    return DatabaseState(database.backend.address, found, schema.NUMBER, held)


def upgrade_database(directory: Path) -> tuple[str, tuple[str, ...]]:
    """Bring the control database of a fleet to this program's schema.

    Returns:
        Its address, and the migrations done.

    Raises:
        BadInput: The database is newer than this program; nothing was written.
    """
    from fleetcast.platforms.database.migrate import upgrade

    database = open_database(directory)
    return database.backend.address, upgrade(database)


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """One control database copied to another."""

    source: str
    """Its address."""
    target: str
    rows: Mapping[str, int]
    """By table."""


def copy_own_database(directory: Path) -> DatabaseCopy:
    """Copy the file that a fleet keeps in its state directory to the empty server that the environment names.

    Raises:
        BadInput: There is no such file or server, somebody is at work there, or the target holds something.
    """
    from fleetcast.platforms.database.copying import copy

    source, target = open_own_database(directory), open_database(directory)
    if source.backend.address == target.backend.address:
        raise BadInput(
            "the environment names no server to copy to", fix="set FLEETCAST_DATABASE_URL=postgresql://…"
        )
    return DatabaseCopy(source.backend.address, target.backend.address, copy(source, target))


def open_own_database(directory: Path) -> ControlDatabase:
    """The file that a fleet keeps in its state directory, whatever the environment names.

    Raises:
        BadInput: There is no such file.
    """
    from fleetcast.config.reader import load_settings
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.database.sqlite import sqlite

    path = directory / load_settings(directory).platform.state / "control.db"
    if not path.is_file():
        raise BadInput(f"there is no {path}", fix="name the fleet's folder with --fleet")
    return ControlDatabase(sqlite(path), clock=SystemClock())


def _backend(state: Path) -> Backend:
    """The database that the environment names; where it names none, a file in the state directory."""
    address = os.environ.get(DATABASE_URL_VARIABLE)
    if address:
        from fleetcast.platforms.database.postgres import postgres

        return postgres(address)
    from fleetcast.platforms.database.sqlite import sqlite

    return sqlite(state / "control.db")

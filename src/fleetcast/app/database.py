"""The control database of a fleet: where it is, and looking after it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.people import whoami
from fleetcast.domain.audit import GENESIS, Mark
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, SigningSettings
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.domain.location import Location
    from fleetcast.platforms.database.backend import Backend
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.ports.checkpoints import Checkpoints
    from fleetcast.ports.signing import Sealing

_log = logging.getLogger("fleetcast.steps")


def open_database(directory: Path) -> ControlDatabase:
    """The control database of a fleet, whatever its schema.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
    """
    from fleetcast.config.settings_reader import load_settings

    settings = load_settings(directory)
    return _database(_backend(directory / settings.platform.state), settings.signing)


def open_database_in(state: Path, clock: Clock, signing: SigningSettings) -> ControlDatabase:
    """The control database of a fleet with this state directory, in this program's schema.

    Raises:
        Unavailable: It does not answer, or the directory cannot be written.
        BadInput: Another version of fleetcast made it.
        HistoryLost: It is known to have held more than it does now.
    """
    from fleetcast.platforms.database.backups import check_history
    from fleetcast.platforms.database.migrate import ensure_schema

    database = _database(_backend(state), signing, clock)
    _log.debug("control database: %s", database.backend.address)
    ensure_schema(database)
    check_history(database)
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


@dataclass(frozen=True, slots=True)
class DatabaseBackup:
    """A backup that was made."""

    path: Path
    entries: int
    """Of its audit log."""
    also: tuple[Path, ...]
    """Folders with files that the database names, which the backup does not hold."""


def back_up_database(directory: Path, target: Path) -> DatabaseBackup:
    """Copy the file in which a fleet keeps its control database, while it is in use.

    Raises:
        BadInput: A server keeps it, there is none, or the target exists.
        Unavailable: The copy cannot be written; there is none then.
    """
    from fleetcast.platforms.database.backups import back_up

    state, _ = _own_state(directory, f"pg_dump --format=custom --file={target}")
    made = back_up(state / "control.db", target)
    also = tuple(state / name for name in ("readings", "artifacts", "frozen") if (state / name).is_dir())
    return DatabaseBackup(made.path, made.last.number, also)


@dataclass(frozen=True, slots=True)
class DatabaseRestored:
    """What a restored database holds."""

    address: str
    entries: int
    """Of the backup's audit log."""
    aside: Path | None
    """Where a file was set aside that could not be read any more."""


def restore_database(directory: Path, source: Path, *, replace: bool) -> DatabaseRestored:
    """Make a fleet's control database what a backup holds, and write so into its audit log.

    Args:
        directory: The fleet repository.
        source: The backup.
        replace: Whether entries that the backup lacks may be lost.

    Raises:
        BadInput: A server keeps it, somebody is at work there, the file is no backup, or it lacks what is there.
        Unavailable: It cannot be written; nothing changed.
    """
    from fleetcast.domain.happened import history_restored
    from fleetcast.platforms.database.backups import (
        check_idle,
        check_replaceable,
        put_back,
        read_backup,
    )
    from fleetcast.platforms.database.marks import last_mark
    from fleetcast.platforms.database.migrate import ensure_schema
    from fleetcast.platforms.database.session import Session
    from fleetcast.platforms.database.sqlite import sqlite

    state, signing = _own_state(
        directory, f"pg_restore --clean --if-exists --single-transaction --dbname=… {source}"
    )
    path = state / "control.db"
    backup = read_backup(source)
    before: Mark | None = None
    if path.exists():
        there = _database(sqlite(path), signing)
        try:
            if replace:
                check_idle(there)
            else:
                check_replaceable(there, backup)
            before = there.read(last_mark)
        except Unavailable:
            if not replace:
                raise
    state.mkdir(parents=True, exist_ok=True)
    aside = put_back(backup, path)
    database = _database(sqlite(path), signing)
    ensure_schema(database)
    witness = database.backend.witness
    known = witness.seen() if witness is not None else None
    if known is not None and (before is None or known.number > before.number):
        before = known
    database.accept(backup.last)
    Session(database, whoami()).tell([history_restored(source.name, before, backup.last)])
    return DatabaseRestored(str(path), backup.last.number, aside)


def accept_loss(directory: Path) -> tuple[int, int] | None:
    """Go on with a control database that is known to have held more, and write so into its audit log.

    Returns:
        Up to which entry it was known to have come, and to which it has; None if nothing is missing.

    Raises:
        BadInput: A server keeps it.
    """
    from fleetcast.domain.checkpoint import BegunAnew, Held, Lost
    from fleetcast.domain.errors import HistoryLost
    from fleetcast.domain.happened import loss_accepted
    from fleetcast.platforms.database.backups import check_checkpoint, check_history
    from fleetcast.platforms.database.marks import last_mark
    from fleetcast.platforms.database.migrate import ensure_schema
    from fleetcast.platforms.database.session import Session
    from fleetcast.platforms.database.sqlite import sqlite

    state, signing = _own_state(directory, "the backups of the server")
    path = state / "control.db"
    database = _database(sqlite(path), signing)
    ensure_schema(database)
    held = check_checkpoint(database)
    try:
        check_history(database)
        if held is None or isinstance(held, Held):
            return None
    except HistoryLost:
        pass
    witness = database.backend.witness
    known = witness.seen() if witness is not None else None
    up_to = max(known.number if known else 0, held.entry if isinstance(held, Lost | BegunAnew) else 0)
    there = database.read(last_mark)
    database.accept(there or Mark(0, GENESIS))
    Session(database, whoami()).tell([loss_accepted(known, there)])
    return up_to, (there.number if there else 0)


def _own_state(directory: Path, instead: str) -> tuple[Path, SigningSettings]:
    """The state directory of a fleet that keeps its control database there, and whose seals count.

    Raises:
        BadInput: A server keeps it; the text says what to use instead.
    """
    from fleetcast.config.settings_reader import load_settings

    if os.environ.get(DATABASE_URL_VARIABLE):
        raise BadInput(
            f"{DATABASE_URL_VARIABLE} names a PostgreSQL server, which has tools of its own",
            fix=f"use {instead}",
        )
    settings = load_settings(directory)
    return directory / settings.platform.state, settings.signing


def open_own_database(directory: Path) -> ControlDatabase:
    """The file that a fleet keeps in its state directory, whatever the environment names.

    Raises:
        BadInput: There is no such file.
    """
    from fleetcast.config.settings_reader import load_settings
    from fleetcast.platforms.database.sqlite import sqlite

    settings = load_settings(directory)
    path = directory / settings.platform.state / "control.db"
    if not path.is_file():
        raise BadInput(f"there is no {path}", fix="name the fleet's folder with --fleet")
    return _database(sqlite(path), settings.signing)


def _database(backend: Backend, signing: SigningSettings, clock: Clock | None = None) -> ControlDatabase:
    """Whose log is sealed by the key of this process, and believed where a key that counts has sealed it."""
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.signing.sealing import own_sealing

    clock = clock or SystemClock()
    sealing = own_sealing(clock, os.environ, signing.trusted)
    return ControlDatabase(
        backend,
        clock=clock,
        sealing=sealing,
        checkpoints=_checkpoints(signing.checkpoints, sealing),
    )


def _checkpoints(place: Location | None, sealing: Sealing) -> Checkpoints:
    """What remembers how far the log has come, at a place, or for this user."""
    if place is None or place.folder is not None:
        from fleetcast.platforms.checkpoints.folder import FolderCheckpoints

        return FolderCheckpoints(lambda: (place and place.folder) or _own_checkpoints())
    from fleetcast.domain.manifest import Signed
    from fleetcast.platforms.checkpoints.objects import ObjectCheckpoints

    return ObjectCheckpoints(
        place, lambda held: isinstance(sealing.verdict(held.seal.mark, held.seal), Signed)
    )


def _own_checkpoints() -> Path:
    from fleetcast.platforms.signing.user_state import user_state

    return user_state(os.environ) / "checkpoints"


def _backend(state: Path) -> Backend:
    """The database that the environment names; where it names none, a file in the state directory."""
    address = os.environ.get(DATABASE_URL_VARIABLE)
    if address:
        from fleetcast.platforms.database.postgres import postgres

        return postgres(address)
    from fleetcast.platforms.database.sqlite import sqlite

    return sqlite(state / "control.db")

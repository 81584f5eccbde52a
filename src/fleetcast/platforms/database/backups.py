"""Copies of the control database of one machine: made while it is in use, and put back; and what was lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from fleetcast.domain.audit import GENESIS, Mark
from fleetcast.domain.checkpoint import BegunAnew, CheckpointVerdict, Held, Lost, Unsound
from fleetcast.domain.errors import BadInput, HistoryLost, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import seal_in_words
from fleetcast.domain.wording import counted
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.leases import holders
from fleetcast.platforms.database.marks import first_digest, holds, last_mark
from fleetcast.platforms.database.migrate import known_schemas
from fleetcast.stored.durable import has_room, partial_beside, publish

_WAIT_SECONDS = 30.0
_NOTHING = Mark(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a control database in one file."""

    path: Path
    last: Mark
    """The last entry of its audit log."""


def check_history(database: ControlDatabase) -> None:
    """Make sure that a database holds what it is known to have held; one small file and one row are read.

    Raises:
        HistoryLost: It was set back, or another was put in its place.
    """
    mark = database.read(lambda connection: _lost(database, connection))
    if mark is None:
        return
    last = database.read(last_mark) or _NOTHING
    lost = mark.number - last.number
    how = (
        f"its log ends with entry {last.number}, {lost} fewer" if lost > 0 else "that entry is another there"
    )
    raise HistoryLost(
        f"entry {mark.number} of the audit log, which was written here ({how}),",
        fix="`fleetcast database restore FILE` puts a backup back; `fleetcast database accept-loss` goes on with "
        "what is there",
    )


def _lost(database: ControlDatabase, connection: Connection) -> Mark | None:
    """What the log is known to have held and does not; the checkpoint of another log in the same place says nothing."""
    witness, known = database.backend.witness, []
    if witness is not None and (seen := witness.seen()) is not None:
        known.append(seen)
    held = None if database.checkpoints is None else database.checkpoints.latest(database.place)
    if held is not None and held.first == first_digest(connection):
        known.append(held.seal.mark)
    lost = [mark for mark in known if not holds(connection, mark)]
    return max(lost, key=lambda mark: mark.number, default=None)


def check_checkpoint(database: ControlDatabase) -> CheckpointVerdict | None:
    """What the last checkpoint says of the log; None if there is none, and nothing was ever logged."""
    held = None if database.checkpoints is None else database.checkpoints.latest(database.place)
    odd = () if database.checkpoints is None else tuple(database.checkpoints.odd(database.place))
    if held is None:
        return Unsound(f"says nothing: nobody who is trusted wrote {', '.join(odd)}") if odd else None
    mark, at = held.seal.mark, held.seal.signature.made_at
    if wrong := seal_in_words(database.sealing.verdict(mark, held.seal)):
        return Unsound(wrong)

    def look(connection: Connection) -> CheckpointVerdict:
        last = last_mark(connection) or _NOTHING
        first = first_digest(connection)
        if first is not None and first != held.first:
            return BegunAnew(mark.number, at)
        if not holds(connection, mark):
            return Lost(mark.number, at, last.number)
        assumes = "" if database.checkpoints is None else database.checkpoints.assumes
        return Held(mark.number, at, _is_independent(database), assumes, odd)

    return database.read(look)


def _is_independent(database: ControlDatabase) -> bool:
    """Whether somebody else than the database's owner keeps the checkpoint, as far as this machine can tell."""
    if database.backend.shared or database.checkpoints is None:
        return database.backend.shared
    with suppress(OSError):
        return database.checkpoints.keeper() != Path(database.backend.address).stat().st_uid
    return False


def back_up(database: Path, target: Path) -> Backup:
    """Copy a database file with all that is committed, while others may write to it.

    Raises:
        BadInput: There is no such database, or the target exists.
        Unavailable: The copy cannot be made or is damaged; there is none then.
    """
    if not database.is_file():
        raise BadInput(f"there is no {database}", fix="name the fleet's folder with --fleet")
    if target.exists():
        raise BadInput(f"{target} is there already", fix="name a new file")
    partial = partial_beside(target)
    try:
        with _said_by_sqlite(target), closing(_opened(database)) as source, closing(_opened(partial)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        made = read_backup(partial)
        publish(partial, target)
    except OSError as error:
        raise Unavailable(f"cannot write {target}: {error.strerror}", fix="choose another folder") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return Backup(target, made.last)


def read_backup(path: Path) -> Backup:
    """Look at a backup from end to end.

    Raises:
        BadInput: It is no control database, or a newer fleetcast made it.
        Unavailable: It is damaged.
    """
    if not path.is_file():
        raise BadInput(f"there is no {path}", fix="name the file that `fleetcast database backup` wrote")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            schema = copy.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0]
            row = copy.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise BadInput(f"{path} is no control database: {error}", fix="name another backup") from error
    if said != "ok":
        raise Unavailable(f"{path} is damaged: {said}", fix="name another backup")
    if schema not in known_schemas():
        raise BadInput(
            f"{path} has schema {schema}, which this fleetcast does not know", fix="update fleetcast"
        )
    return Backup(path, Mark(row[0], Digest(row[1])) if row else _NOTHING)


def check_replaceable(database: ControlDatabase, backup: Backup) -> None:
    """Make sure that putting a backup back loses nothing, and disturbs nobody.

    Raises:
        BadInput: Somebody is at work, or the database holds entries that the backup lacks.
    """
    check_idle(database)
    last = database.read(last_mark) or _NOTHING
    if last.number > backup.last.number:
        more = counted(last.number - backup.last.number, "entry of the audit log", "entries of the audit log")
        raise BadInput(
            f"the control database holds {more} that {backup.path} lacks",
            fix="they would be lost: back it up first, then restore with --replace",
        )
    same = last.number == 0 or _holds_too(backup.path, last)
    if not same:
        raise BadInput(
            f"the control database and {backup.path} hold different histories",
            fix="one would be lost: back it up first, then restore with --replace",
        )


def check_idle(database: ControlDatabase) -> None:
    """Make sure that nobody runs stages.

    Raises:
        BadInput: Somebody does.
    """
    if running := holders(database):
        raise BadInput(
            f"somebody is at work there: {', '.join(running.values())}",
            fix="wait for it, or stop that process",
        )


def put_back(backup: Backup, database: Path) -> Path | None:
    """Make a database what a backup holds, in one transaction that others see whole or not at all.

    Returns:
        Where a file was set aside that is no database any more; None if there was none.

    Raises:
        Unavailable: The disk is full, or another process keeps the database locked; nothing changed.
    """
    aside = None
    try:
        with _said_by_sqlite(database):
            _fill(backup.path, database)
    except NotADatabase:
        aside = _set_aside(database)
        with _said_by_sqlite(database):
            _fill(backup.path, database)
    return aside


class NotADatabase(Unavailable):
    """A file that SQLite cannot read any more."""


def _fill(source: Path, target: Path) -> None:
    with closing(_opened(source)) as copy, closing(_opened(target)) as live:
        live.execute("PRAGMA journal_mode=WAL")
        copy.backup(live)


def _set_aside(database: Path) -> Path:
    """Keep what cannot be read: somebody may rescue more of it."""
    number = 1
    while (aside := database.with_name(f"{database.name}.damaged-{number}")).exists():
        number += 1
    for ending in ("-wal", "-shm", ""):
        part = database.with_name(database.name + ending)
        if part.exists():
            part.replace(aside.with_name(aside.name + ending))
    return aside


def _holds_too(path: Path, mark: Mark) -> bool:
    with closing(_opened(path)) as copy:
        row = copy.execute("SELECT digest FROM audit WHERE number = ?", (mark.number,)).fetchone()
    return row is not None and row[0] == mark.digest.hex


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)


@contextmanager
def _said_by_sqlite(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise NotADatabase(
                f"{path} cannot be read: {why(error)}", fix="restore a backup with --replace"
            ) from error
        said = why(error) if has_room(path) else "the disk is full"
        raise Unavailable(
            f"cannot write {path}: {said}", fix="check the disk, and who else uses it"
        ) from error

"""The control database of one machine: a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from fleetcast.domain.errors import HistoryLost, Unavailable
from fleetcast.domain.lease import Reach
from fleetcast.platforms.database.backend import HALF_MIGRATED, Fate
from fleetcast.platforms.database.network_files import check_local
from fleetcast.platforms.database.schema import metadata
from fleetcast.platforms.database.witness import Witness
from fleetcast.stored.durable import has_room, make_private_folder
from fleetcast.stored.form import RESTORE

BUSY_TIMEOUT = timedelta(seconds=10)
"""How long to wait for another process to finish its transaction."""

_NO_TEXT = "Could not decode to UTF-8"
_HINTS = {
    "locked": "another process is writing; wait for it, or stop it",
    "readonly": "make the disk and the database file writable",
    "disk is full": "free some disk space",
    "disk I/O": "check the disk",
    "unable to open": "check that the folder exists and is writable",
    "not a database": "restore the control database from a backup",
    "malformed": "restore the control database from a backup",
    "no such table": HALF_MIGRATED,
    "no such column": HALF_MIGRATED,
    "already exists": HALF_MIGRATED,
    "duplicate column": HALF_MIGRATED,
}


_FILE = "file opened"
"""Where a connection notes which file it has opened."""


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A file that several processes of one machine may use at the same time."""

    engine: Engine
    address: str
    uptime: Callable[[], float] = time.monotonic
    """Seconds since the machine's boot, the same for all its processes; nobody sets that clock."""
    shared: bool = False
    reach: Reach = Reach.ONE_MACHINE

    @property
    def witness(self) -> Witness:
        """A file beside it."""
        path = Path(self.address)
        return Witness(path.with_suffix(".witness"))

    def begin_reading(self, connection: Connection) -> None:
        """Take a snapshot with the first statement that reads."""
        self._check_file(connection)
        connection.exec_driver_sql("BEGIN")

    def begin_changing(self, connection: Connection) -> str:
        """Take the file's only right to write at once, not at the first statement that writes."""
        self._check_file(connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return ""

    def _check_file(self, connection: Connection) -> None:
        """What is written to a file that another has taken the place of would be lost in silence."""
        opened = connection.info.setdefault(_FILE, _file(Path(self.address)))
        if opened != _file(Path(self.address)):
            connection.invalidate()
            raise HistoryLost(f"the file {self.address} as this process had opened it")

    def fate(self, connection: Connection, ticket: str) -> Fate:
        """What became of an unseen commit: never asked, as a file's commits are always seen."""
        raise NotImplementedError

    def now(self, connection: Connection) -> float:  # noqa: ARG002  # a file has no clock
        """The machine's seconds since its boot, without those that it slept."""
        return self.uptime()

    def is_lost(self, error: sa.exc.DBAPIError) -> bool:  # noqa: ARG002  # a file has no connection to lose
        """Never: a file is there or it is not."""
        return False

    def explain(self, error: sa.exc.DBAPIError) -> Unavailable:
        """What SQLite says, and what to do."""
        said = str(error.orig)
        if _NO_TEXT in said and (place := _place_of_no_text(Path(self.address))):
            return Unavailable(f"{place} cannot be read: it holds bytes that are no text", fix=RESTORE)
        fix = next(
            (hint for sign, hint in _HINTS.items() if sign in said), "see whether the file is in order"
        )
        if "disk I/O error" in said and not has_room(Path(self.address)):
            said = "the disk is full"
            fix = _HINTS[said.removeprefix("the ")]
        return Unavailable(f"the control database in {self.address} refuses: {said}", fix=fix)


def sqlite(
    path: Path, *, busy_timeout: timedelta = BUSY_TIMEOUT, uptime: Callable[[], float] = time.monotonic
) -> Sqlite:
    """The SQLite database at `path`, made on first use.

    Raises:
        Unavailable: Its folder cannot be written, or other machines can write it too.
    """
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise Unavailable(
            f"cannot make {path.parent}: {error.strerror}", fix="check the disk and its rights"
        ) from error
    check_local(path.parent)
    # SQLite would make it as the umask says; the files that it keeps beside it have the rights of this one. One that is
    # there is not opened: closing it would end the locks that other connections of this process hold.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    url = sa.URL.create("sqlite", database=str(path))  # as text, `?` and `%` in the path would mean something
    engine = sa.create_engine(url, connect_args={"timeout": busy_timeout.total_seconds()})
    sa.event.listen(engine, "connect", _prepare)
    return Sqlite(engine, str(path), uptime)


def _file(path: Path) -> tuple[int, int]:
    """Which file is there at the moment."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _place_of_no_text(path: Path) -> str:
    """The first row that holds bytes that are no text; empty if there is none. Only looked for once one was met."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        for table in metadata.sorted_tables:
            keys = [column.name for column in table.primary_key]
            query = f"SELECT {', '.join([*keys, '*'])} FROM {table.name}"  # noqa: S608  # our own names
            for row in connection.execute(query):
                if not all(map(_is_text, row)):
                    return f"{table.name} {' '.join(map(_in_words, row[: len(keys)]))}"
    return ""


def _is_text(value: object) -> bool:
    """Whether a value is no bytes, or bytes of a text."""
    try:
        return not isinstance(value, bytes) or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _in_words(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _prepare(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # sqlite3.Connection, handed over as object
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions are begun by us
    # FULL: a commit is on the disk before it is acknowledged, whoever else holds the file open.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

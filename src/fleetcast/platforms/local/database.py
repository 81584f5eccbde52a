"""The control database: where a transaction begins, and where its audit entries join it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, chained
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.pipeline.stored import AUDIT_ENTRY
from fleetcast.platforms.local import schema
from fleetcast.ports.clock import Clock

BUSY_TIMEOUT = timedelta(seconds=10)
"""How long SQLite waits for another process to finish its transaction."""


class ControlDatabase:
    """Opens transactions. A change and its audit entries are written together or not at all.

    The database's connections are closed when nobody holds this object any more.
    """

    def __init__(self, engine: Engine, *, actor: Actor, clock: Clock) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)
        self.actor = actor
        self.clock = clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view for reading.

        Raises:
            Unavailable: The database does not answer, is locked, or is damaged.
        """
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that holds the right to write from its beginning; rolled back on any error.

        Raises:
            Unavailable: The database is locked, read-only or damaged, or the disk is full; nothing changed.
        """
        with self._translated(), self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def audit(self, connection: Connection, events: Sequence[AuditEvent]) -> None:
        """Chain events to the audit log, inside the transaction that makes them true."""
        if not events:
            return
        last = connection.execute(
            sa.select(schema.audit.c.number, schema.audit.c.digest)
            .order_by(schema.audit.c.number.desc())
            .limit(1)
        ).first()
        number, previous = (last.number, Digest(last.digest)) if last else (0, GENESIS)
        now = self.clock.now()
        rows = []
        for event in events:
            number += 1
            entry = chained(number, now, self.actor, event, previous)
            previous = entry.digest
            rows.append({"number": number, "digest": entry.digest.hex, "content": AUDIT_ENTRY.to_json(entry)})
        connection.execute(sa.insert(schema.audit), rows)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DBAPIError as error:
            raise _unavailable(error) from error


def open_database(
    path: Path, *, actor: Actor, clock: Clock, busy_timeout: timedelta = BUSY_TIMEOUT
) -> ControlDatabase:
    """Open the SQLite control database at `path`, made on first use.

    Raises:
        Unavailable: The file or its folder cannot be written, or is not a database.
        BadInput: Another version of fleetcast made it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"cannot make {path.parent}: {error.strerror}", fix="check the disk and its rights"
        ) from error
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": busy_timeout.total_seconds()})
    sa.event.listen(engine, "connect", _prepare)
    database = ControlDatabase(engine, actor=actor, clock=clock)
    _ensure_schema(database)
    return database


def chunks(values: Sequence[str], size: int = 5_000) -> Iterator[Sequence[str]]:
    """Cut a long list of keys into pieces that one query can carry."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class LocalAuditLog:
    """Reads the audit log back."""

    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def entries(self) -> Sequence[AuditEntry]:
        """All entries, oldest first."""
        query = sa.select(schema.audit.c.number, schema.audit.c.content).order_by(schema.audit.c.number)
        with self._database.reading() as connection:
            return [_entry(row.number, row.content) for row in connection.execute(query)]


def _entry(number: int, content: str) -> AuditEntry:
    try:
        return AUDIT_ENTRY.from_json(content)
    except ValueError as error:
        raise BadInput(
            f"audit entry {number} cannot be read",
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        ) from error


def _prepare(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # sqlite3.Connection, handed over as object
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions are begun by us
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _ensure_schema(database: ControlDatabase) -> None:
    with database.reading() as connection:
        found = _version(connection)
    if found is None:
        with database.changing() as connection:
            found = _version(connection)
            if found is None:
                schema.metadata.create_all(connection)
                connection.execute(sa.insert(schema.schema_version).values(version=schema.SCHEMA_VERSION))
                found = schema.SCHEMA_VERSION
    if found != schema.SCHEMA_VERSION:
        raise BadInput(
            f"the control database has schema {found}, this fleetcast knows schema {schema.SCHEMA_VERSION}",
            fix="use the fleetcast version that made it",
        )


def _version(connection: Connection) -> int | None:
    if not sa.inspect(connection).has_table("schema_version"):
        return None
    return connection.execute(sa.select(sa.func.max(schema.schema_version.c.version))).scalar()


def _unavailable(error: sa.exc.DBAPIError) -> Unavailable:
    said = str(error.orig)
    hints = {
        "locked": "another process is writing; wait for it, or stop it",
        "readonly": "make the disk and the database file writable",
        "disk is full": "free some disk space",
        "disk I/O": "check the disk",
        "unable to open": "check that the folder exists and is writable",
        "not a database": "restore the control database from a backup",
        "malformed": "restore the control database from a backup",
    }
    fix = next(
        (hint for sign, hint in hints.items() if sign in said), "see whether the database is reachable"
    )
    return Unavailable(f"the control database refuses: {said}", fix=fix)

"""The control database: where a transaction begins, and where its audit entries join it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, chained
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.pipeline.stored import AUDIT_ENTRY
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.backend import Backend
from fleetcast.ports.clock import Clock
from fleetcast.ports.runs import RunTakenOver

PATIENCE = timedelta(minutes=2)
"""How long a program that has reached the database before waits for it to come back."""
FIRST_PATIENCE = timedelta(seconds=5)
"""How long it waits for the first answer."""
_PAUSE = timedelta(milliseconds=200)

T = TypeVar("T")
P = ParamSpec("P")
Work = Callable[[Connection], T]


class ConnectionLost(Unavailable):
    """The database went away before the end; the transaction can be tried again."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a process that holds a lease shows before each change: its number must still be the newest."""

    lease: str
    token: int


class ControlDatabase:
    """Runs transactions. A change and its audit entries are written together or not at all.

    Where the connection is lost, a transaction is tried again from its beginning, so it must have no effect
    outside the database; one that was committed unseen is not repeated. The database's connections are closed
    when nobody holds this object any more.
    """

    def __init__(self, backend: Backend, *, actor: Actor, clock: Clock) -> None:
        self.backend = backend
        weakref.finalize(self, backend.engine.dispose)
        self.actor = actor
        self.clock = clock
        self.fence: Fence | None = None
        self._patience = FIRST_PATIENCE

    def read(self, work: Work[T]) -> T:
        """Run `work` on a consistent view.

        Raises:
            Unavailable: The database does not answer, is locked, or is damaged.
        """

        def once(connection: Connection) -> T:
            self.backend.begin_reading(connection)
            return work(connection)

        return self._patiently(lambda: self._connected(once))

    def change(self, work: Work[T], *, patience: timedelta | None = None) -> T:
        """Run `work` in a transaction that alone may write from its beginning; undone on any error.

        Args:
            work: Is handed the connection.
            patience: How long to wait for a database that is away; None: as usual.

        Raises:
            Unavailable: The database is locked, read-only or damaged, or the disk is full; nothing changed.
            RunTakenOver: This process held a lease, and another process has it now; nothing changed.
        """
        return self._patiently(lambda: self._changed(work), patience)

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

    def _changed(self, work: Work[T]) -> T:
        ticket: str | None = None
        result: T

        def once(connection: Connection) -> T:
            nonlocal ticket, result
            held = self.backend.begin_changing(connection)
            self._check_fence(connection)
            result = work(connection)
            ticket = held
            connection.commit()
            return result

        try:
            return self._connected(once)
        except ConnectionLost:
            if ticket is not None and self._landed(ticket):
                return result
            raise

    def _landed(self, ticket: str) -> bool:
        """Whether a transaction was committed although the connection was lost at its very end."""

        def asked() -> bool:
            landed = self._connected(lambda connection: self.backend.landed(connection, ticket))
            if landed is None:
                raise ConnectionLost("the last transaction has not ended yet", fix="run it again")
            return landed

        return self._patiently(asked)

    def _check_fence(self, connection: Connection) -> None:
        if self.fence is None:
            return
        table = schema.leases
        query = sa.select(table.c.token, table.c.holder).where(table.c.name == self.fence.lease)
        row = connection.execute(query).first()
        if row is None or row.token != self.fence.token:
            raise RunTakenOver(row.holder if row else "unknown process")

    def _connected(self, work: Work[T]) -> T:
        with self._translated(), self.backend.engine.connect() as connection:
            result = work(connection)
        self._patience = PATIENCE
        return result

    def _patiently(self, attempt: Callable[[], T], patience: timedelta | None = None) -> T:
        waited = timedelta(0)
        pause = _PAUSE
        while True:
            try:
                return attempt()
            except ConnectionLost:
                if waited >= (self._patience if patience is None else patience):
                    raise
            self.clock.sleep(pause)
            waited += pause
            pause = min(2 * pause, 10 * _PAUSE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            said = self.backend.explain(error)
            if self.backend.is_lost(error):
                raise ConnectionLost(str(said), fix=said.fix) from error
            raise said from error


class KeptInDatabase:
    """Something whose state is rows of the control database."""

    def __init__(self, database: ControlDatabase) -> None:
        self.database = database


K = TypeVar("K", bound=KeptInDatabase)


def reads(method: Callable[Concatenate[K, Connection, P], T]) -> Callable[Concatenate[K, P], T]:
    """Make a method that is handed a connection with a consistent view; see `ControlDatabase.read`."""

    @wraps(method)
    def reading(self: K, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.database.read(lambda connection: method(self, connection, *args, **kwargs))

    return reading


def changes(method: Callable[Concatenate[K, Connection, P], T]) -> Callable[Concatenate[K, P], T]:
    """Make a method that is one transaction; see `ControlDatabase.change`."""

    @wraps(method)
    def changing(self: K, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.database.change(lambda connection: method(self, connection, *args, **kwargs))

    return changing


def chunks(values: Sequence[str], size: int = 5_000) -> Iterator[Sequence[str]]:
    """Cut a long list of keys into pieces that one query can carry."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class AuditTable(KeptInDatabase):
    """Reads the audit log back."""

    @reads
    def entries(self, connection: Connection) -> Sequence[AuditEntry]:
        """All entries, oldest first."""
        query = sa.select(schema.audit.c.number, schema.audit.c.content).order_by(schema.audit.c.number)
        return [_entry(row.number, row.content) for row in connection.execute(query)]


def _entry(number: int, content: str) -> AuditEntry:
    try:
        return AUDIT_ENTRY.from_json(content)
    except ValueError as error:
        raise BadInput(
            f"audit entry {number} cannot be read",
            fix="the log was changed outside fleetcast: compare with a backup of the control database",
        ) from error

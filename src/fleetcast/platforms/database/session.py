"""One person's work with the control database: every change names them, and is fenced by their lease alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

from fleetcast.domain.audit import Actor, AuditEvent, Mark, chained
from fleetcast.domain.errors import HistoryLost
from fleetcast.domain.manifest import Seal
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import ControlDatabase, Work
from fleetcast.ports.clock import Clock
from fleetcast.ports.runs import RunTakenOver
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.manifests import SEAL

T = TypeVar("T")
P = ParamSpec("P")
_WRITTEN = "audit entry written"
"""Where a connection notes the seal on the last entry of its transaction."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a process that holds a lease shows before each change: its number must still be the newest."""

    lease: str
    token: int


class Session:
    """Reads and changes the database in one person's name.

    Many sessions share one `ControlDatabase`. Each has its own actor, and a lease that one of them holds fences
    the changes of that one only.
    """

    def __init__(self, database: ControlDatabase, actor: Actor) -> None:
        self.database = database
        self.actor = actor
        self.fence: Fence | None = None
        """Set while this session holds a lease."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        return self.database.clock

    def read(self, work: Work[T]) -> T:
        """Run `work` on a consistent view; see `ControlDatabase.read`."""
        return self.database.read(work)

    def change(self, work: Work[T], *, patience: timedelta | None = None) -> T:
        """Run `work` in a transaction; see `ControlDatabase.change`.

        Raises:
            RunTakenOver: This session held a lease, and another process has it now; nothing changed.
            HistoryLost: The database lacks what this process has written or held there; nothing changed.
        """

        written: Seal | None = None

        def fenced(connection: Connection) -> T:
            nonlocal written
            connection.info.pop(_WRITTEN, None)
            self._check_fence(connection)
            self.database.check_remembered(connection)
            result = work(connection)
            written = connection.info.pop(_WRITTEN, None)
            return result

        result = self.database.change(fenced, patience=patience)
        if written is not None:
            self.database.remember(written.mark)
            self.database.checkpoint(written)
        return result

    def audit(self, connection: Connection, events: Sequence[AuditEvent]) -> None:
        """Chain events to the audit log and seal its end, inside the transaction that makes them true."""
        if not events:
            return
        last = self.database.end_of_log(connection)
        number, previous = last.number, last.digest
        now = self.clock.now()
        rows: list[dict[str, object]] = []
        for event in events:
            number += 1
            entry = chained(number, now, self.actor, event, previous)
            previous = entry.digest
            rows.append(
                {
                    "number": number,
                    "digest": entry.digest.hex,
                    "about": event.about,
                    "content": AUDIT_ENTRY.to_json(entry),
                    "seal": None,
                }
            )
        end = Mark(number, previous)
        seal = self.database.sealing.seal(end)
        rows[-1]["seal"] = SEAL.to_json(seal)
        connection.execute(sa.insert(schema.audit), rows)
        connection.info[_WRITTEN] = seal

    def tell(self, events: Sequence[AuditEvent]) -> None:
        """Write down what happened outside the database, in a transaction of its own."""
        if events:
            self.change(lambda connection: self.audit(connection, events))

    def _check_fence(self, connection: Connection) -> None:
        if self.fence is None:
            return
        table = schema.leases
        query = sa.select(table.c.token, table.c.holder).where(table.c.name == self.fence.lease)
        row = connection.execute(query).first()
        if row is None or row.token < self.fence.token:
            raise HistoryLost(f"the lease of this run ({self.fence.lease})")
        if row.token != self.fence.token:
            raise RunTakenOver(row.holder)


class Kept:
    """Something whose state is rows of the control database."""

    def __init__(self, session: Session) -> None:
        self.session = session


K = TypeVar("K", bound=Kept)


def reads(method: Callable[Concatenate[K, Connection, P], T]) -> Callable[Concatenate[K, P], T]:
    """Make a method that is handed a connection with a consistent view; see `ControlDatabase.read`."""

    @wraps(method)
    def reading(self: K, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.session.read(lambda connection: method(self, connection, *args, **kwargs))

    return reading


def changes(method: Callable[Concatenate[K, Connection, P], T]) -> Callable[Concatenate[K, P], T]:
    """Make a method that is one transaction; see `Session.change`."""

    @wraps(method)
    def changing(self: K, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.session.change(lambda connection: method(self, connection, *args, **kwargs))

    return changing


def met(result: CursorResult[Any], rows: int, what: str) -> None:
    """Make sure that an UPDATE or DELETE met as many rows as it was to change.

    Raises:
        HistoryLost: Some of them are not there any more.
    """
    if result.rowcount != rows:
        raise HistoryLost(what)


def chunks(values: Sequence[str], size: int = 5_000) -> Iterator[Sequence[str]]:
    """Cut a long list of keys into pieces that one query can carry."""
    for start in range(0, len(values), size):
        yield values[start : start + size]

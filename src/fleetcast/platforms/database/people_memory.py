"""What a process that serves many people remembers of who they are, until the audit log says something of people."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.audit import Mark
from fleetcast.domain.people import Directory
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.marks import holds, last_mark
from fleetcast.stored.audit import AUDIT_ENTRY

_MOST_BETWEEN = 200
"""Entries that are looked through; where more were written, everything is read anew."""
_BETWEEN = (
    sa.select(schema.audit.c.number, schema.audit.c.content)
    .where(schema.audit.c.number > sa.bindparam("after"))
    .order_by(schema.audit.c.number)
    .limit(_MOST_BETWEEN + 1)
)


class PeopleMemory:
    """Counts how often the audit log said something of people; what depends on them alone is good for one count.

    Every change of people, groups, roles and tokens is an entry of the log, written in the same transaction. A row that
    was changed without one is read after the next such entry, or by the next process; `audit verify` names it. Threads
    may share it; a transaction that changes people does not ask it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: tuple[Mark | None, int] = None, 0
        """How far the log was looked through, and the count there: replaced as one, as threads read it at any time."""
        self._directory: tuple[int, Directory] | None = None

    def count(self, connection: Connection) -> int | None:
        """The count as this transaction sees the log; None where it sees an older one: then nothing is remembered."""
        last = last_mark(connection)
        seen, count = before = self._seen
        if last is None or (seen is not None and last.number < seen.number):
            return None
        if last == seen:
            return count
        of_people = seen is None or self._says_of_people(connection, seen)
        with self._lock:
            if self._seen is not before:
                return None
            self._seen = last, count + of_people
        return count + of_people

    def directory(self, connection: Connection, read: Callable[[], Directory]) -> Directory:
        """Everybody on record: as remembered, or as `read` gives it."""
        count, kept = self.count(connection), self._directory
        if count is not None and kept is not None and kept[0] == count:
            return kept[1]
        found = read()
        if count is not None:
            self._directory = count, found
        return found

    def _says_of_people(self, connection: Connection, seen: Mark) -> bool:
        if not holds(connection, seen):
            return True
        rows = connection.execute(_BETWEEN, {"after": seen.number}).all()
        if len(rows) > _MOST_BETWEEN:
            return True
        actions = (
            AUDIT_ENTRY.from_json(row.content, f"audit entry {row.number}").event.action for row in rows
        )
        return any(not happened.leaves_people_alone(action) for action in actions)

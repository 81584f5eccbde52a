"""The audit log, read back from the control database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain.audit import AuditEntry, Mark, chained
from fleetcast.domain.checkpoint import CheckpointVerdict
from fleetcast.domain.chronicle import BrokenLog, Logged, NotBelieved
from fleetcast.domain.manifest import Signed
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.backups import check_checkpoint
from fleetcast.platforms.database.marks import seal_of
from fleetcast.platforms.database.session import Kept, chunks, reads
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.manifests import SEAL

_audit = schema.audit
_PAGE = 5_000


class ControlAuditLog(Kept):
    """Reads the audit log page by page: it may be longer than memory."""

    @reads
    def latest(self, connection: Connection, count: int) -> Sequence[AuditEntry]:
        """The last entries, oldest first."""
        query = sa.select(_audit.c.number, _audit.c.content).order_by(_audit.c.number.desc()).limit(count)
        return [_entry(row.number, row.content) for row in connection.execute(query)][::-1]

    @reads
    def page(
        self,
        connection: Connection,
        *,
        after: int | None,
        count: int,
        newest_first: bool,
        request: int = 0,
    ) -> Sequence[AuditEntry]:
        """The first so many entries that come after a number."""
        number = _audit.c.number
        conditions = [
            *([_audit.c.about == f"request {request}"] if request else []),
            *([] if after is None else [number < after if newest_first else number > after]),
        ]
        query = sa.select(number, _audit.c.content).where(*conditions)
        rows = connection.execute(query.order_by(number.desc() if newest_first else number).limit(count))
        return [_entry(row.number, row.content) for row in rows]

    def entries(self) -> Iterator[AuditEntry]:
        """All entries, oldest first."""
        after = 0
        while page := self._page(after):
            yield from page
            after = page[-1].number

    def logged(self) -> Iterator[Logged]:
        """All entries, oldest first, with what the seals on them are worth."""
        after = 0
        while page := self._logged_page(after):
            yield from page
            after = page[-1].entry.number

    @reads
    def about(self, connection: Connection, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """All entries about these requests and models, oldest first."""
        return _about(connection, things)

    @reads
    def vouched(self, connection: Connection, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """As `about`, of entries that are chained to one with a trusted seal."""
        found = _about(connection, things)
        covered: set[int] = set()
        for entry in sorted(chain.from_iterable(found.values()), key=lambda entry: entry.number):
            if entry.number not in covered:
                covered |= {mark.number for mark in self._vouched_from(connection, entry.number)}
            if entry.number not in covered:
                why = "is vouched for by no trusted seal"
                raise NotBelieved(BrokenLog(entry.number, entry.event.action, why))
        return found

    def checkpoint(self) -> CheckpointVerdict | None:
        """What is remembered elsewhere of how far the log had come."""
        return check_checkpoint(self.session.database)

    def _vouched_from(self, connection: Connection, number: int) -> Sequence[Mark]:
        """From an entry on to the next seal, if that is a trusted one and all between is a chain."""
        sealed = sa.select(sa.func.min(_audit.c.number)).where(
            _audit.c.number >= number, _audit.c.seal.is_not(None)
        )
        end = connection.execute(sealed).scalar()
        if end is None:
            return ()
        query = sa.select(_audit.c.number, _audit.c.content, _audit.c.seal)
        rows = connection.execute(query.where(_audit.c.number.between(number, end)).order_by(_audit.c.number))
        marks: list[Mark] = []
        for row in rows:
            entry = _entry(row.number, row.content)
            previous = marks[-1].digest if marks else entry.previous
            anew = chained(number + len(marks), entry.at, entry.actor, entry.event, previous)
            if anew != entry:
                return ()
            marks.append(anew.mark)
        seal = seal_of(connection, end)
        verdict = self.session.database.sealing.verdict(marks[-1], seal)
        return marks if isinstance(verdict, Signed) else ()

    @reads
    def _logged_page(self, connection: Connection, after: int) -> Sequence[Logged]:
        query = sa.select(_audit).where(_audit.c.number > after).order_by(_audit.c.number).limit(_PAGE)
        return [self._logged(row) for row in connection.execute(query)]

    def _logged(self, row: Row[Any]) -> Logged:
        entry = _entry(row.number, row.content)
        if row.seal is None:
            return Logged(entry, row.about, None)
        seal = SEAL.from_json(row.seal, f"the seal on audit entry {row.number}")
        return Logged(entry, row.about, self.session.database.sealing.verdict(entry.mark, seal))

    @reads
    def _page(self, connection: Connection, after: int) -> Sequence[AuditEntry]:
        query = (
            sa.select(_audit.c.number, _audit.c.content)
            .where(_audit.c.number > after)
            .order_by(_audit.c.number)
            .limit(_PAGE)
        )
        return [_entry(row.number, row.content) for row in connection.execute(query)]


def _about(connection: Connection, things: Sequence[str]) -> dict[str, list[AuditEntry]]:
    found: dict[str, list[AuditEntry]] = {thing: [] for thing in things}
    for some in chunks(list(found)):
        query = sa.select(_audit.c.number, _audit.c.about, _audit.c.content).where(_audit.c.about.in_(some))
        for row in connection.execute(query.order_by(_audit.c.number)):
            found[row.about].append(_entry(row.number, row.content))
    return found


def _entry(number: int, content: str) -> AuditEntry:
    return AUDIT_ENTRY.from_json(content, f"audit entry {number}")

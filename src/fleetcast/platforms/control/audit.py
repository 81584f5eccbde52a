"""The audit log, read back from the control database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.audit import AuditEntry
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, chunks, reads
from fleetcast.stored.audit import AUDIT_ENTRY

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

    @reads
    def about(self, connection: Connection, requests: Sequence[int]) -> Mapping[int, Sequence[AuditEntry]]:
        """All entries about these requests, oldest first."""
        numbers = {f"request {number}": number for number in requests}
        found: dict[int, list[AuditEntry]] = {number: [] for number in requests}
        for some in chunks(list(numbers)):
            query = sa.select(_audit.c.number, _audit.c.about, _audit.c.content).where(
                _audit.c.about.in_(some)
            )
            for row in connection.execute(query.order_by(_audit.c.number)):
                found[numbers[row.about]].append(_entry(row.number, row.content))
        return found

    @reads
    def _page(self, connection: Connection, after: int) -> Sequence[AuditEntry]:
        query = (
            sa.select(_audit.c.number, _audit.c.content)
            .where(_audit.c.number > after)
            .order_by(_audit.c.number)
            .limit(_PAGE)
        )
        return [_entry(row.number, row.content) for row in connection.execute(query)]


def _entry(number: int, content: str) -> AuditEntry:
    return AUDIT_ENTRY.from_json(content, f"audit entry {number}")

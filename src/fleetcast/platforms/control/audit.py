"""The audit log, read back from the control database."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain.audit import GENESIS, AuditEntry, Mark
from fleetcast.domain.checkpoint import CheckpointVerdict
from fleetcast.domain.chronicle import BrokenLog, Chronicle, NotBelieved, read_log
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Signed, seal_in_words
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.backups import check_checkpoint
from fleetcast.platforms.database.marks import seal_of
from fleetcast.platforms.database.session import Kept, chunks, reads
from fleetcast.platforms.processes import in_processes
from fleetcast.stored.audit import AUDIT_ENTRY
from fleetcast.stored.audit_pages import AuditPage, AuditRow, read_page
from fleetcast.stored.manifests import SEAL

_audit = schema.audit
_PAGE = 5_000
_PAGES_ALONE = 4
"""Before it is worth to start other processes."""
_ROW: tuple[sa.Column[Any], ...] = (
    _audit.c.number,
    _audit.c.digest,
    _audit.c.about,
    _audit.c.content,
    _audit.c.seal,
)


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

    def told(self, requests: Collection[int] = ()) -> Chronicle | BrokenLog:
        """What the whole log tells."""
        return read_log(self._parts(frozenset(requests)), requests)

    def _parts(self, requests: frozenset[int]) -> Iterator[Chronicle | BrokenLog]:
        """What each page of the log tells, and at the end whether somebody has sealed it."""
        under_way: deque[Sequence[Row[Any]]] = deque()

        def pages() -> Iterator[AuditPage]:
            after, previous = 0, GENESIS.hex
            while rows := self._rows(after):
                under_way.append(rows)
                yield _audit_page(rows, after, previous, requests)
                after, previous = rows[-1].number, rows[-1].digest

        last: Row[Any] | None = None
        for part in in_processes(read_page, pages(), alone=_PAGES_ALONE):
            rows = under_way.popleft()
            broken = part if isinstance(part, BrokenLog) else None
            yield self._badly_sealed(rows, broken) or part
            last = rows[-1]
        if last is not None and last.seal is None:
            yield BrokenLog(
                last.number,
                _entry(last.number, last.content).event.action,
                "is the last one, and nobody has sealed it",
            )

    def _badly_sealed(self, rows: Sequence[Row[Any]], broken: BrokenLog | None) -> BrokenLog | None:
        """The first entry with a seal that is worth nothing, of those before the one that is broken itself."""
        for row in rows:
            if broken is not None and row.number >= broken.number:
                return None
            if row.seal is None:
                continue
            seal = SEAL.from_json(row.seal, f"the seal on audit entry {row.number}")
            verdict = self.session.database.sealing.verdict(Mark(row.number, Digest(row.digest)), seal)
            if not isinstance(verdict, Signed):
                action = _entry(row.number, row.content).event.action
                return BrokenLog(row.number, action, f"has a seal that {seal_in_words(verdict)}")
        return None

    @reads
    def about(self, connection: Connection, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """All entries about these requests and models, oldest first."""
        return _about(connection, things)

    @reads
    def vouched(self, connection: Connection, things: Sequence[str]) -> Mapping[str, Sequence[AuditEntry]]:
        """As `about`, of entries that are chained to one with a trusted seal."""
        found = _about(connection, things)
        covered = range(0)
        for entry in sorted(chain.from_iterable(found.values()), key=lambda entry: entry.number):
            if entry.number not in covered:
                covered = self._vouched_from(connection, entry)
            if entry.number not in covered:
                why = "is vouched for by no trusted seal"
                raise NotBelieved(BrokenLog(entry.number, entry.event.action, why))
        return found

    def checkpoint(self) -> CheckpointVerdict | None:
        """What is remembered elsewhere of how far the log had come."""
        return check_checkpoint(self.session.database)

    def _vouched_from(self, connection: Connection, entry: AuditEntry) -> range:
        """From an entry on to the next seal, if that is a trusted one and all between is a chain."""
        number = _audit.c.number
        sealed = sa.select(sa.func.min(number)).where(number >= entry.number, _audit.c.seal.is_not(None))
        end = connection.execute(sealed).scalar()
        if end is None:
            return range(0)
        after, previous = entry.number - 1, entry.previous.hex
        while after < end:
            query = sa.select(*_ROW).where(number > after, number <= end).order_by(number).limit(_PAGE)
            rows = connection.execute(query).all()
            if isinstance(read_page(_audit_page(rows, after, previous)), BrokenLog):
                return range(0)
            after, previous = rows[-1].number, rows[-1].digest
        verdict = self.session.database.sealing.verdict(Mark(end, Digest(previous)), seal_of(connection, end))
        return range(entry.number, end + 1) if isinstance(verdict, Signed) else range(0)

    @reads
    def _rows(self, connection: Connection, after: int) -> Sequence[Row[Any]]:
        query = sa.select(*_ROW).where(_audit.c.number > after).order_by(_audit.c.number).limit(_PAGE)
        return connection.execute(query).all()

    @reads
    def _page(self, connection: Connection, after: int) -> Sequence[AuditEntry]:
        query = (
            sa.select(_audit.c.number, _audit.c.content)
            .where(_audit.c.number > after)
            .order_by(_audit.c.number)
            .limit(_PAGE)
        )
        return [_entry(row.number, row.content) for row in connection.execute(query)]


def _audit_page(
    rows: Sequence[Row[Any]], after: int, previous: str, requests: frozenset[int] = frozenset()
) -> AuditPage:
    held = tuple(
        AuditRow(number, digest, about, content) for number, digest, about, content, _ in map(tuple, rows)
    )
    return AuditPage(held, after, previous, requests)


def _about(connection: Connection, things: Sequence[str]) -> dict[str, list[AuditEntry]]:
    found: dict[str, list[AuditEntry]] = {thing: [] for thing in things}
    for some in chunks(list(found)):
        query = sa.select(_audit.c.number, _audit.c.about, _audit.c.content).where(_audit.c.about.in_(some))
        for row in connection.execute(query.order_by(_audit.c.number)):
            found[row.about].append(_entry(row.number, row.content))
    return found


def _entry(number: int, content: str) -> AuditEntry:
    return AUDIT_ENTRY.from_json(content, f"audit entry {number}")

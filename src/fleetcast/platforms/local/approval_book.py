"""Requests and decisions in the control database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.approval import NotDecidable, Request, RequestOutline, RequestState, SubjectKind
from fleetcast.domain.audit import AuditEvent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.pipeline.stored import REQUEST
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.control import KeptInDatabase, changes, chunks, reads

_requests = schema.requests


class LocalApprovalBook(KeptInDatabase):
    """Keeps requests; each change and its audit entry are one transaction."""

    @changes
    def open(self, connection: Connection, requests: Sequence[Request]) -> Sequence[Request]:
        """Add requests and number them; a subject that is pending already is given as it is."""
        opened, events = [], []
        pending = {
            r.subject.digest: r
            for r in self._read(connection, _requests.c.state == RequestState.PENDING.value)
        }
        for request in requests:
            held = pending.get(request.subject.digest)
            if held is None:
                held = self._insert(connection, request)
                pending[request.subject.digest] = held
                events.append(_event("request.opened", held))
            opened.append(held)
        self.database.audit(connection, events)
        return opened

    @reads
    def find(self, connection: Connection, request_id: int) -> Request:
        """One request."""
        found = self._read(connection, _requests.c.id == request_id)
        if not found:
            raise BadInput(f"there is no request {request_id}", fix="see `fleetcast approvals list`")
        return found[0]

    @reads
    def listed(self, connection: Connection, states: Sequence[RequestState] = ()) -> Sequence[Request]:
        """Requests in these states, or all of them, in the order they were opened."""
        wanted = _requests.c.state.in_([state.value for state in states]) if states else sa.true()
        return self._read(connection, wanted)

    @reads
    def outlines(self, connection: Connection, states: Sequence[RequestState]) -> Sequence[RequestOutline]:
        """Requests in these states without their evidence, in the order they were opened."""
        columns = [_requests.c[name] for name in ("id", "state", "kind", "name", "version")]
        query = sa.select(*columns).where(_requests.c.state.in_([state.value for state in states]))
        return [
            RequestOutline(row.id, RequestState(row.state), SubjectKind(row.kind), row.name, row.version)
            for row in connection.execute(query.order_by(_requests.c.id))
        ]

    @reads
    def about(self, connection: Connection, subjects: Sequence[Digest]) -> Sequence[Request]:
        """All requests for these subject digests, oldest first."""
        found: list[Request] = []
        for some in chunks([digest.hex for digest in subjects]):
            found += self._read(connection, _requests.c.subject.in_(some))
        return sorted(found, key=lambda request: request.id)

    @changes
    def record(self, connection: Connection, requests: Sequence[Request]) -> None:
        """Write decided, voided or lapsed requests back, if nobody else did in the meantime."""
        for request in requests:
            undecided = request.state in (RequestState.VOID, RequestState.LAPSED)
            before = len(request.decisions) - (0 if undecided else 1)
            result = connection.execute(
                sa.update(_requests)
                .where(
                    _requests.c.id == request.id,
                    _requests.c.state == RequestState.PENDING.value,
                    _requests.c.decided == before,
                )
                .values(
                    state=request.state.value,
                    decided=len(request.decisions),
                    content=REQUEST.to_json(request),
                )
            )
            if result.rowcount != 1:
                raise NotDecidable(
                    f"request {request.id} was changed by someone else",
                    fix="look again with `fleetcast approvals list`",
                )
        self.database.audit(
            connection, [_event(f"request.{_verb(request)}", request) for request in requests]
        )

    def _insert(self, connection: Connection, request: Request) -> Request:
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_requests.c.id), 0))).scalar_one()
        numbered = replace(request, id=last + 1)
        connection.execute(
            sa.insert(_requests).values(
                id=numbered.id,
                subject=request.subject.digest.hex,
                kind=request.subject.kind.value,
                name=request.subject.name,
                version=request.subject.version,
                state=request.state.value,
                decided=0,
                content=REQUEST.to_json(numbered),
            )
        )
        return numbered

    def _read(self, connection: Connection, wanted: sa.ColumnElement[bool]) -> list[Request]:
        rows = connection.execute(sa.select(_requests.c.content).where(wanted).order_by(_requests.c.id))
        return [REQUEST.from_json(row.content) for row in rows]


def _verb(request: Request) -> str:
    if request.state is RequestState.PENDING:
        return "decided"
    return request.state.value


def _event(action: str, request: Request) -> AuditEvent:
    detail: dict[str, str | int] = {
        "gate": request.gate.value,
        "subject_digest": request.subject.digest.hex,
        "request": request.id,
    }
    if request.decisions:
        detail |= {"choice": request.decisions[-1].choice.value, "comment": request.decisions[-1].comment}
    return AuditEvent(action, str(request.subject), detail)

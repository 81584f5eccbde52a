"""Requests and decisions in the control database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain import happened
from fleetcast.domain.approval import (
    Choice,
    NotDecidable,
    Request,
    RequestOutline,
    RequestState,
    SubjectKind,
    WantedRequests,
)
from fleetcast.domain.audit import about_request
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import Gate
from fleetcast.domain.recount import Disagreement, Distrusted
from fleetcast.platforms.control.people import remembered_directory
from fleetcast.platforms.control.policies import policies_in
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, moment, whole_number
from fleetcast.platforms.database.session import Kept, changes, chunks, met, reads
from fleetcast.platforms.processes import in_processes
from fleetcast.ports.approvals import Vote
from fleetcast.stored.approvals import REQUEST
from fleetcast.stored.form import unreadable
from fleetcast.stored.request_pages import RequestPage, distrusted_in

_requests, _audit = schema.requests, schema.audit
_PAGE = 1_000


class ControlApprovalBook(Kept):
    """Keeps requests; each change and its audit entry are one transaction."""

    @changes
    def open(self, connection: Connection, requests: Sequence[Request]) -> Sequence[Request]:
        """Add requests and number them; a subject that is pending already is given as it is."""
        opened, new = [], []
        pending: dict[Digest, Request] = {}
        for some in chunks([request.subject.digest.hex for request in requests]):
            mine = (_requests.c.state == RequestState.PENDING.value) & _requests.c.subject.in_(some)
            pending |= {held.subject.digest: held for held in self._read(connection, mine)}
        for request in requests:
            held = pending.get(request.subject.digest)
            if held is None:
                held = self._insert(connection, request)
                pending[request.subject.digest] = held
                new.append(held)
            opened.append(held)
        self.session.audit(connection, [happened.request_opened(request) for request in new])
        return opened

    @reads
    def find(self, connection: Connection, request_id: int) -> Request:
        """One request."""
        return self._one(connection, request_id)

    @reads
    def listed(self, connection: Connection, states: Sequence[RequestState] = ()) -> Sequence[Request]:
        """Requests in these states, or all of them, in the order they were opened."""
        _check_states(connection)
        wanted = _requests.c.state.in_([state.value for state in states]) if states else sa.true()
        return self._read(connection, wanted)

    def each(self) -> Iterator[Request]:
        """All requests in the order they were opened, read page by page."""
        after = 0
        while page := self._page(after):
            yield from page
            after = page[-1].id

    def distrusted(self) -> Iterator[Distrusted]:
        """Requests whose rows are not what the log says of them; read page by page."""
        for page in in_processes(distrusted_in, self._pages(), alone=1):
            for number, why in page:
                yield Distrusted(replace(self.find(number), id=number), why)

    def _pages(self) -> Iterator[RequestPage]:
        after = 0
        while (page := self._rows(after)).requests:
            yield page
            after = page.requests[-1][0]

    @reads
    def _rows(self, connection: Connection, after: int) -> RequestPage:
        number = _requests.c.id
        query = sa.select(number, _requests.c.content).where(number > after).order_by(number).limit(_PAGE)
        requests = tuple(map(tuple, connection.execute(query)))
        told: list[tuple[int, str, str]] = []
        for some in chunks([about_request(each) for each, _ in requests]):
            mine = sa.select(_audit.c.number, _audit.c.about, _audit.c.content).where(
                _audit.c.about.in_(some)
            )
            told += map(tuple, connection.execute(mine.order_by(_audit.c.number)))
        return RequestPage(requests, tuple(told))

    @reads
    def _page(self, connection: Connection, after: int) -> Sequence[Request]:
        next_ones = sa.select(_requests.c.id).where(_requests.c.id > after).order_by(_requests.c.id)
        return self._read(connection, _requests.c.id.in_(next_ones.limit(_PAGE)))

    @reads
    def latest(self, connection: Connection, count: int) -> Sequence[Request]:
        """The last so many requests, in the order they were opened."""
        newest = sa.select(_requests.c.id).order_by(_requests.c.id.desc()).limit(count)
        return self._read(connection, _requests.c.id.in_(newest))

    @reads
    def page(
        self,
        connection: Connection,
        wanted: WantedRequests,
        *,
        after: int | None,
        count: int,
        newest_first: bool,
    ) -> Sequence[Request]:
        """The first so many of these requests that come after a number."""
        number = _requests.c.id
        conditions = [
            *([_requests.c.state.in_([state.value for state in wanted.states])] if wanted.states else []),
            *([_requests.c.gate == wanted.gate.value] if wanted.gate else []),
            *([_requests.c.kind == wanted.kind.value] if wanted.kind else []),
            *([_requests.c.name == wanted.name] if wanted.name is not None else []),
            *([] if after is None else [number < after if newest_first else number > after]),
        ]
        query = sa.select(number, _requests.c.content).where(*conditions)
        rows = connection.execute(query.order_by(number.desc() if newest_first else number).limit(count))
        return [REQUEST.from_json(row.content, f"requests {row.id}") for row in rows]

    @reads
    def outlines(self, connection: Connection, states: Sequence[RequestState]) -> Sequence[RequestOutline]:
        """Requests in these states without their evidence, in the order they were opened."""
        _check_states(connection)
        query = sa.select(*_OUTLINE).where(_requests.c.state.in_([state.value for state in states]))
        return [_outline(row) for row in connection.execute(query.order_by(_requests.c.id))]

    @reads
    def of_models(self, connection: Connection, names: Collection[str]) -> Sequence[Request]:
        """All requests about versions of these models, oldest first."""
        found: list[Request] = []
        for some in chunks(list(names)):
            mine = (_requests.c.kind == SubjectKind.MODEL.value) & _requests.c.name.in_(some)
            found += self._read(connection, mine)
        return sorted(found, key=lambda request: request.id)

    @reads
    def about(self, connection: Connection, subjects: Sequence[Digest]) -> Sequence[Request]:
        """All requests for these subject digests, oldest first."""
        found: list[Request] = []
        for some in chunks([digest.hex for digest in subjects]):
            found += self._read(connection, _requests.c.subject.in_(some))
        return sorted(found, key=lambda request: request.id)

    @changes
    def pin_anew(self, connection: Connection, requests: Sequence[Request]) -> None:
        """Give pending requests another form of the same subject."""
        pinned = []
        for request in requests:
            mine = _requests.c.id == request.id
            row = connection.execute(sa.select(_requests.c.subject, _requests.c.state).where(mine)).first()
            if row is None:
                raise HistoryLost(f"request {request.id}")
            if row.state != RequestState.PENDING.value:
                continue
            result = connection.execute(
                sa.update(_requests)
                .where(mine)
                .values(subject=request.subject.digest.hex, content=REQUEST.to_json(request))
            )
            met(result, 1, f"request {request.id}")
            pinned.append(happened.request_pinned_anew(request, _subject(request.id, row.subject)))
        self.session.audit(connection, pinned)

    @changes
    def decide(self, connection: Connection, request_ids: Sequence[int], vote: Vote) -> Sequence[Request]:
        """Let somebody vote on requests, all or none, each as it stands at this very moment."""
        directory, policies = remembered_directory(connection, self.session), policies_in(connection)
        decided = [vote(self._one(connection, number), directory, policies) for number in request_ids]
        for request in decided:
            result = connection.execute(
                sa.update(_requests).where(_requests.c.id == request.id).values(_changed(request))
            )
            met(result, 1, f"request {request.id}")
        self.session.audit(connection, [happened.request_decided(request) for request in decided])
        return decided

    def note_refused(self, request: Request, choice: Choice, comment: str, why: str) -> None:
        """Write into the audit log that somebody tried to decide, and could not."""
        self.session.tell([happened.decision_refused(request, choice, comment, why)])

    @changes
    def distrust(self, connection: Connection, request: Request, why: Disagreement) -> Request:
        """Make a request void whose row is not what the audit log says, whatever state the row claims."""
        void = request.voided()
        mine = sa.update(_requests).where(_requests.c.id == request.id)
        met(connection.execute(mine.values(_changed(void))), 1, f"request {request.id}")
        self.session.audit(connection, [happened.request_distrusted(void, why)])
        return void

    @changes
    def record(self, connection: Connection, requests: Sequence[Request]) -> None:
        """Write requests back that nobody decided on in the meantime."""
        for request in requests:
            result = connection.execute(
                sa.update(_requests)
                .where(
                    _requests.c.id == request.id,
                    _requests.c.state == _state_before(request),
                    _requests.c.decided == len(request.decisions),
                )
                .values(_changed(request))
            )
            if result.rowcount != 1:
                raise NotDecidable(
                    f"request {request.id} was changed by someone else",
                    fix="look again with `fleetcast approvals list`",
                )
        self.session.audit(connection, [happened.request_ended(request) for request in requests])

    def _one(self, connection: Connection, request_id: int) -> Request:
        found = self._read(connection, _requests.c.id == request_id)
        if not found:
            raise BadInput(f"there is no request {request_id}", fix="see `fleetcast approvals list`")
        return found[0]

    def _insert(self, connection: Connection, request: Request) -> Request:
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_requests.c.id), 0))).scalar_one()
        numbered = replace(request, id=last + 1)
        connection.execute(
            sa.insert(_requests).values(
                id=numbered.id,
                subject=request.subject.digest.hex,
                gate=request.gate.value,
                kind=request.subject.kind.value,
                name=request.subject.name,
                version=request.subject.version,
                state=request.state.value,
                decided=0,
                outcome=request.evidence.outcome.value,
                opened_at=request.opened_at.isoformat(),
                content=REQUEST.to_json(numbered),
            )
        )
        return numbered

    def _read(self, connection: Connection, wanted: sa.ColumnElement[bool]) -> list[Request]:
        query = sa.select(_requests.c.id, _requests.c.content).where(wanted).order_by(_requests.c.id)
        rows = connection.execute(query)
        return [REQUEST.from_json(row.content, f"requests {row.id}") for row in rows]


def _changed(request: Request) -> dict[str, object]:
    return {
        "state": request.state.value,
        "decided": len(request.decisions),
        "content": REQUEST.to_json(request),
    }


def _state_before(request: Request) -> str:
    """Requests come to their end from waiting, and wait again from having been let through."""
    waits = request.state is RequestState.PENDING
    return (RequestState.APPROVED if waits else RequestState.PENDING).value


def _check_states(connection: Connection) -> None:
    """A request in no known state would be found by nobody who asks for states."""
    known = [state.value for state in RequestState]
    odd = connection.execute(
        sa.select(_requests.c.id).where(_requests.c.state.not_in(known)).limit(1)
    ).first()
    if odd is not None:
        raise unreadable(f"requests {odd.id}")


_OUTLINE = tuple(
    _requests.c[name]
    for name in ("id", "state", "gate", "kind", "name", "version", "subject", "outcome", "opened_at")
)


def _outline(row: Row[Any]) -> RequestOutline:
    # By place, as there may be thousands.
    number, state, gate, kind, name, version, subject, outcome, opened_at = tuple(row)
    try:
        return RequestOutline(
            whole_number(number),
            RequestState(state),
            Gate(gate),
            SubjectKind(kind),
            str(name),
            str(version),
            Digest(subject),
            Outcome(outcome),
            moment(opened_at),
        )
    except TORN as error:
        raise unreadable(f"requests {number}") from error


def _subject(request_id: int, stored: str) -> Digest:
    try:
        return Digest(stored)
    except TORN as error:
        raise unreadable(f"requests {request_id}") from error

"""Requests, the audit log and runs, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from fleetcast.domain.approval import NotDecidable, Request, RequestOutline, RequestState
from fleetcast.domain.audit import AuditEntry, AuditEvent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.run import Run, RunState
from fleetcast.platforms.memory.world import World
from fleetcast.ports.runs import RunInProgress


class MemoryApprovalBook:
    """Keeps requests and the decisions on them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Add requests and number them; a subject that is pending already is given as it is."""
        opened = []
        for request in requests:
            pending = self.listed((RequestState.PENDING,))
            held = next((old for old in pending if old.subject.digest == request.subject.digest), None)
            if held is None:
                held = replace(request, id=len(self._world.requests) + 1)
                self._world.requests[held.id] = held
                self._world.audit([AuditEvent("request.opened", str(held.subject), {"request": held.id})])
            opened.append(held)
        return opened

    def find(self, request_id: int) -> Request:
        """One request."""
        if request_id not in self._world.requests:
            raise BadInput(f"there is no request {request_id}", fix="see `fleetcast approvals list`")
        return self._world.requests[request_id]

    def listed(self, states: Sequence[RequestState] = ()) -> Sequence[Request]:
        """Requests in these states, or all of them."""
        return [request for request in self._world.requests.values() if not states or request.state in states]

    def outlines(self, states: Sequence[RequestState]) -> Sequence[RequestOutline]:
        """Requests in these states without their evidence."""
        return [
            RequestOutline(
                request.id, request.state, request.subject.kind, request.subject.name, request.subject.version
            )
            for request in self.listed(states)
        ]

    def about(self, subjects: Sequence[Digest]) -> Sequence[Request]:
        """All requests for these subject digests, oldest first."""
        wanted = set(subjects)
        return [request for request in self._world.requests.values() if request.subject.digest in wanted]

    def record(self, requests: Sequence[Request]) -> None:
        """Write decided, voided or lapsed requests back, all or none."""
        for request in requests:
            held = self._world.requests[request.id]
            undecided = request.state in (RequestState.VOID, RequestState.LAPSED)
            expected = len(request.decisions) - (0 if undecided else 1)
            if held.state is not RequestState.PENDING or len(held.decisions) != expected:
                raise NotDecidable(
                    f"request {request.id} was changed by someone else",
                    fix="look again with `fleetcast approvals list`",
                )
        for request in requests:
            self._world.requests[request.id] = request
            verb = "decided" if request.state is RequestState.PENDING else request.state.value
            self._world.audit([AuditEvent(f"request.{verb}", str(request.subject), {"request": request.id})])


class MemoryAuditLog:
    """Reads the audit log back."""

    def __init__(self, world: World) -> None:
        self._world = world

    def entries(self) -> Sequence[AuditEntry]:
        """All entries, oldest first."""
        return list(self._world.log)


class MemoryRunBook:
    """Keeps runs and how their stages ended."""

    def __init__(self, world: World) -> None:
        self._world = world

    @contextmanager
    def exclusive(self, holder: str, timeout: timedelta) -> Iterator[None]:
        """Be the only one who runs stages."""
        if self._world.holder:
            self._world.clock.sleep(timeout)
            raise RunInProgress(self._world.holder)
        self._world.holder = holder
        try:
            yield
        finally:
            self._world.holder = ""

    def begin(self, fleet: Digest, commit: str) -> Run:
        """Open a new run; runs that could have been continued are superseded by it."""
        runs = self._world.runs
        runs[:] = [replace(old, state=RunState.SUPERSEDED) if old.state.can_continue else old for old in runs]
        run = Run(f"run-{len(runs) + 1:04d}", fleet, commit, self._world.actor.name, self._world.clock.now())
        runs.append(run)
        return run

    def save(self, run: Run) -> None:
        """Write a run back."""
        self._world.runs[:] = [run if old.id == run.id else old for old in self._world.runs]

    def find(self, run_id: str) -> Run:
        """One run."""
        found = next((run for run in self._world.runs if run.id == run_id), None)
        if found is None:
            raise BadInput(f"there is no run {run_id}", fix="see `fleetcast runs list`")
        return found

    def listed(self) -> Sequence[Run]:
        """All runs, newest first."""
        return self._world.runs[::-1]

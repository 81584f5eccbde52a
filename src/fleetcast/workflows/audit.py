"""Checking the audit log, and that the rows kept beside it say nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fleetcast.domain.approval import Request, RequestState
from fleetcast.domain.audit import AuditEntry, Unbroken, verify
from fleetcast.domain.recount import Disagreement, disagreement
from fleetcast.domain.role import Right
from fleetcast.ports.platform import Control

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Distrusted:
    """A request whose row is not what the log says."""

    request: Request
    why: Disagreement


@dataclass(frozen=True, slots=True)
class AuditVerified:
    """What was found."""

    log: Unbroken | AuditEntry
    """The log as a whole, or the first entry that does not fit."""
    distrusted: tuple[Distrusted, ...] = ()
    """Not looked for where the log itself is broken."""


@dataclass(frozen=True, slots=True)
class VerifyAudit:
    """Go through the whole log, and count every request's decisions from it."""

    control: Control

    def __call__(self) -> AuditVerified:
        """Verify; reads page by page.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: An entry or a request cannot be read; the text names it.
        """
        self.control.require(Right.VIEW)
        log = verify(self.control.audit.entries())
        if isinstance(log, AuditEntry):
            return AuditVerified(log)
        return AuditVerified(log, tuple(self._distrusted()))

    def _distrusted(self) -> Iterator[Distrusted]:
        requests = iter(self.control.approvals.each())
        while page := list(islice(requests, _PAGE)):
            logged = self.control.audit.about([request.id for request in page])
            for request in page:
                why = disagreement(request, logged[request.id])
                if why is not None and not _is_void_already(request, logged[request.id]):
                    yield Distrusted(request, why)


def _is_void_already(request: Request, entries: Sequence[AuditEntry]) -> bool:
    """Whether it was found before, and can open nothing any more."""
    noted = any(entry.event.action == "request.distrusted" for entry in entries)
    return noted and request.state is RequestState.VOID

"""What an auditor asks of each gate: who could decide, who did and how they were known, and what went past it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from fleetcast.domain.approval import Choice, Decision, Request, RequestState
from fleetcast.domain.audit import Actor, AuditEntry, Standing, about_request
from fleetcast.domain.gate_rule import barred
from fleetcast.domain.people import Directory
from fleetcast.domain.recount import Disagreement, disagreement
from fleetcast.domain.role import Right
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Reported:
    """One request, as an auditor reads it."""

    request: Request
    could: tuple[str, ...] | None
    """Names of people on record now who, signed in, may approve under its own policy, whatever was decided since;
    None: nobody is on record, so nobody can be told from anybody."""
    refused: tuple[AuditEntry, ...]
    """Attempts to decide that were refused."""
    distrusted: Disagreement | None
    """What the log says otherwise; such a row opens nothing."""

    @property
    def override(self) -> bool:
        """Whether somebody went through without approvals."""
        return self.request.state is RequestState.BROKEN_GLASS


@dataclass(frozen=True, slots=True)
class ReportAudit:
    """Go through requests and what the log says about them."""

    control: Control
    clock: Clock

    def __call__(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Reported]:
        """Requests that were opened in a span of time, in their order.

        Args:
            since: From this moment on; None: from the first.
            until: Before this moment; None: to the last.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW)
        directory = self.control.people.directory()
        wanted = (
            request
            for request in self.control.approvals.each()
            if (since is None or request.opened_at >= since) and (until is None or request.opened_at < until)
        )
        return self._reported(wanted, directory)

    def _reported(self, wanted: Iterator[Request], directory: Directory) -> Iterator[Reported]:
        now = self.clock.now()
        while page := list(islice(wanted, _PAGE)):
            logged = self.control.audit.about([about_request(request.id) for request in page])
            for request in page:
                entries = logged[about_request(request.id)]
                refused = tuple(entry for entry in entries if entry.event.action == "decision.refused")
                # The row, not what time made of it, is held against the log.
                yield Reported(
                    request.as_of(now),
                    self._could(request, directory),
                    refused,
                    disagreement(request, entries),
                )

    def _could(self, request: Request, directory: Directory) -> tuple[str, ...] | None:
        if directory.is_open:
            return None
        return tuple(
            sorted(person.name for person in directory.people if self._may(request, directory, person.id))
        )

    def _may(self, request: Request, directory: Directory, person_id: str) -> bool:
        person = directory.person(person_id)
        if person is None:
            return False
        offered = Decision(
            Actor(person.name, Standing.VERIFIED, person=person.id), Choice.APPROVE, "", request.opened_at
        )
        nobody: Sequence[Decision] = ()
        return barred(request.policy, directory, request.asked, nobody, offered) is None

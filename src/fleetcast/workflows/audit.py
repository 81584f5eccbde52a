"""Checking the audit log, and that the rows kept beside it say nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fleetcast.domain.approval import Request, RequestState
from fleetcast.domain.audit import AuditEntry, about_request
from fleetcast.domain.checkpoint import CheckpointVerdict
from fleetcast.domain.chronicle import (
    BrokenLog,
    Chronicle,
    OtherRow,
    other_models,
    other_releases,
    other_rules,
)
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.recount import Disagreement, disagreement
from fleetcast.domain.role import Right
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Distrusted:
    """A request whose row is not what the log says."""

    request: Request
    why: Disagreement


@dataclass(frozen=True, slots=True)
class Whole:
    """A log that is as it was written."""

    entries: int
    head: Digest
    """Of the last entry."""


@dataclass(frozen=True, slots=True)
class AuditVerified:
    """What was found."""

    log: Whole | BrokenLog
    distrusted: tuple[Distrusted, ...] = ()
    """Neither these nor other rows are looked for where the log itself is broken."""
    others: tuple[OtherRow, ...] = ()
    checkpoint: CheckpointVerdict | None = None
    """None: there is none."""


@dataclass(frozen=True, slots=True)
class VerifyAudit:
    """Go through the whole log, and hold every row that gates believe against it."""

    platform: Platform
    clock: Clock

    def __call__(self) -> AuditVerified:
        """Verify; reads page by page.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: An entry or a request cannot be read; the text names it.
        """
        control = self.platform.control
        control.require(Right.VIEW)
        told = control.audit.told()
        if isinstance(told, BrokenLog):
            return AuditVerified(told, checkpoint=control.audit.checkpoint())
        return AuditVerified(
            Whole(told.entries, told.head),
            tuple(self._distrusted()),
            tuple(self._others(told)),
            control.audit.checkpoint(),
        )

    def _others(self, told: Chronicle) -> Iterator[OtherRow]:
        control, workspace = self.platform.control, self.platform.workspace
        gatekeeper = Gatekeeper.of(control, self.clock)
        yield from other_rules(told, control.policies.in_force(), control.people.directory())
        yield from other_models(
            told,
            control.states.intent().champions,
            workspace.models.entries(),
            workspace.shared.shared().models,
            {effect.event.subject for effect in gatekeeper.agreed(control.effects.unconfirmed())},
        )
        live = [one for name in EnvironmentName for one in control.releases.live(name).values()]
        yield from other_releases(
            told, control.releases.digests(), {str(one.release.endpoint): one.number for one in live}
        )

    def _distrusted(self) -> Iterator[Distrusted]:
        control = self.platform.control
        requests = iter(control.approvals.each())
        while page := list(islice(requests, _PAGE)):
            logged = control.audit.about([about_request(request.id) for request in page])
            for request in page:
                entries = logged[about_request(request.id)]
                why = disagreement(request, entries)
                if why is not None and not _is_void_already(request, entries):
                    yield Distrusted(request, why)


def _is_void_already(request: Request, entries: Sequence[AuditEntry]) -> bool:
    """Whether it was found before, and can open nothing any more."""
    noted = any(entry.event.action == "request.distrusted" for entry in entries)
    return noted and request.state is RequestState.VOID

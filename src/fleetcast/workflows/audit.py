"""Checking the audit log, and that the rows kept beside it say nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from fleetcast.domain.recount import Distrusted
from fleetcast.domain.role import Right
from fleetcast.pipeline.gatekeeper import Gatekeeper
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform


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
            tuple(control.approvals.distrusted()),
            tuple(self._others(told)),
            control.audit.checkpoint(),
        )

    def _others(self, told: Chronicle) -> Iterator[OtherRow]:
        control, workspace = self.platform.control, self.platform.workspace
        gatekeeper = Gatekeeper.of(control, self.clock)
        yield from other_rules(told, control.policies.in_force(), control.people.directory())
        intent = control.states.intent()
        yield from other_models(
            told,
            intent.champions,
            workspace.models.entries(),
            workspace.shared.shared().models,
            {effect.event.subject for effect in gatekeeper.agreed(control.effects.unconfirmed())},
            {f"{name}:{version}" for name, version in intent.removed},
        )
        live = [one for name in EnvironmentName for one in control.releases.live(name).values()]
        yield from other_releases(
            told, control.releases.digests(), {str(one.release.endpoint): one.number for one in live}
        )

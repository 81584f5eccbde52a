"""Asking at a gate: one request for each subject, and none for what people already decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.approval import Evidence, Request, RequestState, Subject, SubjectKind
from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.gate import Gate, GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.ports.approvals import ApprovalBook
from fleetcast.ports.clock import Clock


def policy_digest(policy: GatePolicy, thresholds: Digest | None = None) -> Digest:
    """Digest of the rules in force when something is asked for."""
    return digest_of(
        {
            "approvers": list(policy.approvers),
            "minimum": policy.minimum,
            "own_request_allowed": policy.own_request_allowed,
            "thresholds": thresholds.hex if thresholds else None,
        }
    )


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Opens requests at the gate `registry-promotion`, and closes those whose subject is gone."""

    approvals: ApprovalBook
    actor: Actor
    """Who asks."""
    clock: Clock

    def ask(
        self, subjects: Sequence[tuple[Subject, Evidence]], policy: GatePolicy, run: str
    ) -> Mapping[Digest, Request]:
        """How each subject stands, by its digest, after asking for those nobody was asked about.

        A subject is asked for again after its request lapsed or was voided, never after a decision.
        """
        known = {
            request.subject.digest: request
            for request in self.approvals.about([subject.digest for subject, _ in subjects])
            if request.state not in (RequestState.VOID, RequestState.LAPSED)
        }
        new = [
            Request(0, Gate.REGISTRY_PROMOTION, policy, subject, evidence, run, self.actor, self.clock.now())
            for subject, evidence in subjects
            if subject.digest not in known
        ]
        opened = self.approvals.open(new) if new else ()
        return known | {request.subject.digest: request for request in opened}

    def close_stale(
        self, kind: SubjectKind, wanted: Collection[Digest], *, beyond: Collection[str] = ()
    ) -> None:
        """Void pending requests of this kind whose subject is not wanted any more, and end those past their time.

        Args:
            kind: Which requests to look at.
            wanted: The subjects that still stand, by digest.
            beyond: Names that this run is not about; their requests are left alone.
        """
        now = self.clock.now()
        stale = []
        for request in self.approvals.listed((RequestState.PENDING,)):
            if request.subject.kind is not kind:
                continue
            current = request.as_of(now)
            if current.state is RequestState.LAPSED:
                stale.append(current)
            elif request.subject.digest not in wanted and request.subject.name not in beyond:
                stale.append(request.voided())
        if stale:
            self.approvals.record(stale)

"""Requests that wait at a gate, and the decisions people make on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.audit import Actor, Standing
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.evidence import Evidence, Outcome
from fleetcast.domain.gate import ANYONE, LAPSES_AFTER, Gate, GatePolicy
from fleetcast.domain.identity import Digest


class SubjectKind(StrEnum):
    """What is asked to pass a gate."""

    ENVIRONMENT = "environment"
    MODEL = "model"
    POLICY = "policy"
    """A change of who decides at a gate."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What exactly is approved, pinned by digest: approving this approves nothing else.

    An edit of the artifact, the circuit's configuration, the policy or thresholds, or the evidence makes
    another subject. The git commit is not part of it: an unrelated commit voids nothing.
    """

    kind: SubjectKind
    name: str
    version: str
    artifact: Digest
    configuration: Digest
    policy: Digest
    evidence: Digest

    @property
    def digest(self) -> Digest:
        """The subject digest that a decision names."""
        return digest_of(
            {
                "kind": self.kind.value,
                "name": self.name,
                "version": self.version,
                "artifact": self.artifact.hex,
                "configuration": self.configuration.hex,
                "policy": self.policy.hex,
                "evidence": self.evidence.hex,
            }
        )

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


class Choice(StrEnum):
    """What one person decides."""

    APPROVE = "approve"
    REJECT = "reject"


class RequestState(StrEnum):
    """Where a request is; all but the first are final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's choice, with a comment."""

    by: Actor
    choice: Choice
    comment: str
    at: datetime


class NotDecidable(FleetcastError):
    """A decision that cannot be made, by this person or any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """A subject that waits at a gate."""

    id: int
    """Given by the approval book, counted from 1; 0 before."""
    gate: Gate
    policy: GatePolicy
    subject: Subject
    evidence: Evidence
    run: str
    requested_by: Actor
    opened_at: datetime
    state: RequestState = RequestState.PENDING
    decisions: tuple[Decision, ...] = ()

    @property
    def lapses_at(self) -> datetime:
        """When it stops waiting."""
        return self.opened_at + self.policy.lapses_after

    @property
    def outline(self) -> RequestOutline:
        """What a list needs to know of it."""
        return RequestOutline(
            self.id,
            self.state,
            self.gate,
            self.subject.kind,
            self.subject.name,
            self.subject.version,
            self.subject.digest,
            self.evidence.outcome,
            self.opened_at,
        )

    @property
    def missing(self) -> int:
        """How many more people must approve."""
        approvals = sum(1 for decision in self.decisions if decision.choice is Choice.APPROVE)
        return max(0, self.policy.minimum - approvals)

    def as_of(self, now: datetime) -> Request:
        """The same request, lapsed if its time is over."""
        if self.state is RequestState.PENDING and now >= self.lapses_at:
            return replace(self, state=RequestState.LAPSED)
        return self

    def voided(self) -> Request:
        """The same request, void because its subject changed."""
        return replace(self, state=RequestState.VOID)

    def decide(
        self, choice: Choice, *, by: Actor, comment: str, at: datetime, in_force: GatePolicy | None = None
    ) -> Request:
        """The same request with one more decision; it ends with one rejection or with enough approvals.

        Args:
            choice: What was decided.
            by: Who decided.
            comment: Why; a rejection needs one.
            at: Aware UTC.
            in_force: The gate's policy at this moment, which this person must satisfy as well as the one that the
                request was opened under; None: the same.

        Raises:
            BadInput: A rejection without a reason.
            NotDecidable: The request has ended, or this person may not decide on it.
        """
        if choice is Choice.REJECT and not comment.strip():
            raise BadInput("a rejection needs a reason", fix="give one with --comment")
        current = self.as_of(at)
        if current.state is not RequestState.PENDING:
            raise NotDecidable(
                f"request {self.id} for {self.subject} is {current.state.value}",
                fix="see what waits with `fleetcast approvals list`",
            )
        for policy in dict.fromkeys((self.policy, in_force or self.policy)):
            self._check_person(by, policy)
        decided = replace(current, decisions=(*current.decisions, Decision(by, choice, comment, at)))
        if choice is Choice.REJECT:
            return replace(decided, state=RequestState.REJECTED)
        return decided if decided.missing else replace(decided, state=RequestState.APPROVED)

    def _check_person(self, by: Actor, policy: GatePolicy) -> None:
        if ANYONE not in policy.approvers and by.name not in policy.approvers:
            raise NotDecidable(
                f"{by} is not an approver of {self.gate.value}",
                fix=f"ask one of {', '.join(policy.approvers)}, or add {by} under `gates:` in fleetcast.yaml",
            )
        if policy.verified and by.standing is not Standing.VERIFIED:
            raise NotDecidable(
                f"{by} is not signed in, and {self.gate.value} asks for it", fix="sign in, then decide"
            )
        if by.name == self.requested_by.name and not policy.own_request_allowed:
            raise NotDecidable(f"{by} made request {self.id}", fix="ask someone else to decide")
        if any(decision.by.name == by.name for decision in self.decisions):
            raise NotDecidable(f"{by} has already decided on request {self.id}", fix="ask another approver")


@dataclass(frozen=True, slots=True)
class RequestOutline:
    """What a list of thousands needs to know of a request."""

    id: int
    state: RequestState
    gate: Gate
    kind: SubjectKind
    name: str
    version: str
    subject: Digest
    outcome: Outcome
    opened_at: datetime

    def waits(self, now: datetime) -> bool:
        """Whether somebody can still decide on it."""
        return self.state is RequestState.PENDING and now < self.opened_at + LAPSES_AFTER


def passing(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The requests that wait and whose checks pass: what may be approved at once."""
    return tuple(
        request
        for request in requests
        if request.state is RequestState.PENDING and request.evidence.outcome is Outcome.PASSING
    )


def set_digest(requests: tuple[Request, ...]) -> Digest:
    """Digest of a set of requests as displayed, for a decision on all of them at once."""
    return digest_of(sorted(f"{request.id}:{request.subject.digest.hex}" for request in requests))

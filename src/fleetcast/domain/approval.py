"""Requests that wait at a gate, and the decisions people make on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.commit import Writer
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.evidence import CircuitFact, Evidence, Outcome
from fleetcast.domain.gate import LAPSES_AFTER, GatePolicy
from fleetcast.domain.gate_rule import (
    Asked,
    Bar,
    BrokenGlass,
    Choice,
    Decision,
    Lapsed,
    Opens,
    Rejected,
    Verdict,
    barred,
    counted,
)
from fleetcast.domain.given import check_line
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import OPEN, Directory
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.role import Role

__all__ = [
    "LAPSES_AFTER",
    "Choice",
    "Decision",
    "NotDecidable",
    "Request",
    "RequestOutline",
    "RequestState",
    "Subject",
    "SubjectKind",
    "WantedRequests",
    "passing",
    "set_digest",
]


class SubjectKind(StrEnum):
    """What is asked to pass a gate."""

    ENVIRONMENT = "environment"
    MODEL = "model"
    POLICY = "policy"
    """A change of who decides at a gate."""
    DEPLOYMENT = "deployment"
    """Releases of plants, and the way they take to their clients."""


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


class RequestState(StrEnum):
    """Where a request is; what is pending waits, and what let through waits again where too few count any more."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    VOID = "void"
    BROKEN_GLASS = "broken-glass"
    """Somebody went through without approvals."""

    @property
    def lets_through(self) -> bool:
        """Whether what was asked may happen."""
        return self in (RequestState.APPROVED, RequestState.BROKEN_GLASS)


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
    committed_by: tuple[Writer, ...] = ()
    """Who wrote the commits; empty: nobody noted it, so a policy that keeps them from approving stays shut."""
    made_by: tuple[Actor, ...] = ()
    """Who made the version; empty: the same."""

    @property
    def asked(self) -> Asked:
        """What counting needs to know of it."""
        circuit = next((fact.key for fact in self.evidence.facts if isinstance(fact, CircuitFact)), None)
        place = Scope(self.gate, _ENVIRONMENTS.get(self.gate), None if circuit is None else circuit.plant)
        return Asked(
            place, self.opened_at, self.evidence.outcome, self.requested_by, self.committed_by, self.made_by
        )

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

    def verdict(
        self, now: datetime, directory: Directory = OPEN, policy: GatePolicy | None = None
    ) -> Verdict:
        """What its decisions come to by the people on record now; without a policy, under its own."""
        return counted(policy or self.policy, directory, self.asked, self.decisions, now)

    def settled(
        self, now: datetime, directory: Directory = OPEN, in_force: GatePolicy | None = None
    ) -> Request:
        """The same request as its decisions count now: what waits may lapse or go through with time alone.

        What was let through waits again where somebody who decided counts no longer, under its own policy or the one
        in force. What was rejected, lapsed or became void stays so.
        """
        if self.state is not RequestState.PENDING and not self.state.lets_through:
            return self
        policies = dict.fromkeys((self.policy, in_force or self.policy))
        ends = {_STATES.get(type(self.verdict(now, directory, policy))) for policy in policies}
        end = ends.pop() if len(ends) == 1 else None
        if self.state.lets_through and end is RequestState.LAPSED:
            end = None
        return replace(self, state=end or RequestState.PENDING)

    def decide(
        self,
        choice: Choice,
        *,
        by: Actor,
        comment: str,
        at: datetime,
        in_force: GatePolicy | None = None,
        directory: Directory = OPEN,
        to: Actor | None = None,
    ) -> Request:
        """The same request with one more decision; it ends with one rejection or with enough approvals.

        Args:
            choice: What was decided.
            by: Who decided.
            comment: Why; a rejection needs one, and so does breaking glass.
            at: Aware UTC.
            in_force: The gate's policy at this moment, which this person must satisfy as well as the one that the
                request was opened under; None: the same.
            directory: The people on record; without any, names stand for themselves.
            to: Whom the vote is handed to, where that is the choice.

        Raises:
            BadInput: A rejection without a reason, or a comment that is too long or no plain line of text.
            NotDecidable: The request has ended, or this person may not decide on it.
        """
        check_line(comment, "the comment")
        if choice is Choice.REJECT and not comment.strip():
            raise BadInput("a rejection needs a reason", fix="give one with --comment")
        current = self.as_of(at)
        if current.state is not RequestState.PENDING:
            raise NotDecidable(
                f"request {self.id} for {self.subject} is {current.state.value}",
                fix="see what waits with `fleetcast approvals list`",
            )
        offered = Decision(by, choice, comment, at, to)
        policies = self._policies(in_force)
        for policy in policies:
            bar = barred(policy, directory, self.asked, self.decisions, offered)
            if bar is not None:
                raise self._refusal(bar, offered, policy)
        decided = replace(current, decisions=(*current.decisions, offered))
        ends = {_STATES.get(type(decided.verdict(at, directory, policy))) for policy in policies}
        return replace(decided, state=ends.pop() or RequestState.PENDING) if len(ends) == 1 else decided

    def takes(self, offered: Decision, in_force: GatePolicy | None, directory: Directory) -> bool:
        """Whether a decision can be made now: what `decide` would say, without a word of why."""
        return self.as_of(offered.at).state is RequestState.PENDING and not any(
            barred(policy, directory, self.asked, self.decisions, offered)
            for policy in self._policies(in_force)
        )

    def _policies(self, in_force: GatePolicy | None) -> tuple[GatePolicy, ...]:
        return tuple(dict.fromkeys((self.policy, in_force or self.policy)))

    def _refusal(self, bar: Bar, offered: Decision, policy: GatePolicy) -> NotDecidable:  # noqa: C901  # one each
        by, gate, to = offered.by, self.gate.value, offered.to
        match bar:
            case Bar.NOT_LISTED:
                listed = ", ".join((*policy.approvers, *policy.groups, *policy.services))
                return NotDecidable(
                    f"{by} is not an approver of {gate}",
                    fix=f"ask one of {listed}, or add {by} under `gates:` in fleetcast.yaml",
                )
            case Bar.NOT_VERIFIED:
                return NotDecidable(
                    f"{by} is not signed in, and {gate} asks for it", fix="sign in, then decide"
                )
            case Bar.STARTED_RUN:
                return NotDecidable(f"{by} made request {self.id}", fix="ask someone else to decide")
            case Bar.WROTE_COMMIT:
                said = f"{by} wrote the commit that request {self.id} comes from"
                return NotDecidable(said, fix="ask someone else to decide")
            case Bar.MADE_VERSION:
                return NotDecidable(
                    f"{by} made the version of request {self.id}", fix="ask someone else to decide"
                )
            case Bar.HAS_VOTED:
                return NotDecidable(
                    f"{by} has already decided on request {self.id}", fix="ask another approver"
                )
            case Bar.HANDED_ON:
                return NotDecidable(
                    f"{by} gave their vote on request {self.id} to somebody else", fix="ask them to decide"
                )
            case Bar.NOT_ON_RECORD:
                return NotDecidable(
                    f"{by} is not on record in this fleet", fix="sign in, or ask an admin to add you"
                )
            case Bar.DISABLED:
                return NotDecidable(f"{by} is disabled", fix="ask an admin of this fleet")
            case Bar.NO_RIGHT if offered.choice is Choice.BREAK_GLASS:
                return NotDecidable(
                    f"{by} may not break glass at {gate}",
                    fix=f"ask an admin for the role {Role.GLASS_BREAKER.value}",
                )
            case Bar.NO_RIGHT:
                return NotDecidable(
                    f"{by} may not decide at {gate} ({self.asked.place})",
                    fix=f"ask an admin for the role {Role.APPROVER.value}",
                )
            case Bar.SERVICE:
                return NotDecidable(
                    f"{by} is a service account that {gate} does not list",
                    fix=f"ask a person, or add {by} to `services` of the gate in fleetcast.yaml",
                )
            case Bar.OUT_OF_TURN:
                return NotDecidable(
                    f"it is not the turn of {by}: {gate} asks for one of "
                    f"{', then one of '.join(policy.sequence)}",
                    fix="decide once those before you have",
                )
            case Bar.CHECKS_FAIL:
                return NotDecidable(
                    f"a check of request {self.id} fails, and {gate} lets nobody approve against one",
                    fix="mend what fails and train again, or reject it",
                )
            case Bar.NO_BREAKING:
                return NotDecidable(
                    f"nobody may break glass at {gate}",
                    fix="ask approvers, or declare `break_glass: allowed` for later",
                )
            case Bar.NO_REASON:
                return NotDecidable("breaking glass needs a reason", fix="give one with --comment")
            case Bar.TO_NOBODY:
                return NotDecidable("a vote is handed on to somebody", fix="name them")
            case Bar.TO_REQUESTER:
                return NotDecidable(
                    f"{to} is behind request {self.id}", fix="hand your vote to someone who is not"
                )
            case Bar.TO_VOTER:
                return NotDecidable(
                    f"{to} has a vote on request {self.id} that is used, or is {by}",
                    fix="hand yours to someone who has not voted",
                )
            case Bar.TO_UNFIT:
                return NotDecidable(
                    f"{to} may not decide at {gate}", fix="hand your vote to someone who could decide"
                )
            case Bar.HANDED_TWICE:
                return NotDecidable(
                    f"{by} was given somebody's vote, and cannot hand one on",
                    fix="ask who gave it to give it to someone else",
                )
        assert_never(bar)


_ENVIRONMENTS = {
    Gate.TEST_DEPLOYMENT: EnvironmentName.TEST,
    Gate.PROD_DEPLOYMENT: EnvironmentName.PROD,
}
_STATES: Mapping[type[Verdict], RequestState] = {
    Opens: RequestState.APPROVED,
    BrokenGlass: RequestState.BROKEN_GLASS,
    Rejected: RequestState.REJECTED,
    Lapsed: RequestState.LAPSED,
}
"""What ends a request; after anything else it waits."""


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

    def as_of(self, now: datetime, policies: Mapping[Gate, GatePolicy]) -> RequestOutline:
        """The same, lapsed if its time is over by its gate's policy; what was asked under another one becomes void."""
        policy = policies.get(self.gate)
        lapses_after = LAPSES_AFTER if policy is None else policy.lapses_after
        if self.state is RequestState.PENDING and now >= self.opened_at + lapses_after:
            return replace(self, state=RequestState.LAPSED)
        return self


@dataclass(frozen=True, slots=True)
class WantedRequests:
    """Which requests are asked for; what is None or empty holds for all."""

    states: tuple[RequestState, ...] = ()
    gate: Gate | None = None
    kind: SubjectKind | None = None
    name: str | None = None
    """Of the model, the environment or the gate."""


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


def check_displayed(requests: tuple[Request, ...], displayed: str | None) -> None:
    """Make sure that the requests that pass are those that somebody was shown.

    Args:
        requests: Those that pass now.
        displayed: The set digest that was shown, whole or its beginning; None skips the comparison.

    Raises:
        NotDecidable: They are others.
    """
    digest = set_digest(requests)
    if displayed is not None and (len(displayed) < 8 or not digest.hex.startswith(displayed)):
        raise NotDecidable(
            f"the passing requests are {digest} now, not {displayed}",
            fix="look again with `fleetcast approvals list`",
        )

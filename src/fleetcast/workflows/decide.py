"""Record what people decide on requests. Nothing else happens here; the next run acts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from fleetcast.domain.approval import (
    Choice,
    Decision,
    NotDecidable,
    Request,
    RequestState,
    Subject,
    check_displayed,
    passing,
)
from fleetcast.domain.audit import Actor
from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import GatePolicy, effective
from fleetcast.domain.gate_rule import (
    ChecksFail,
    Frozen,
    TooFew,
    Unsatisfiable,
    Verdict,
    Waits,
    can_still_approve,
)
from fleetcast.domain.people import Directory
from fleetcast.domain.place import Gate
from fleetcast.domain.role import Right
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Control
from fleetcast.workflows.requests import Requests

_NOTHING_DISPLAYED: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OpenChoices:
    """What somebody could decide on a request at one moment, besides approving and rejecting."""

    hand_on_to: tuple[str, ...] = ()
    """Names of people who could be given the vote, sorted."""
    break_glass: bool = False


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a request that was decided on still waits for."""

    missing: int
    """People who must approve yet; 0: enough have."""
    may: tuple[str, ...] = ()
    """Names of those who can, sorted; empty: anybody else, or nobody is on record who could."""
    turn: str = ""
    """The group of which somebody must approve next; empty: any approver."""
    until: datetime | None = None
    """It opens at no earlier moment, aware UTC; None: as soon as enough approved."""
    is_stuck: bool = False
    """Whether no votes of the people on record can open it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request that somebody has decided on."""

    number: int
    subject: Subject
    state: RequestState
    awaited: Awaited | None
    """None: it waits for nothing more."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Record the decision of whoever acts, on one request or on several at once."""

    control: Control
    gates: Mapping[Gate, GatePolicy]
    """As the fleet repository says: what it restricts holds at once."""
    clock: Clock

    def __call__(
        self,
        requests: Sequence[int],
        choice: Choice,
        comment: str,
        to: Actor | None = None,
        displayed: Mapping[int, str] = _NOTHING_DISPLAYED,
    ) -> Sequence[Request]:
        """Decide on requests by their numbers, all or none.

        Each is decided on as it stands at that very moment, so that two people who decide at once both count. An
        attempt on one that cannot be decided on is noted in the audit log.

        Args:
            requests: Their numbers.
            choice: What is decided.
            comment: Why.
            to: Whom a vote is handed to.
            displayed: By the number of a request, the subject digest that was shown to whoever decides; about
                those that it leaves out, nothing is compared.

        Raises:
            Denied: Whoever acts may not decide there.
            BadInput: There is no such request, or a rejection without a reason.
            NotDecidable: One of them has ended, or this person may not decide on it; nothing was decided.
        """
        about: list[Request] = []

        def vote(request: Request, directory: Directory, policies: Mapping[Gate, GatePolicy]) -> Request:
            about[:] = [request]
            shown = displayed.get(request.id, request.subject.digest.hex)
            if shown != request.subject.digest.hex:
                raise NotDecidable(
                    f"request {request.id} is about subject {request.subject.digest} now, not {shown[:12]}",
                    fix="look at it again, then decide",
                )
            right = Right.BREAK_GLASS if choice is Choice.BREAK_GLASS else Right.DECIDE
            self.control.require_in(directory, right, request.asked.place)
            return request.decide(
                choice,
                by=self.control.actor,
                comment=comment,
                at=self.clock.now(),
                in_force=effective(policies, self.gates).get(request.gate),
                directory=directory,
                to=to,
            )

        numbers = list(dict.fromkeys(requests))
        if not numbers:
            return ()
        try:
            return self.control.approvals.decide(numbers, vote)
        except NotDecidable as refused:
            self.control.approvals.note_refused(about[0], choice, comment, str(refused))
            raise

    def hand_on(
        self, request: int, name: str, comment: str, displayed: Mapping[int, str] = _NOTHING_DISPLAYED
    ) -> Request:
        """Give one's vote on a request to somebody else.

        Args:
            request: Its number.
            name: Who decides instead.
            comment: Why.
            displayed: As for a decision.

        Raises:
            BadInput: There is no such request, or nobody on record has this name.
            NotDecidable: The request has ended, one's vote is used, or the other may not decide on it.
        """
        directory = self.control.people.directory()
        person = directory.named(name)
        if person is None and not directory.is_open:
            raise BadInput(f"nobody on record is called {name}", fix="see `fleetcast people list`")
        to = Actor(name) if person is None else Actor(person.name, person=person.id)
        (decided,) = self([request], Choice.HAND_ON, comment, to, displayed)
        return decided

    def open_choices(self, request: Request) -> OpenChoices:
        """What whoever acts could decide on a request now; it is asked again when they do.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW, request.asked.place)
        directory, now = self.control.people.directory(), self.clock.now()
        in_force = effective(self.control.policies.in_force(), self.gates).get(request.gate)

        def takes(choice: Choice, to: Actor | None = None) -> bool:
            offered = Decision(self.control.actor, choice, "a reason", now, to)
            return request.takes(offered, in_force, directory)

        people = (
            sorted(directory.people, key=lambda person: person.name)
            if self.control.reaches(Right.DECIDE)
            else ()
        )
        return OpenChoices(
            tuple(
                person.name
                for person in people
                if takes(Choice.HAND_ON, Actor(person.name, person=person.id))
            ),
            self.control.reaches(Right.BREAK_GLASS) and takes(Choice.BREAK_GLASS),
        )

    def awaited(self, request: Request) -> Awaited | None:
        """What a request still waits for, under its own policy and the one in force; None: it has ended."""
        now = self.clock.now()
        if request.as_of(now).state is not RequestState.PENDING:
            return None
        directory = self.control.people.directory()
        in_force = effective(self.control.policies.in_force(), self.gates).get(request.gate)
        policies = tuple(dict.fromkeys((request.policy, in_force or request.policy)))
        may = set.intersection(
            *(
                {
                    actor.name
                    for actor in can_still_approve(policy, directory, request.asked, request.decisions)
                }
                for policy in policies
            )
        )
        found = [_awaited(request.verdict(now, directory, policy), tuple(sorted(may))) for policy in policies]
        return max(found, key=lambda one: (one.is_stuck, one.missing, one.until is not None))

    def pending(self) -> Sequence[Request]:
        """What waits for a decision, oldest first.

        Raises:
            Denied: Whoever acts may not look.
        """
        self.control.require(Right.VIEW)
        return Requests(self.control, self.clock.now()).pending()

    def passing(self, comment: str, displayed: str | None = None) -> Sequence[Request]:
        """Approve every pending request whose checks pass.

        Args:
            comment: Why.
            displayed: The set digest that was shown, whole or its beginning; None skips the comparison.

        Raises:
            NotDecidable: What waits is not what was displayed.
        """
        requests = passing(self.pending())
        check_displayed(requests, displayed)
        return self([request.id for request in requests], Choice.APPROVE, comment)


def _awaited(verdict: Verdict, may: tuple[str, ...]) -> Awaited:
    match verdict:
        case Waits(missing, turn, until):
            return Awaited(missing, may if missing else (), turn, until)
        case Frozen(until):
            return Awaited(0, until=until)
        case Unsatisfiable(TooFew(missing, _)):
            return Awaited(missing, may, is_stuck=True)
        case Unsatisfiable() | ChecksFail():
            return Awaited(1, is_stuck=True)
        case _:
            return Awaited(0)

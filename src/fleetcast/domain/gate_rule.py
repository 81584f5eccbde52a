"""Counting votes at a gate: who counts, how many are missing, and whether it opens at this moment.

Everything is counted anew from the decisions, each time with the people on record now: whoever was disabled or lost the
right in between counts no longer. Anything that is not known shuts the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.audit import Actor, Standing
from fleetcast.domain.commit import Writer, known_writers, unknown_writers
from fleetcast.domain.evidence import Outcome
from fleetcast.domain.freeze import frozen_until
from fleetcast.domain.gate import ANYONE, GatePolicy
from fleetcast.domain.people import Directory, Kind, Person, folded
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Right


class Choice(StrEnum):
    """What one person decides."""

    APPROVE = "approve"
    REJECT = "reject"
    HAND_ON = "hand on"
    """Give one's vote to somebody else."""
    BREAK_GLASS = "break glass"
    """Go through without approvals, in an emergency: no approval itself."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's choice, with a comment."""

    by: Actor
    choice: Choice
    comment: str
    at: datetime
    to: Actor | None = None
    """Whom a vote was handed to."""


class Sense(StrEnum):
    """In which way somebody is behind what is asked."""

    STARTED_RUN = "started the run"
    WROTE_COMMIT = "wrote the commit"
    MADE_VERSION = "made the version"


@dataclass(frozen=True, slots=True)
class Asked:
    """What waits at a gate, as far as counting needs to know it."""

    place: Scope
    opened_at: datetime
    outcome: Outcome
    started_by: Actor
    committed_by: tuple[Writer, ...] = ()
    """Empty, or with somebody who is on no record: not known, so a policy that bars them does not open."""
    made_by: tuple[Actor, ...] = ()
    """Empty: the same."""

    def behind(self, sense: Sense, directory: Directory) -> tuple[Actor, ...]:
        """Who is known to be behind it in one sense."""
        return {
            Sense.STARTED_RUN: (self.started_by,),
            Sense.WROTE_COMMIT: known_writers(directory, self.committed_by),
            Sense.MADE_VERSION: self.made_by,
        }[sense]

    def is_known(self, sense: Sense, directory: Directory) -> bool:
        """Whether everybody who is behind it in one sense is known."""
        strangers = unknown_writers(directory, self.committed_by) if sense is Sense.WROTE_COMMIT else ()
        return bool(self.behind(sense, directory)) and not strangers


class NoPolicy(StrEnum):
    """Why there is no policy to count by."""

    MISSING = "missing"
    UNREADABLE = "unreadable"


# What keeps a person's decision from counting


class Bar(StrEnum):
    """Why somebody cannot make a decision."""

    NOT_ON_RECORD = "not on record"
    DISABLED = "disabled"
    NO_RIGHT = "no right"
    """To decide at this place, or to break glass there."""
    SERVICE = "service"
    """A program that the policy does not list."""
    NOT_LISTED = "not listed"
    NOT_VERIFIED = "not verified"
    STARTED_RUN = "started the run"
    WROTE_COMMIT = "wrote the commit"
    MADE_VERSION = "made the version"
    HAS_VOTED = "has voted"
    HANDED_ON = "handed on"
    """They gave their vote to somebody else."""
    OUT_OF_TURN = "out of turn"
    CHECKS_FAIL = "checks fail"
    NO_BREAKING = "no breaking"
    """The policy lets nobody break glass."""
    NO_REASON = "no reason"
    TO_NOBODY = "to nobody"
    TO_REQUESTER = "to the requester"
    TO_VOTER = "to a voter"
    """They have voted, handed on their own vote, or are the person who hands it on."""
    TO_UNFIT = "to somebody unfit"
    """They may not decide here themselves."""
    HANDED_TWICE = "handed twice"
    """A vote that was handed on is not handed on again."""


_BARRED_SENSE = {
    Sense.STARTED_RUN: Bar.STARTED_RUN,
    Sense.WROTE_COMMIT: Bar.WROTE_COMMIT,
    Sense.MADE_VERSION: Bar.MADE_VERSION,
}


# What comes of counting


@dataclass(frozen=True, slots=True)
class Opens:
    """Enough people approved, and it may open now."""

    by: tuple[Actor, ...]
    """In the order in which they approved."""


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """Somebody goes through without approvals."""

    by: Actor
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Somebody rejected it, which is final."""

    by: Actor
    why: str


@dataclass(frozen=True, slots=True)
class Lapsed:
    """Too few approved in time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ChecksFail:
    """A check failed, and this gate lets nobody decide against one."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Waits:
    """It opens with more approvals, or later."""

    missing: int
    """People who must approve yet."""
    turn: str = ""
    """The group of which somebody must approve next; empty: any approver."""
    until: datetime | None = None
    """It opens at no earlier moment; None: as soon as enough approved."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Enough people approved, and nothing opens until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class TooFew:
    """Fewer people can still approve than must."""

    missing: int
    may: int


@dataclass(frozen=True, slots=True)
class NobodyOf:
    """Nobody of a group of the sequence can still approve."""

    group: str


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Who must not approve is not known."""

    sense: Sense


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """No votes of the people on record can open it."""

    why: TooFew | NobodyOf | NotKnown | NoPolicy


Verdict = Opens | BrokenGlass | Rejected | Lapsed | ChecksFail | Waits | Frozen | Unsatisfiable


def goes_through(verdict: Verdict) -> bool:
    """Whether what was asked may happen now."""
    return isinstance(verdict, Opens | BrokenGlass)


def counted(
    policy: GatePolicy | NoPolicy,
    directory: Directory,
    asked: Asked,
    decisions: Sequence[Decision],
    now: datetime,
) -> Verdict:
    """Count all decisions anew, by the people on record now.

    Args:
        policy: That of the gate; what is missing or unreadable opens nothing.
        directory: The people on record; with nobody on it, names stand for themselves.
        asked: What waits.
        decisions: All that were made on it, oldest first.
        now: Aware UTC.
    """
    if isinstance(policy, NoPolicy):
        return Unsatisfiable(policy)
    for decision in decisions:
        if decision.choice is Choice.REJECT:
            return Rejected(decision.by, decision.comment)
    return _Count(policy, directory, asked).verdict(decisions, now)


def barred(
    policy: GatePolicy,
    directory: Directory,
    asked: Asked,
    decisions: Sequence[Decision],
    offered: Decision,
) -> Bar | None:
    """Why a decision cannot be made by this person after these decisions; None: it can."""
    return _Count(policy, directory, asked).bar(decisions, offered)


def can_still_approve(
    policy: GatePolicy, directory: Directory, asked: Asked, decisions: Sequence[Decision]
) -> tuple[Actor, ...]:
    """Whose approval would count after these decisions, each once, if it is their turn.

    Where nobody is on record: those whom the policy names; none for one that anybody may approve.
    """
    return _Count(policy, directory, asked).still(decisions)


def same_human(directory: Directory, one: Actor, other: Actor) -> bool:
    """Whether two accounts, tokens or spellings are one human's, as far as can be known."""
    return bool(_marks(directory, one) & _marks(directory, other))


Marks = frozenset[tuple[str, object]]
"""What tells one human from another: two that share any are one."""


def _on_record(directory: Directory, actor: Actor) -> Person | None:
    return directory.person(directory.recognised(actor).person)


def _marks(directory: Directory, actor: Actor) -> Marks:
    person = _on_record(directory, actor) or directory.named(actor.name)
    if person is not None:
        return frozenset({("id", person.id)})
    marks: set[tuple[str, object]] = {("name", folded(actor.name))}
    if actor.person:
        marks.add(("id", actor.person))
    if actor.proof is not None:
        marks.add(("proof", actor.proof))
    return frozenset(marks)


@dataclass(frozen=True, slots=True)
class _HandedOn:
    """A vote that somebody gave to somebody else."""

    by: Actor
    giver: Marks
    to: Actor
    receiver: Marks


@dataclass(slots=True)
class _Ballots:
    """What was voted so far."""

    used: set[tuple[str, object]] = field(default_factory=set)
    """Marks of everybody who approved or handed on their vote: one human, one vote, the first."""
    handed: list[_HandedOn] = field(default_factory=list)
    count: list[Actor] = field(default_factory=list)
    """Who approved and counts, in that order; all else here is the same under every policy."""

    def given_to(self, marks: Marks) -> Iterator[_HandedOn]:
        """The votes that were handed to somebody."""
        return (each for each in self.handed if each.receiver & marks)

    def given_by(self, marks: Marks) -> _HandedOn | None:
        """The vote that somebody handed on."""
        return next((each for each in self.handed if each.giver & marks), None)

    def hand(self, handed: _HandedOn) -> None:
        """Note that a vote was handed on; what the same person handed to somebody else before is void."""
        self.handed = [each for each in self.handed if not each.giver & handed.giver]
        self.handed.append(handed)
        self.used |= handed.giver


@dataclass(frozen=True, slots=True)
class _Count:
    policy: GatePolicy
    directory: Directory
    asked: Asked

    # Who may

    def _not_here(self, actor: Actor, right: Right = Right.DECIDE) -> Bar | None:
        """What keeps somebody from deciding here under any policy."""
        if self.directory.is_open:
            return None
        person = _on_record(self.directory, actor)
        if person is None:
            return Bar.NOT_ON_RECORD
        if person.disabled:
            return Bar.DISABLED
        known = self.directory.recognised(actor)
        return None if self.directory.may(known, right, self.asked.place) else Bar.NO_RIGHT

    def _behind(self, actor: Actor) -> Iterator[Sense]:
        """The senses in which somebody is known to be behind what is asked."""
        for sense in Sense:
            others = self.asked.behind(sense, self.directory)
            if any(same_human(self.directory, actor, other) for other in others):
                yield sense

    @property
    def _forbidden(self) -> tuple[Sense, ...]:
        allowed = {
            Sense.STARTED_RUN: self.policy.own_request_allowed,
            Sense.WROTE_COMMIT: self.policy.own_commit_allowed,
            Sense.MADE_VERSION: self.policy.own_version_allowed,
        }
        return tuple(sense for sense in Sense if not allowed[sense])

    def _is_named(self, actor: Actor) -> bool:
        """Whether the policy names somebody: as a person, as a service account, or as anyone."""
        person = _on_record(self.directory, actor)
        approvers, services = self.policy.approvers, self.policy.services
        if person is None:
            return ANYONE in approvers or actor.name in (*approvers, *services)
        if person.kind is Kind.SERVICE:
            return person in map(self.directory.named, services)
        return ANYONE in approvers or person in map(self.directory.named, approvers)

    def _is_service(self, actor: Actor) -> bool:
        person = _on_record(self.directory, actor)
        return person is not None and person.kind is Kind.SERVICE

    def _is_of(self, actor: Actor, groups: Sequence[str]) -> bool:
        person = _on_record(self.directory, actor)
        found = map(self.directory.group, groups)
        return person is not None and any(group is not None and person.id in group.members for group in found)

    def _is_listed(self, actor: Actor) -> bool:
        return self._is_named(actor) or (
            not self._is_service(actor) and self._is_of(actor, self.policy.groups)
        )

    def _unlisted(self, actor: Actor, ballots: _Ballots) -> Bar | None:
        """What keeps somebody out whom the policy does not list and nobody whom it names gave their vote to."""
        if self._is_listed(actor):
            return None
        if self._is_service(actor):
            return Bar.SERVICE
        givers = [each.by for each in ballots.given_to(_marks(self.directory, actor))]
        stands_in = any(self._is_named(giver) and self._unfit(giver) is None for giver in givers)
        return None if stands_in else Bar.NOT_LISTED

    def _unfit(self, actor: Actor) -> Bar | None:
        """What the policy has against somebody, once they are listed."""
        if self._is_unverified(actor):
            return Bar.NOT_VERIFIED
        behind = (sense for sense in self._behind(actor) if sense in self._forbidden)
        return next((_BARRED_SENSE[sense] for sense in behind), None)

    # What was voted

    def _is_in_time(self, decision: Decision) -> bool:
        return decision.at < self._lapses_at

    @property
    def _lapses_at(self) -> datetime:
        return self.asked.opened_at + self.policy.lapses_after

    def _ballots(self, decisions: Sequence[Decision]) -> _Ballots:
        """What was voted, and whose vote counts.

        What comes from nobody on record is passed over, so that it cannot use up the vote of whoever it names.
        """
        ballots = _Ballots()
        for decision in decisions:
            if not self._is_in_time(decision) or self._not_here(decision.by):
                continue
            marks = _marks(self.directory, decision.by)
            if decision.choice is Choice.APPROVE and not marks & ballots.used:
                if self._counts(decision.by, ballots):
                    ballots.count.append(decision.by)
                ballots.used |= marks
            elif decision.choice is Choice.HAND_ON and self._handing_bar(decision, ballots) is None:
                to = self._receiver(decision)
                ballots.hand(_HandedOn(decision.by, marks, to, _marks(self.directory, to)))
        return ballots

    def _counts(self, actor: Actor, ballots: _Ballots) -> bool:
        bar = self._unlisted(actor, ballots) or self._unfit(actor)
        return bar is None and self._is_turn_of(actor, ballots)

    def _turn(self, ballots: _Ballots) -> str:
        """The group that is next; empty once everybody may."""
        rest = self.policy.sequence[len(ballots.count) :]
        return rest[0] if rest else ""

    def _is_turn_of(self, actor: Actor, ballots: _Ballots) -> bool:
        turn = self._turn(ballots)
        return not turn or self._is_of(actor, (turn,))

    # Handing on

    def _receiver(self, decision: Decision) -> Actor:
        """Whom a vote is handed to: a name is enough to say whom one means."""
        to = decision.to or decision.by
        person = None if to.person else self.directory.named(to.name)
        return to if person is None else replace(to, person=person.id)

    def _handing_bar(self, decision: Decision, ballots: _Ballots) -> Bar | None:
        """What keeps a vote from being handed on, under any policy."""
        if decision.to is None:
            return Bar.TO_NOBODY
        to = self._receiver(decision)
        giver, receiver = _marks(self.directory, decision.by), _marks(self.directory, to)
        before = ballots.given_by(giver)
        if before is not None and before.receiver & ballots.used:
            return Bar.HANDED_ON
        if before is None and giver & ballots.used:
            return Bar.HAS_VOTED
        if any(ballots.given_to(giver)):
            return Bar.HANDED_TWICE
        if any(self._behind(to)):
            return Bar.TO_REQUESTER
        if receiver & (ballots.used | giver):
            return Bar.TO_VOTER
        return Bar.TO_UNFIT if self._not_here(to) else None

    def _receiver_bar(self, decision: Decision) -> Bar | None:
        """A name in the policy can be stood in for; a group cannot, nor can a program stand in for anybody."""
        to = self._receiver(decision)
        stands_in = self._is_named(decision.by) and not self._is_service(to)
        return None if self._is_listed(to) or stands_in else Bar.TO_UNFIT

    # Whether a decision can be made

    def bar(self, decisions: Sequence[Decision], offered: Decision) -> Bar | None:
        """Why a decision cannot be made after these; None: it can."""
        if offered.choice is Choice.BREAK_GLASS:
            return self._breaking_bar(offered)
        ballots = self._ballots(decisions)
        by = offered.by
        if bar := self._not_here(by) or self._unlisted(by, ballots) or self._unfit(by):
            return bar
        if offered.choice is Choice.HAND_ON:
            return self._handing_bar(offered, ballots) or self._receiver_bar(offered)
        marks = _marks(self.directory, by)
        if marks & ballots.used:
            return Bar.HAS_VOTED if ballots.given_by(marks) is None else Bar.HANDED_ON
        return self._approving_bar(by, ballots) if offered.choice is Choice.APPROVE else None

    def _approving_bar(self, by: Actor, ballots: _Ballots) -> Bar | None:
        if self._checks_fail:
            return Bar.CHECKS_FAIL
        return None if self._is_turn_of(by, ballots) else Bar.OUT_OF_TURN

    def _breaking_bar(self, offered: Decision) -> Bar | None:
        if not self.policy.break_glass:
            return Bar.NO_BREAKING
        if not offered.comment.strip():
            return Bar.NO_REASON
        if self.directory.is_open:
            return Bar.NO_RIGHT
        if bar := self._not_here(offered.by, Right.BREAK_GLASS):
            return bar
        return Bar.NOT_VERIFIED if self._is_unverified(offered.by) else None

    def _is_unverified(self, actor: Actor) -> bool:
        """Whether somebody is less well known than the policy demands; a demo demands nothing."""
        asserted = actor.standing is not Standing.VERIFIED
        return self.policy.verified and asserted and not self.directory.is_demo

    # The verdict

    def verdict(self, decisions: Sequence[Decision], now: datetime) -> Verdict:
        """What comes of all decisions, none of which rejects."""
        for decision in decisions:
            is_break = decision.choice is Choice.BREAK_GLASS and self._is_in_time(decision)
            if is_break and self._breaking_bar(decision) is None:
                return BrokenGlass(decision.by, decision.comment)
        for sense in self._forbidden:
            if not self.asked.is_known(sense, self.directory):
                return Unsatisfiable(NotKnown(sense))
        ballots = self._ballots(decisions)
        missing = self.policy.people_needed - len(ballots.count)
        if missing > 0 and now >= self._lapses_at:
            return Lapsed(self._lapses_at)
        if self._checks_fail:
            return ChecksFail(self.asked.outcome)
        opens_at = self.asked.opened_at + self.policy.not_before
        if missing > 0:
            until = opens_at if now < opens_at else None
            return self._stuck(ballots, missing) or Waits(missing, self._turn(ballots), until)
        if now < opens_at:
            return Waits(0, until=opens_at)
        thaws_at = frozen_until(self.policy.freezes, now)
        return Opens(tuple(ballots.count)) if thaws_at is None else Frozen(thaws_at)

    @property
    def _checks_fail(self) -> bool:
        return self.asked.outcome is Outcome.FAILING and not self.policy.failing_allowed

    def _stuck(self, ballots: _Ballots, missing: int) -> Unsatisfiable | None:
        """Whether those who can still approve are too few, whatever they do."""
        left = self._left(ballots)
        for group in self.policy.sequence[len(ballots.count) :]:
            if not any(self._is_of(actor, (group,)) for actor in left):
                return Unsatisfiable(NobodyOf(group))
        anyone = self.directory.is_open and ANYONE in self.policy.approvers
        few = not anyone and len(left) < missing
        return Unsatisfiable(TooFew(missing, len(left))) if few else None

    def still(self, decisions: Sequence[Decision]) -> tuple[Actor, ...]:
        """Who can still approve after these."""
        return tuple(self._left(self._ballots(decisions)))

    def _left(self, ballots: _Ballots) -> Sequence[Actor]:
        """Who can still approve, each once; where nobody is on record, as far as they are named."""
        if self.directory.is_open:
            named = (
                *self.policy.approvers,
                *self.policy.services,
                *(each.to.name for each in ballots.handed),
            )
            known = [Actor(name, Standing.VERIFIED) for name in named if name != ANYONE]
        else:
            known = [Actor(one.name, Standing.VERIFIED, person=one.id) for one in self.directory.people]
        left: dict[Marks, Actor] = {}
        for actor in known:
            marks = _marks(self.directory, actor)
            bar = self._not_here(actor) or self._unlisted(actor, ballots) or self._unfit(actor)
            if bar is None and not marks & ballots.used:
                left.setdefault(marks, actor)
        return tuple(left.values())

"""Deciding: who may, how many must, until when, and on exactly what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.approval import (
    Choice,
    NotDecidable,
    Request,
    RequestState,
    Subject,
    SubjectKind,
    set_digest,
)
from fleetcast.domain.audit import Actor, Standing
from fleetcast.domain.commit import Writer
from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import (
    Bound,
    BoundCheck,
    CheckVerdict,
    Evidence,
    Outcome,
    PythonFact,
    WordedCheck,
)
from fleetcast.domain.freeze import parse_freeze
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.gate_rule import BrokenGlass
from fleetcast.domain.happened import request_decided
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import Directory, Grant, Group, Kind, Person
from fleetcast.domain.place import Gate
from fleetcast.domain.role import Role
from tests.clocks import NOON

ADA, GRACE, EDSGER = Actor("ada"), Actor("grace"), Actor("edsger")
SIGNED_IN = [Actor(name, Standing.VERIFIED) for name in ("ada", "grace", "edsger")]
EVIDENCE = Evidence((BoundCheck(Bound.MIN_SKILL, 0.3, 0.0),), (PythonFact("3.11"),))
SUBJECT = Subject(
    SubjectKind.MODEL,
    "m",
    "1",
    artifact=Digest.of(b"artifact"),
    configuration=Digest.of(b"configuration"),
    policy=Digest.of(b"policy"),
    evidence=EVIDENCE.digest,
)


def request(
    policy: GatePolicy | None = None, *, gate: Gate = Gate.REGISTRY_PROMOTION, number: int = 1
) -> Request:
    by = SIGNED_IN[0] if gate is Gate.PROD_DEPLOYMENT else ADA
    return Request(number, gate, policy or GatePolicy(), SUBJECT, EVIDENCE, "run-0001", by, NOON)


def approve(held: Request, by: Actor, *, after: timedelta = timedelta(0)) -> Request:
    return held.decide(Choice.APPROVE, by=by, comment="fine", at=NOON + after)


def test_one_approval_is_enough_where_one_is_the_minimum() -> None:
    decided = approve(request(), ADA)
    assert decided.state is RequestState.APPROVED
    assert decided.decisions[0].comment == "fine"


def test_two_different_people_must_agree_where_the_minimum_is_two() -> None:
    first = approve(request(GatePolicy(minimum=2)), GRACE)
    assert first.state is RequestState.PENDING
    with pytest.raises(NotDecidable, match="grace has already decided"):
        approve(first, GRACE)
    assert approve(first, EDSGER).state is RequestState.APPROVED


def test_ones_own_request_may_be_out_of_reach() -> None:
    held = request(GatePolicy(own_request_allowed=False))
    with pytest.raises(NotDecidable, match="ada made request 1"):
        approve(held, ADA)
    assert approve(held, GRACE).state is RequestState.APPROVED


def test_who_is_not_an_approver_cannot_decide_and_is_told_who_can() -> None:
    with pytest.raises(NotDecidable) as caught:
        approve(request(GatePolicy(("edsger", "grace"))), ADA)
    assert "edsger, grace" in caught.value.fix


def test_one_rejection_ends_a_request() -> None:
    policy = GatePolicy(minimum=2)
    rejected = approve(request(policy), GRACE).decide(Choice.REJECT, by=EDSGER, comment="drifts", at=NOON)
    assert rejected.state is RequestState.REJECTED
    with pytest.raises(NotDecidable, match="is rejected"):
        approve(rejected, ADA)


@pytest.mark.parametrize("state", [state for state in RequestState if state is not RequestState.PENDING])
def test_a_request_that_has_ended_cannot_be_decided(state: RequestState) -> None:
    with pytest.raises(NotDecidable, match=f"is {state.value}"):
        approve(replace(request(), state=state), GRACE)


def test_a_request_lapses_after_30_days() -> None:
    almost, over = timedelta(days=30) - timedelta(seconds=1), timedelta(days=30)
    assert approve(request(), GRACE, after=almost).state is RequestState.APPROVED
    assert request().as_of(NOON + over).state is RequestState.LAPSED
    with pytest.raises(NotDecidable, match="is lapsed"):
        approve(request(), GRACE, after=over)


def test_a_decided_request_never_lapses() -> None:
    decided = approve(request(), GRACE)
    assert decided.as_of(NOON + timedelta(days=365)) == decided


@pytest.mark.parametrize("gate", list(Gate))
def test_asserted_people_never_satisfy_a_policy_that_wants_verified_ones(gate: Gate) -> None:
    assert DEFAULT_GATES[Gate.PROD_DEPLOYMENT].verified
    for policy in (DEFAULT_GATES[Gate.PROD_DEPLOYMENT], GatePolicy(verified=True)):
        with pytest.raises(NotDecidable, match="grace is not signed in"):
            approve(request(policy, gate=gate), GRACE)


def test_a_person_must_satisfy_the_policy_in_force_as_well_as_the_one_a_request_was_opened_under() -> None:
    only_grace = GatePolicy(("grace",))
    for opened, in_force in ((GatePolicy(), only_grace), (only_grace, GatePolicy())):
        held = request(opened)
        with pytest.raises(NotDecidable, match="ada is not an approver"):
            held.decide(Choice.APPROVE, by=ADA, comment="", at=NOON, in_force=in_force)
        decided = held.decide(Choice.APPROVE, by=GRACE, comment="", at=NOON, in_force=in_force)
        assert decided.state is RequestState.APPROVED


def test_production_takes_two_signed_in_people_who_did_not_ask() -> None:
    held = request(DEFAULT_GATES[Gate.PROD_DEPLOYMENT], gate=Gate.PROD_DEPLOYMENT)
    ada, grace, edsger = SIGNED_IN
    with pytest.raises(NotDecidable, match="ada made request"):
        approve(held, ada)
    first = approve(held, grace)
    assert first.state is RequestState.PENDING
    assert approve(first, edsger).state is RequestState.APPROVED


@pytest.mark.parametrize("field", ["artifact", "configuration", "policy", "evidence"])
def test_an_edit_of_anything_pinned_makes_another_subject(field: str) -> None:
    edited = replace(SUBJECT, **{field: Digest.of(b"edited")})  # type: ignore[arg-type]  # a digest each
    assert edited.digest != SUBJECT.digest


def test_evidence_passes_unless_a_check_failed() -> None:
    def evidence(*verdicts: CheckVerdict) -> Evidence:
        return Evidence(tuple(WordedCheck("c", verdict, "") for verdict in verdicts), ())

    assert evidence().outcome is Outcome.PASSING
    assert evidence(CheckVerdict.PASSED, CheckVerdict.NOT_COMPARABLE).outcome is Outcome.PASSING
    assert evidence(CheckVerdict.PASSED, CheckVerdict.FAILED).outcome is Outcome.FAILING
    assert evidence(CheckVerdict.NOT_COMPARABLE, CheckVerdict.FAILED).outcome is Outcome.FAILING
    assert evidence(CheckVerdict.NOT_COMPARABLE).outcome is Outcome.NOT_COMPARABLE


def test_the_set_digest_knows_its_members_not_their_order() -> None:
    one, two = request(number=1), request(number=2)
    other = replace(two, subject=replace(SUBJECT, version="2"))
    assert set_digest((one, two)) == set_digest((two, one))
    assert len({set_digest(members) for members in ((), (one,), (one, two), (one, other))}) == 4


# With people on record


PEOPLE = Directory(
    (
        Person("p1", "ada", aliases=("countess",)),
        Person("p2", "grace"),
        Person("p3", "edsger"),
        Person("p4", "robot", Kind.SERVICE),
    ),
    (Group("leads", frozenset({"p2"})),),
    frozenset(
        {
            Grant("p1", Role.APPROVER),
            Grant("p2", Role.APPROVER),
            Grant("p4", Role.APPROVER),
            Grant("p3", Role.GLASS_BREAKER),
        }
    ),
)


def known(name: str) -> Actor:
    person = PEOPLE.named(name)
    return Actor(name, Standing.VERIFIED, person=person.id if person else "")


RULES = GatePolicy(own_commit_allowed=False, own_version_allowed=False, failing_allowed=False)
BEHIND = replace(request(RULES), committed_by=(Writer("countess"),), made_by=(known("grace"),))
FAILING = replace(BEHIND, evidence=Evidence((BoundCheck(Bound.MIN_SKILL, -1.0, 0.0),), ()))


@pytest.mark.parametrize(
    ("held", "by", "choice", "to", "says"),
    [
        (request(), "nobody", Choice.APPROVE, None, "nobody is not on record in this fleet"),
        (request(), "edsger", Choice.APPROVE, None, "edsger may not decide at registry-promotion"),
        (request(), "robot", Choice.APPROVE, None, "a service account that registry-promotion does not list"),
        (BEHIND, "ada", Choice.APPROVE, None, "ada wrote the commit that request 1 comes from"),
        (BEHIND, "grace", Choice.REJECT, None, "grace made the version of request 1"),
        (
            replace(FAILING, policy=replace(RULES, own_version_allowed=True)),
            "grace",
            Choice.APPROVE,
            None,
            "fails",
        ),
        (request(GatePolicy(sequence=("leads",))), "ada", Choice.APPROVE, None, "not the turn of ada"),
        (request(), "edsger", Choice.BREAK_GLASS, None, "nobody may break glass at registry-promotion"),
        (request(GatePolicy(break_glass=True)), "ada", Choice.BREAK_GLASS, None, "ada may not break glass"),
        (request(), "ada", Choice.HAND_ON, None, "handed on to somebody"),
        (request(), "grace", Choice.HAND_ON, "countess", "countess is behind request 1"),
        (request(), "grace", Choice.HAND_ON, "grace", "or is grace"),
        (request(), "grace", Choice.HAND_ON, "edsger", "edsger may not decide at registry-promotion"),
    ],
)
def test_who_may_not_decide_is_told_what_to_do(
    held: Request, by: str, choice: Choice, to: str | None, says: str
) -> None:
    with pytest.raises(NotDecidable, match=says) as caught:
        held.decide(
            choice,
            by=known(by),
            comment="fine",
            at=NOON,
            directory=PEOPLE,
            to=None if to is None else known(to),
        )
    assert caught.value.fix


def test_somebody_disabled_decides_nothing() -> None:
    gone = replace(PEOPLE, people=(replace(PEOPLE.people[0], disabled=True), *PEOPLE.people[1:]))
    with pytest.raises(NotDecidable, match="ada is disabled"):
        request().decide(Choice.APPROVE, by=known("ada"), comment="", at=NOON, directory=gone)


def test_one_human_under_two_names_decides_once() -> None:
    first = request(GatePolicy(minimum=2)).decide(
        Choice.APPROVE, by=known("ada"), comment="", at=NOON, directory=PEOPLE
    )
    with pytest.raises(NotDecidable, match="countess has already decided"):
        first.decide(Choice.APPROVE, by=known("countess"), comment="", at=NOON, directory=PEOPLE)


def test_breaking_glass_ends_a_request_as_no_approval() -> None:
    held = request(GatePolicy(minimum=2, break_glass=True))
    with pytest.raises(NotDecidable, match="needs a reason"):
        held.decide(Choice.BREAK_GLASS, by=known("edsger"), comment=" ", at=NOON, directory=PEOPLE)
    broken = held.decide(Choice.BREAK_GLASS, by=known("edsger"), comment="fire", at=NOON, directory=PEOPLE)
    assert broken.state is RequestState.BROKEN_GLASS
    assert broken.verdict(NOON, PEOPLE) == BrokenGlass(known("edsger"), "fire")


def test_a_vote_that_was_handed_on_is_cast_by_who_was_given_it() -> None:
    held = request(GatePolicy(("grace",)))
    given = held.decide(Choice.HAND_ON, by=Actor("grace"), comment="on leave", at=NOON, to=Actor("edsger"))
    assert given.state is RequestState.PENDING
    assert request_decided(given).detail["to"] == "edsger"
    with pytest.raises(NotDecidable, match="grace gave their vote on request 1 to somebody else"):
        approve(given, Actor("grace"))
    with pytest.raises(NotDecidable, match="edsger was given somebody's vote"):
        given.decide(Choice.HAND_ON, by=Actor("edsger"), comment="", at=NOON, to=Actor("barbara"))
    assert approve(given, EDSGER).state is RequestState.APPROVED


def test_what_is_approved_too_early_waits_and_is_settled_by_time() -> None:
    freeze = parse_freeze("2025-12-01T00:00Z to 2025-12-02T00:00Z")
    day = timedelta(days=1)
    for policy in (GatePolicy(not_before=day), GatePolicy(freezes=(freeze,))):
        decided = approve(request(policy), GRACE)
        assert decided.state is RequestState.PENDING
        assert decided.settled(NOON + timedelta(hours=11)).state is RequestState.PENDING
        assert decided.settled(NOON + day).state is RequestState.APPROVED
    assert request().settled(NOON + 30 * day).state is RequestState.LAPSED
    assert request(GatePolicy(lapses_after=day)).settled(NOON + day).state is RequestState.LAPSED
    assert request(GatePolicy(lapses_after=day)).as_of(NOON + day).state is RequestState.LAPSED
    rejected = request().decide(Choice.REJECT, by=GRACE, comment="no", at=NOON)
    assert rejected.settled(NOON + 40 * day) == rejected


def test_a_request_is_approved_only_once_the_policy_in_force_is_satisfied_too() -> None:
    held, two = request(), GatePolicy(minimum=2)
    first = held.decide(Choice.APPROVE, by=GRACE, comment="", at=NOON, in_force=two)
    assert first.state is RequestState.PENDING
    assert (
        first.decide(Choice.APPROVE, by=EDSGER, comment="", at=NOON, in_force=two).state
        is RequestState.APPROVED
    )


@pytest.mark.parametrize(
    "comment",
    ["fine\n2025-12-01 request 2 approved by grace", "fine\r", "\x1b[2J", "a\u202eb", "\u2028", "x" * 1_001],
    ids=["a line", "a return", "a terminal's command", "from right to left", "a line separator", "too long"],
)
def test_a_comment_cannot_pass_for_lines_of_a_log(comment: str) -> None:
    with pytest.raises(BadInput, match="comment"):
        request().decide(Choice.APPROVE, by=Actor("grace"), comment=comment, at=NOON)

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
from fleetcast.domain.evidence import (
    Bound,
    BoundCheck,
    CheckVerdict,
    Evidence,
    Outcome,
    PythonFact,
    WordedCheck,
)
from fleetcast.domain.gate import DEFAULT_GATES, Gate, GatePolicy
from fleetcast.domain.identity import Digest
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

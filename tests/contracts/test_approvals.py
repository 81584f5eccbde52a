"""The approval book: numbered requests, one pending for each subject, and no decision on stale ground."""

from __future__ import annotations

import pytest

from fleetcast.domain.approval import Choice, NotDecidable, Request, RequestState
from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import GatePolicy
from fleetcast.ports.platform import Platform
from tests.clocks import NOON
from tests.contracts.samples import ADA, GRACE, digest, request

TWO_PEOPLE = GatePolicy(minimum=2)


def approved(held: Request) -> Request:
    return held.decide(Choice.APPROVE, by=GRACE, comment="fine", at=NOON)


def test_requests_are_numbered_from_1(platform: Platform) -> None:
    first = platform.control.approvals.open([request("a"), request("b")])
    second = platform.control.approvals.open([request("c")])
    assert [held.id for held in (*first, *second)] == [1, 2, 3]
    assert platform.control.approvals.find(2) == first[1]


def test_a_request_that_does_not_exist_cannot_be_found(platform: Platform) -> None:
    with pytest.raises(BadInput, match="no request 7"):
        platform.control.approvals.find(7)


def test_a_pending_subject_is_not_asked_for_twice(platform: Platform) -> None:
    (first,) = platform.control.approvals.open([request("a")])
    again = platform.control.approvals.open([request("a"), request("b"), request("b")])
    assert [held.id for held in again] == [1, 2, 2]
    assert again[0] == first
    assert [entry.event.action for entry in list(platform.control.audit.entries())] == ["request.opened"] * 2


def test_a_subject_may_be_asked_for_again_once_its_request_ended(platform: Platform) -> None:
    (first,) = platform.control.approvals.open([request("a")])
    platform.control.approvals.record([first.voided()])
    (second,) = platform.control.approvals.open([request("a")])
    assert second.id == 2
    about = platform.control.approvals.about([first.subject.digest, digest("something else")])
    assert [(held.id, held.state) for held in about] == [(1, RequestState.VOID), (2, RequestState.PENDING)]


def test_requests_are_listed_by_state_in_their_order(platform: Platform) -> None:
    first, second, third = platform.control.approvals.open([request("a"), request("b"), request("c")])
    platform.control.approvals.record([approved(second)])
    assert platform.control.approvals.listed((RequestState.PENDING,)) == [first, third]
    assert platform.control.approvals.listed((RequestState.APPROVED,)) == [approved(second)]
    assert [held.id for held in platform.control.approvals.listed()] == [1, 2, 3]
    assert [held.id for held in platform.control.approvals.latest(2)] == [2, 3]
    assert [held.id for held in platform.control.approvals.latest(9)] == [1, 2, 3]


def test_a_decision_and_its_audit_entry_come_together(platform: Platform) -> None:
    (held,) = platform.control.approvals.open([request("a")])
    platform.control.approvals.record([approved(held)])
    assert platform.control.approvals.find(1).decisions == approved(held).decisions
    assert [entry.event.action for entry in list(platform.control.audit.entries())] == [
        "request.opened",
        "request.approved",
    ]


def test_a_second_decision_on_what_was_read_before_the_first_is_refused(platform: Platform) -> None:
    (read_by_both,) = platform.control.approvals.open([request("a")])
    platform.control.approvals.record([approved(read_by_both)])
    before = list(platform.control.audit.entries())
    with pytest.raises(NotDecidable, match="request 1 was changed by someone else"):
        platform.control.approvals.record([read_by_both.decide(Choice.REJECT, by=ADA, comment="no", at=NOON)])
    assert platform.control.approvals.find(1).state is RequestState.APPROVED
    assert list(platform.control.audit.entries()) == before


def test_the_first_of_two_people_cannot_be_overwritten_by_the_second(platform: Platform) -> None:
    (read_by_both,) = platform.control.approvals.open([request("a", policy=TWO_PEOPLE)])
    platform.control.approvals.record([approved(read_by_both)])
    with pytest.raises(NotDecidable):
        platform.control.approvals.record([read_by_both.decide(Choice.APPROVE, by=ADA, comment="", at=NOON)])
    (decision,) = platform.control.approvals.find(1).decisions
    assert decision.by == GRACE
    platform.control.approvals.record(
        [platform.control.approvals.find(1).decide(Choice.APPROVE, by=ADA, comment="", at=NOON)]
    )
    assert platform.control.approvals.find(1).state is RequestState.APPROVED


def test_a_request_cannot_be_voided_over_a_decision(platform: Platform) -> None:
    (read_by_both,) = platform.control.approvals.open([request("a", policy=TWO_PEOPLE)])
    platform.control.approvals.record([approved(read_by_both)])
    with pytest.raises(NotDecidable):
        platform.control.approvals.record([read_by_both.voided()])
    assert platform.control.approvals.find(1).state is RequestState.PENDING


def test_one_stale_decision_among_several_writes_none_of_them(platform: Platform) -> None:
    first, second, third = platform.control.approvals.open([request("a"), request("b"), request("c")])
    platform.control.approvals.record([approved(second)])
    before = list(platform.control.audit.entries())
    with pytest.raises(NotDecidable):
        platform.control.approvals.record([approved(first), approved(second), approved(third)])
    assert [held.state for held in platform.control.approvals.listed()] == [
        RequestState.PENDING,
        RequestState.APPROVED,
        RequestState.PENDING,
    ]
    assert list(platform.control.audit.entries()) == before

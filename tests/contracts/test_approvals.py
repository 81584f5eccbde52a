"""The approval book: numbered requests, one pending for each subject, and no decision on stale ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fleetcast.domain.approval import Choice, NotDecidable, Request, RequestState
from fleetcast.domain.audit import about_request
from fleetcast.domain.errors import BadInput
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.people import Directory, Person
from fleetcast.domain.place import Gate
from fleetcast.domain.recount import OtherDecisions
from fleetcast.ports.platform import Platform
from tests.clocks import NOON
from tests.contracts.samples import ADA, GRACE, digest, request
from tests.votes import vote

TWO_PEOPLE = GatePolicy(minimum=2)


def approved(held: Request) -> Request:
    return held.decide(Choice.APPROVE, by=GRACE, comment="fine", at=NOON)


def approve(platform: Platform, held: Request) -> None:
    platform.control.approvals.decide([held.id], vote(Choice.APPROVE, GRACE, comment="fine"))


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
    approve(platform, second)
    assert platform.control.approvals.listed((RequestState.PENDING,)) == [first, third]
    assert platform.control.approvals.listed((RequestState.APPROVED,)) == [approved(second)]
    assert [held.id for held in platform.control.approvals.listed()] == [1, 2, 3]
    assert [held.id for held in platform.control.approvals.latest(2)] == [2, 3]
    assert [held.id for held in platform.control.approvals.latest(9)] == [1, 2, 3]


def test_a_decision_and_its_audit_entry_come_together(platform: Platform) -> None:
    (held,) = platform.control.approvals.open([request("a")])
    approve(platform, held)
    assert platform.control.approvals.find(1).decisions == approved(held).decisions
    assert [entry.event.action for entry in list(platform.control.audit.entries())] == [
        "request.opened",
        "request.approved",
    ]


def test_a_decision_is_made_on_the_request_as_it_stands(platform: Platform) -> None:
    book = platform.control.approvals
    (held,) = book.open([request("a")])
    approve(platform, held)
    before = list(platform.control.audit.entries())
    with pytest.raises(NotDecidable, match="request 1 for a:1 is approved"):
        book.decide([1], vote(Choice.REJECT, ADA))
    assert book.find(1).state is RequestState.APPROVED
    assert list(platform.control.audit.entries()) == before


def test_two_people_who_read_the_same_request_both_count(platform: Platform) -> None:
    book = platform.control.approvals
    (read_by_both,) = book.open([request("a", policy=TWO_PEOPLE)])
    approve(platform, read_by_both)
    (decided,) = book.decide([read_by_both.id], vote(Choice.APPROVE, ADA))
    assert [decision.by for decision in decided.decisions] == [GRACE, ADA]
    assert decided.state is RequestState.APPROVED
    assert book.find(1) == decided


def test_a_vote_sees_the_people_and_policies_of_its_transaction(platform: Platform) -> None:
    platform.control.policies.take_first(DEFAULT_GATES)
    platform.control.people.add([Person("p-1", "ada")], first=True)
    platform.control.approvals.open([request("a")])
    seen: list[object] = []

    def look(held: Request, directory: Directory, policies: Mapping[Gate, GatePolicy]) -> Request:
        seen[:] = [directory, policies]
        return held.decide(Choice.APPROVE, by=ADA, comment="", at=NOON)

    platform.control.approvals.decide([1], look)
    assert seen == [platform.control.people.directory(), dict(DEFAULT_GATES)]


def test_an_attempt_that_was_refused_is_noted(platform: Platform) -> None:
    (held,) = platform.control.approvals.open([request("a")])
    platform.control.approvals.note_refused(held, Choice.REJECT, "too late", "it is approved")
    (*_, entry) = platform.control.audit.entries()
    assert (entry.event.action, entry.event.detail["choice"], entry.event.detail["why"]) == (
        "decision.refused",
        "reject",
        "it is approved",
    )
    assert platform.control.approvals.find(1) == held


def test_a_request_cannot_be_voided_over_a_decision(platform: Platform) -> None:
    (read_by_both,) = platform.control.approvals.open([request("a", policy=TWO_PEOPLE)])
    approve(platform, read_by_both)
    with pytest.raises(NotDecidable):
        platform.control.approvals.record([read_by_both.voided()])
    assert platform.control.approvals.find(1).state is RequestState.PENDING


def test_one_stale_decision_among_several_writes_none_of_them(platform: Platform) -> None:
    first, second, third = platform.control.approvals.open([request("a"), request("b"), request("c")])
    approve(platform, second)
    before = list(platform.control.audit.entries())
    with pytest.raises(NotDecidable):
        platform.control.approvals.decide([first.id, second.id, third.id], vote(Choice.APPROVE, GRACE))
    assert [held.state for held in platform.control.approvals.listed()] == [
        RequestState.PENDING,
        RequestState.APPROVED,
        RequestState.PENDING,
    ]
    assert list(platform.control.audit.entries()) == before


def test_all_requests_are_gone_through_in_their_order(platform: Platform) -> None:
    opened = platform.control.approvals.open([request(name) for name in "abc"])
    assert list(platform.control.approvals.each()) == opened


def test_the_log_knows_what_it_holds_about_a_request(platform: Platform) -> None:
    first, second = platform.control.approvals.open([request("a"), request("b")])
    approve(platform, first)
    platform.control.states.select({"m": 1})
    found = platform.control.audit.about([about_request(number) for number in (first.id, second.id, 7)])
    actions = {thing: [entry.event.action for entry in entries] for thing, entries in found.items()}
    assert actions == {
        "request 1": ["request.opened", "request.approved"],
        "request 2": ["request.opened"],
        "request 7": [],
    }


def test_a_request_that_is_not_believed_becomes_void_whatever_it_claims(platform: Platform) -> None:
    (held,) = platform.control.approvals.open([request("a")])
    approve(platform, held)
    claimed = platform.control.approvals.find(1)
    void = platform.control.approvals.distrust(claimed, OtherDecisions(0, 1))
    assert platform.control.approvals.find(1) == void
    assert void.state is RequestState.VOID
    (*_, entry) = platform.control.audit.entries()
    assert (entry.event.action, entry.event.detail["why"]) == (
        "request.distrusted",
        {"in_log": 0, "in_row": 1, "kind": "other decisions"},
    )


def test_a_request_that_was_let_through_can_wait_again(platform: Platform) -> None:
    (held,) = platform.control.approvals.open([request("a")])
    approve(platform, held)
    again = replace(platform.control.approvals.find(1), state=RequestState.PENDING)
    platform.control.approvals.record([again])
    assert platform.control.approvals.find(1) == again
    (*_, entry) = platform.control.audit.entries()
    assert entry.event.action == "request.reopened"

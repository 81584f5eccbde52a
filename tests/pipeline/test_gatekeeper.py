"""Asking at a gate: who must agree, and that nobody is asked twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.approval import LAPSES_AFTER, Choice, NotDecidable, RequestState, SubjectKind
from fleetcast.domain.identity import Digest
from fleetcast.domain.run import Ending
from fleetcast.pipeline.gatekeeper import Gatekeeper, Question
from tests.pipeline.world import ONE, World


def test_a_request_says_who_asked_when_and_by_which_rules(world: World) -> None:
    world.set_gate(approvers=("grace", "linus"), minimum=2)
    world.upto("PromoteEnvironment")
    (request,) = world.requests()
    assert (request.id, request.state, request.decisions) == (1, RequestState.PENDING, ())
    assert (request.requested_by, request.opened_at) == (world.actor, world.clock.now())
    assert (request.policy.approvers, request.policy.minimum) == (("grace", "linus"), 2)
    assert request.run == "run-0001"


def test_one_of_two_approvals_is_not_enough(world: World) -> None:
    world.set_gate(minimum=2)
    world.upto("PromoteEnvironment")
    world.decide(by="grace")
    assert world.run("PromoteEnvironment").ending is Ending.AWAITING
    world.decide(by="linus")
    assert world.run("PromoteEnvironment").says == "training:1.0.0 is shared"


def test_one_rejection_of_two_decisions_is_enough(world: World) -> None:
    world.set_gate(minimum=2)
    world.upto("PromoteEnvironment")
    world.decide(by="grace")
    world.decide(Choice.REJECT, by="linus")
    assert world.run("PromoteEnvironment").ending is Ending.DONE
    assert world.shared_environments() == []


def test_who_may_not_decide_is_refused_and_the_request_still_waits(world: World) -> None:
    world.set_gate(own_request_allowed=False)
    world.upto("PromoteEnvironment")
    with pytest.raises(NotDecidable, match="ada made request 1"):
        world.decide(by="ada")
    assert world.run("PromoteEnvironment").ending is Ending.AWAITING


def test_a_request_waits_until_the_moment_it_lapses(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.clock.sleep(LAPSES_AFTER - timedelta(microseconds=1))
    world.run("PromoteEnvironment")
    assert world.request_states() == ["training:1.0.0 pending"]
    world.clock.sleep(timedelta(microseconds=1))
    world.run("PromoteEnvironment")
    assert world.request_states() == ["training:1.0.0 lapsed", "training:1.0.0 pending"]


def test_a_request_about_a_circuit_that_was_not_asked_for_lapses_all_the_same(world: World) -> None:
    world.upto("PromoteModels")
    world.clock.sleep(LAPSES_AFTER)
    world.run("PromoteModels", only=ONE)
    assert world.request_states()[1:] == ["p1-c1:1 lapsed", "p1-c2:1 lapsed", "p1-c1:1 pending"]


def test_what_was_voided_is_asked_again_once_it_is_wanted_again(world: World) -> None:
    world.upto("PromoteModels", only=ONE)
    world.set_gate(minimum=2)
    world.run("PromoteModels", only=ONE)
    world.set_gate(minimum=1)
    world.run("PromoteModels", only=ONE)
    assert world.request_states()[1:] == ["p1-c1:1 void", "p1-c1:1 void", "p1-c1:1 pending"]


def test_an_approval_outlives_the_time_in_which_it_could_be_given(world: World) -> None:
    world.upto("PromoteEnvironment")
    world.decide()
    world.clock.sleep(2 * LAPSES_AFTER)
    assert world.run("PromoteEnvironment").says == "training:1.0.0 is shared"
    assert world.request_states() == ["training:1.0.0 approved"]


# What the first format asked


def test_what_waits_from_the_first_format_is_pinned_anew_and_not_asked_again(world: World) -> None:
    world.upto("PromoteModels")
    now = {request.id: request.subject for request in world.requests()}
    world.ask_as_the_first_format_did()
    assert {request.id: request.subject for request in world.requests()} != now
    world.run("PromoteModels")
    assert {request.id: request.subject for request in world.requests()} == now
    assert world.actions("request.pinned")[2:] == ["request.pinned p1-c1:1", "request.pinned p1-c2:1"]


def test_what_was_decided_in_the_first_format_stands_as_it_was(world: World) -> None:
    world.upto("PromoteModels")
    world.ask_as_the_first_format_did()
    world.decide()
    before = world.requests()
    assert world.upto("PromoteModels").says == "2 promoted"
    assert world.requests() == before


@pytest.mark.parametrize("choice", [None, Choice.APPROVE, Choice.REJECT])
def test_only_a_rejection_outlives_evidence_that_is_not_believed_any_more(
    world: World, choice: Choice | None
) -> None:
    world.upto("PromoteModels", only=ONE)
    if choice is not None:
        world.decide(choice)
    old = world.requests()[1]
    subject = replace(old.subject, evidence=Digest.of(b"measured anew"))
    asked = Question(subject, old.evidence, Digest.of(b"format 1"), frozenset({old.subject.digest}))
    control = world.platform.control
    keeper = Gatekeeper(
        control.approvals, control.audit, control.policies, control.people, world.actor, world.clock
    )
    keeper.close_stale(SubjectKind.MODEL, [asked])
    (found,) = keeper.ask(old.gate, [asked], old.policy, "run-0001").values()
    states = world.request_states()[1:]
    if choice is Choice.REJECT:
        assert (found.id, states) == (old.id, ["p1-c1:1 rejected"])
    else:
        before = "p1-c1:1 void" if choice is None else "p1-c1:1 approved"
        assert states == [before, "p1-c1:1 pending"]

"""Keeping gate policies: first ones are taken, restrictions hold at once, everything else is asked for."""

from __future__ import annotations

from fleetcast.domain.approval import Choice, RequestState
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.place import Gate
from tests.pipeline.world import World

SHUT = {**DEFAULT_GATES, Gate.REGISTRY_PROMOTION: GatePolicy(("ada", "grace"), 2)}
OTHERS = {**DEFAULT_GATES, Gate.REGISTRY_PROMOTION: GatePolicy(("ada", "edsger"), 2)}


def test_the_first_policies_are_taken_as_declared(world: World) -> None:
    assert world.keep_policies(SHUT) == {}
    assert world.platform.control.policies.in_force() == SHUT
    assert world.actions("policy.taken") == [f"policy.taken {gate.value}" for gate in SHUT]


def test_a_restriction_is_in_force_at_once(world: World) -> None:
    world.keep_policies(DEFAULT_GATES)
    assert world.keep_policies(SHUT) == {}
    assert world.platform.control.policies.in_force() == SHUT
    assert world.actions("policy.changed") == ["policy.changed registry-promotion"]


def test_swapping_one_person_for_another_is_asked_for_once(world: World) -> None:
    world.keep_policies(SHUT)
    world.keep_policies(OTHERS)
    asked = world.keep_policies(OTHERS)
    assert list(asked) == [Gate.REGISTRY_PROMOTION]
    assert world.platform.control.policies.in_force() == SHUT
    (request,) = world.requests()
    assert (request.gate, request.policy) == (Gate.REGISTRY_PROMOTION, SHUT[Gate.REGISTRY_PROMOTION])
    assert world.facts("registry-promotion") == [("approvers", "ada, grace → ada, edsger")]


def test_an_approved_change_is_put_in_force_by_the_next_run(world: World) -> None:
    world.keep_policies(SHUT)
    world.keep_policies(OTHERS)
    for person in ("ada", "grace"):
        world.decide(by=person)
    assert world.keep_policies(OTHERS) == {}
    assert world.platform.control.policies.in_force() == OTHERS


def test_a_rejected_change_stays_out_of_force(world: World) -> None:
    world.keep_policies(SHUT)
    world.keep_policies(OTHERS)
    world.decide(Choice.REJECT, by="grace")
    asked = world.keep_policies(OTHERS)
    assert asked[Gate.REGISTRY_PROMOTION].state is RequestState.REJECTED
    assert len(world.requests()) == 1
    assert world.platform.control.policies.in_force() == SHUT


def test_a_change_taken_back_is_void(world: World) -> None:
    world.keep_policies(SHUT)
    world.keep_policies(OTHERS)
    assert world.keep_policies(SHUT) == {}
    assert [request.state for request in world.requests()] == [RequestState.VOID]

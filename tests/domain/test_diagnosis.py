"""What a diagnosis says of people, gates, quota and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fleetcast.domain.diagnosis import (
    Diagnosis,
    Finding,
    Room,
    Verdict,
    cores_suffice,
    index_matches,
    programs_cannot_approve,
    somebody_rolls_back_alone,
    two_people_for_production,
    with_reserve,
)
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy
from fleetcast.domain.people import Directory, Grant, Group, Kind, Person
from fleetcast.domain.place import EnvironmentName, Gate, Scope
from fleetcast.domain.role import Role
from fleetcast.domain.settings import Settings

PROD = Gate.PROD_DEPLOYMENT
ADA, ROBOT = Person("p-1", "ada"), Person("p-2", "robot", Kind.SERVICE)
ROOM = Room("westeurope", "Standard DSv2 Family", 4, limit=32, used=0, ours=0, environments=2)


def gates(policy: GatePolicy, gate: Gate = PROD) -> Mapping[Gate, GatePolicy]:
    return {**DEFAULT_GATES, gate: policy}


@pytest.mark.parametrize(
    ("in_force", "holds"),
    [
        (DEFAULT_GATES[PROD], True),
        (replace(DEFAULT_GATES[PROD], minimum=1), False),
        (replace(DEFAULT_GATES[PROD], own_request_allowed=True), False),
        (replace(DEFAULT_GATES[PROD], verified=False), False),
        (replace(DEFAULT_GATES[PROD], minimum=1, sequence=("leads", "qa")), True),
    ],
)
def test_production_needs_two_people_who_are_signed_in_and_did_not_ask(
    in_force: GatePolicy, holds: bool
) -> None:
    found = two_people_for_production(gates(in_force), gates(in_force))
    assert (found.verdict is Verdict.HOLDS) is holds


def test_what_is_declared_counts_only_where_it_restricts() -> None:
    weak, strong = gates(replace(DEFAULT_GATES[PROD], minimum=1)), DEFAULT_GATES
    assert two_people_for_production(weak, strong).verdict is Verdict.HOLDS
    assert two_people_for_production(strong, weak).verdict is Verdict.HOLDS
    assert two_people_for_production(weak, weak).verdict is Verdict.FAILS


@pytest.mark.parametrize("to", ["p-2", "robots"])
@pytest.mark.parametrize(
    ("policy", "role", "scope", "may"),
    [
        (GatePolicy(services=("Robot",)), Role.APPROVER, Scope(), True),
        (GatePolicy(services=("Robot",)), Role.APPROVER, Scope(gate=PROD), False),
        (GatePolicy(services=("Robot",)), Role.OPERATOR, Scope(), False),
        (GatePolicy(), Role.APPROVER, Scope(), False),
        (GatePolicy(break_glass=True), Role.GLASS_BREAKER, Scope(), True),
        (GatePolicy(), Role.GLASS_BREAKER, Scope(), False),
    ],
)
def test_a_program_approves_where_a_gate_names_it_and_it_has_the_role(
    policy: GatePolicy, role: Role, scope: Scope, may: bool, to: str
) -> None:
    robots = Group("robots", frozenset({"p-2"}))
    directory = Directory((ADA, ROBOT), (robots,), frozenset({Grant(to, role, scope)}))
    found = programs_cannot_approve(directory, gates(policy, Gate.TEST_DEPLOYMENT), Settings())
    assert (found.verdict is Verdict.FAILS) is may
    disabled = replace(directory, people=(ADA, replace(ROBOT, disabled=True)))
    assert (
        programs_cannot_approve(disabled, gates(policy, Gate.TEST_DEPLOYMENT), Settings()).verdict
        is Verdict.HOLDS
    )


@pytest.mark.parametrize(
    ("grant", "able"),
    [
        (Grant("p-1", Role.OPERATOR), True),
        (Grant("p-1", Role.OPERATOR, Scope(environment=EnvironmentName.PROD)), True),
        (Grant("p-1", Role.OPERATOR, Scope(environment=EnvironmentName.TEST)), False),
        (Grant("p-1", Role.OPERATOR, Scope(plant="P1")), False),
        (Grant("p-1", Role.APPROVER), False),
        (Grant("p-2", Role.OPERATOR), False),
    ],
)
def test_a_human_with_the_right_in_prod_rolls_back_alone(grant: Grant, able: bool) -> None:
    found = somebody_rolls_back_alone(Directory((ADA, ROBOT), grants=frozenset({grant})))
    assert (found.verdict is Verdict.HOLDS) is able


@pytest.mark.parametrize(
    ("room", "plants", "holds"),
    [
        # each of the two is a machine that serves and one in reserve
        (ROOM, 1, True),
        (ROOM, 2, False),
        (replace(ROOM, used=1), 1, False),
        (replace(ROOM, used=16, ours=16), 1, True),
        (replace(ROOM, used=17, ours=16), 1, False),
        (replace(ROOM, limit=-1, used=500), 99, True),
        (replace(ROOM, environments=1), 2, True),
        (replace(ROOM, environments=1), 3, False),
    ],
)
def test_blue_and_green_of_each_plant_have_to_fit(room: Room, plants: int, holds: bool) -> None:
    (found,) = cores_suffice([room], plants)
    assert (found.verdict is Verdict.HOLDS) is holds


@pytest.mark.parametrize(("serve", "quota"), [(1, 2), (2, 3), (5, 6), (6, 8), (10, 12)])
def test_azure_asks_for_a_fifth_more_than_it_starts(serve: int, quota: int) -> None:
    assert with_reserve(serve) == quota


def test_versions_that_only_azure_has_are_no_harm() -> None:
    assert index_matches({"m": {1}}, {"m": {1, 2}, "theirs": {7}}).verdict is Verdict.HOLDS
    lacking = index_matches({"m": {1, 2}, "n": {1}}, {"m": {2}})
    assert (lacking.verdict, lacking.seen) == (Verdict.FAILS, "2 versions missing in Azure: m:1, n:1")


def test_what_was_not_checked_neither_holds_nor_fails() -> None:
    assert Diagnosis((Finding.unknown("a", "why"),)).is_well
    assert not Diagnosis((Finding.of("a", holds=False, seen="b", mend="c"),)).is_well

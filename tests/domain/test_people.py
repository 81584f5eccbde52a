"""People, groups and roles: nothing that nobody granted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import Actor, Means, Proof
from fleetcast.domain.errors import BadInput
from fleetcast.domain.people import Denied, Directory, Grant, Group, Person, folded
from fleetcast.domain.place import EVERYWHERE, EnvironmentName, Gate, Scope
from fleetcast.domain.role import RIGHTS, Right, Role

AT_WORK = Proof(Means.SYSTEM_USER, "uid 1000 on plant-7")
ANNA = Person("p-1", "anna.berg", aliases=("aberg",), identities=(AT_WORK,))
LI = Person("p-2", "li.wei")
LEADS = Group("leads", frozenset({"p-2"}))
AS_ANNA = Actor("anna.berg", person="p-1")
SCOPES = st.builds(
    Scope,
    st.sampled_from([None, *Gate]),
    st.sampled_from([None, *EnvironmentName]),
    st.sampled_from([None, "PLANT001", "PLANT002"]),
)


def directory(*grants: Grant) -> Directory:
    return Directory((ANNA, LI), (LEADS,), frozenset(grants))


def test_with_nobody_on_record_whoever_is_there_may_do_everything_that_needs_no_name() -> None:
    assert all(Directory().may(Actor("anybody"), right) for right in Right)


@pytest.mark.parametrize("right", Right)
def test_from_the_first_person_on_nothing_is_allowed_that_was_not_granted(right: Right) -> None:
    assert not directory().may(AS_ANNA, right)
    assert not directory().may(Actor("anybody"), right)
    with pytest.raises(Denied) as denied:
        directory().require(AS_ANNA, right)
    assert "ask an admin" in denied.value.fix


@pytest.mark.parametrize("role", Role)
def test_a_role_gives_its_rights_and_no_other(role: Role) -> None:
    held = directory(Grant("p-1", role))
    assert {right for right in Right if held.may(AS_ANNA, right)} == RIGHTS[role]


def test_an_admin_says_who_decides_and_does_not_decide() -> None:
    assert Right.DECIDE not in RIGHTS[Role.ADMIN]


@given(SCOPES, SCOPES)
def test_a_role_somewhere_holds_there_and_nowhere_else(held: Scope, place: Scope) -> None:
    named = [held.gate, held.environment, held.plant]
    asked = [place.gate, place.environment, place.plant]
    covers = all(mine is None or mine == theirs for mine, theirs in zip(named, asked, strict=True))
    assert directory(Grant("p-1", Role.APPROVER, held)).may(AS_ANNA, Right.DECIDE, place) == covers


def test_a_role_for_one_plant_is_none_everywhere() -> None:
    held = directory(Grant("p-1", Role.ENGINEER, Scope(plant="PLANT001")))
    assert not held.may(AS_ANNA, Right.TRAIN, EVERYWHERE)


def test_members_of_a_group_have_what_it_was_given() -> None:
    held = directory(Grant("leads", Role.APPROVER))
    assert held.may(Actor("li.wei", person="p-2"), Right.DECIDE)
    assert not held.may(AS_ANNA, Right.DECIDE)


def test_who_is_disabled_may_nothing() -> None:
    held = directory(Grant("p-1", Role.ADMIN))
    gone = replace(held, people=(replace(ANNA, disabled=True), LI))
    assert not gone.may(AS_ANNA, Right.VIEW)
    with pytest.raises(Denied, match=r"anna\.berg is disabled"):
        gone.require(AS_ANNA, Right.VIEW)


def test_somebody_is_recognised_by_what_they_show_and_never_by_a_name() -> None:
    held = directory(Grant("p-1", Role.ADMIN))
    assert held.recognised(Actor("root", proof=AT_WORK)) == Actor("anna.berg", proof=AT_WORK, person="p-1")
    stranger = Actor("anna.berg", proof=Proof(Means.SYSTEM_USER, "uid 1001 on plant-7"))
    assert held.recognised(stranger) == stranger
    assert not held.may(stranger, Right.VIEW)


@pytest.mark.parametrize("name", ["anna.berg", "ANNA.BERG", "ABerg"])
def test_letter_case_and_aliases_make_no_other_person(name: str) -> None:
    assert directory().named(name) == ANNA


@pytest.mark.parametrize("name", ["", " anna", "an\nna", "*", "a" * 201, "\u212bsa", "an\u202ena"])
def test_a_name_that_cannot_be_shown_or_stands_for_another_is_none(name: str) -> None:
    with pytest.raises(BadInput):
        Person("p-9", name)


def test_a_name_is_not_given_twice_to_one_person() -> None:
    with pytest.raises(BadInput, match="has a name twice"):
        Person("p-9", "anna", aliases=("ANNA",))


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)

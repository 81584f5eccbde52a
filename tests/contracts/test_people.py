"""People and tokens: unique names and identities, all or nothing, and an audit entry for each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.audit import Means, Proof, Standing
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.people import Grant, Group, Person
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Right, Role
from fleetcast.domain.token import Token, TokenState, digest_of_secret
from fleetcast.ports.platform import Platform
from tests.clocks import NOON

AT_WORK = Proof(Means.SYSTEM_USER, "uid 1000 on plant-7")
ANNA = Person("p-1", "anna.berg", full_name="Anna Berg", aliases=("aberg",), identities=(AT_WORK,))
LI = Person("p-2", "li.wei")
TOKEN = Token(
    0,
    "p-1",
    digest_of_secret("s"),
    Standing.ASSERTED,
    frozenset({Right.VIEW}),
    "ci",
    "ada",
    NOON,
    NOON + timedelta(days=1),
)


def actions(platform: Platform) -> list[str]:
    return [entry.event.action for entry in platform.control.audit.entries()]


def test_people_groups_and_roles_are_read_back_as_they_were_put(platform: Platform) -> None:
    book = platform.control.people
    assert book.directory().is_open
    group, grant = Group("leads", frozenset({"p-2"})), Grant("leads", Role.APPROVER, Scope(plant="PLANT001"))
    book.add([ANNA, LI], [grant], [group], first=True)
    held = book.directory()
    assert (set(held.people), held.groups, held.grants) == ({ANNA, LI}, (group,), frozenset({grant}))
    assert actions(platform) == ["person.added", "person.added", "group.changed", "role.granted"]


def test_nobody_is_first_twice(platform: Platform) -> None:
    platform.control.people.add([ANNA], first=True)
    with pytest.raises(BadInput, match="put on record first"):
        platform.control.people.add([LI], first=True)
    assert platform.control.people.directory().people == (ANNA,)


@pytest.mark.parametrize(
    "other",
    [
        Person("p-9", "ANNA.BERG"),
        Person("p-9", "aberg"),
        Person("p-9", "somebody", aliases=("Anna.Berg",)),
        Person("p-9", "somebody", identities=(AT_WORK,)),
        Person("p-9", "Leads"),
    ],
    ids=["name", "alias", "name as alias", "identity", "group"],
)
def test_names_and_identities_belong_to_one_person(platform: Platform, other: Person) -> None:
    book = platform.control.people
    book.add([ANNA, LI], [], [Group("leads", frozenset({"p-2"}))], first=True)
    before = actions(platform)
    with pytest.raises(BadInput):
        book.add([Person("p-8", "fine"), other], first=False)
    assert {person.name for person in book.directory().people} == {"anna.berg", "li.wei"}
    assert actions(platform) == before


def test_who_is_changed_frees_the_names_that_they_had(platform: Platform) -> None:
    book = platform.control.people
    book.add([ANNA], first=True)
    book.change(replace(ANNA, name="anna.weiss", aliases=(), identities=()))
    book.add([Person("p-3", "anna.berg", identities=(AT_WORK,))], first=False)
    assert actions(platform) == ["person.added", "person.changed", "person.added"]
    with pytest.raises(HistoryLost):
        book.change(Person("p-7", "nobody"))


def test_a_group_holds_people_on_record_alone(platform: Platform) -> None:
    platform.control.people.add([ANNA], first=True)
    with pytest.raises(BadInput, match="p-5 is on no record"):
        platform.control.people.put_group(Group("leads", frozenset({"p-5"})))


def test_roles_are_given_and_taken_once(platform: Platform) -> None:
    book, grant = platform.control.people, Grant("p-1", Role.ADMIN)
    book.add([ANNA], first=True)
    for _ in range(2):
        book.grant([grant])
    assert book.directory().grants == {grant}
    for _ in range(2):
        book.revoke([grant])
    assert book.directory().grants == frozenset()
    assert actions(platform)[1:] == ["role.granted", "role.revoked"]
    with pytest.raises(BadInput, match="on no record"):
        book.grant([Grant("p-6", Role.ADMIN)])


def test_a_token_is_kept_without_its_secret_and_ends_once(platform: Platform) -> None:
    book = platform.control.tokens
    first, second = book.issue(TOKEN), book.issue(TOKEN)
    assert [first.number, second.number] == [1, 2]
    assert book.find(1) == first
    assert book.find(3) is None
    ended = book.revoke(1)
    assert ended.state(NOON) is TokenState.REVOKED
    assert book.revoke(1) == ended
    assert book.listed() == [ended, second]
    assert actions(platform) == ["token.created", "token.created", "token.revoked"]
    with pytest.raises(BadInput, match="no token 7"):
        book.revoke(7)

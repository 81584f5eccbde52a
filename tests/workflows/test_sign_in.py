"""Signing in and out, one-time links and passwords: who gets in, who does not, and what is on record of it."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest

from fleetcast.app import SignInDoor, open_sign_in
from fleetcast.domain.account import PasswordRefused
from fleetcast.domain.attempts import LISTED_A_MINUTE, OF_A_NAME, OF_AN_ADDRESS
from fleetcast.domain.audit import Actor, AuditEntry, Means, Proof, Standing
from fleetcast.domain.chronicle import Chronicle, other_rules
from fleetcast.domain.errors import BadInput
from fleetcast.domain.link import LIFE, LinkPurpose
from fleetcast.domain.people import Denied, Grant, Group, Kind, Origin, Person
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Role
from fleetcast.domain.session import LONGEST_IDLE, LONGEST_SESSION, NOTED_EVERY
from fleetcast.domain.shown import Shown, SignInRefused
from fleetcast.platforms.control.opening import control
from fleetcast.platforms.database.control import ControlDatabase
from fleetcast.platforms.database.migrate import ensure_schema
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.database.sqlite import sqlite
from fleetcast.platforms.passwords.argon2 import Argon2Passwords, Work
from fleetcast.ports.platform import Control
from fleetcast.workflows.links import InvitePerson, LinkSaysNothing, NewLink
from fleetcast.workflows.manage_people import ManagePeople
from fleetcast.workflows.sign_in import NewSession, NotSignedIn, TooManyAttempts
from tests.clocks import FixedClock
from tests.logs import broken_at
from tests.passwords import GOOD, OTHER, WRONG, light_passwords
from tests.sealing import SEALING

SERVER = Actor("fleetcast", Standing.ASSERTED, Proof(Means.SYSTEM_USER, "uid 990 on plant-7"))
LEASE = timedelta(minutes=1)
AT_A_PROVIDER = Proof(Means.OIDC, "https://login.example/ 4711")
ANNA = Person("p-1", "anna.berg", aliases=("aberg",))
LI = Person("p-2", "li.wei", identities=(AT_A_PROVIDER,))
VIEWER = Grant("p-2", Role.VIEWER)
HOME = "192.0.2.1"


def halves(secret: str) -> tuple[str, str]:
    """What says which secret this is, and the random text, which may hold the mark between them too."""
    prefix, number, random = secret.split("_", 2)
    return f"{prefix}_{number}", random


@dataclass(frozen=True, slots=True)
class House:
    """A control database, and the door at which people sign in."""

    door: SignInDoor
    database: ControlDatabase
    clock: FixedClock
    folder: Path

    def as_(self, actor: Actor) -> Control:
        return control(Session(self.database, actor), LEASE)

    def invite(self, name: str, by: Actor) -> NewLink:
        return InvitePerson(self.as_(by), self.clock, token_urlsafe)(name)

    def entries(self) -> Sequence[AuditEntry]:
        found = list(self.door.control.audit.entries())
        assert broken_at(found) is None
        return found

    def actions(self) -> list[str]:
        return [entry.event.action for entry in self.entries()]

    def signed_in(self, name: str = "anna.berg", password: str = GOOD) -> NewSession:
        return self.door.signing_in(name, password, HOME)

    def with_light_work(self, passes: int) -> SignInDoor:
        return replace(self.door, passwords=Argon2Passwords(Work(passes, 8, 1)))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """With nobody on record."""
    clock = FixedClock()
    database = ControlDatabase(sqlite(tmp_path / "state" / "control.db"), clock=clock, sealing=SEALING)
    ensure_schema(database)
    books = control(Session(database, SERVER), LEASE)
    return House(SignInDoor(books, database, LEASE, light_passwords(), clock), database, clock, tmp_path)


@pytest.fixture
def staffed(house: House) -> House:
    """With Anna, an admin with a password, and Li, who has none here."""
    link = house.door.opening_first_admin_link()
    assert link is not None
    anna = house.door.using_link(link.secret, GOOD, "anna.berg")
    people = house.door.control.people
    people.change(replace(anna, aliases=ANNA.aliases))
    people.add([LI], [VIEWER], first=False)
    return house


# The first admin


def test_the_first_admin_comes_through_a_link_once(house: House) -> None:
    link = house.door.opening_first_admin_link()
    assert link is not None
    assert house.door.using_link.look(link.secret).purpose is LinkPurpose.FIRST_ADMIN
    anna = house.door.using_link(link.secret, GOOD, "anna.berg")
    directory = house.door.control.people.directory()
    assert {grant.role for grant in directory.grants_of(anna)} == set(Role)
    session = house.signed_in()
    assert session.actor == Actor("anna.berg", Standing.VERIFIED, Proof(Means.PASSWORD, "anna.berg"), anna.id)
    for act in (
        lambda: house.door.using_link(link.secret, OTHER, "mallory"),
        lambda: house.door.using_link.look(link.secret),
    ):
        with pytest.raises(LinkSaysNothing):
            act()
    assert house.door.opening_first_admin_link() is None
    assert house.door.control.people.directory() == directory


def test_of_several_first_links_one_is_used(house: House) -> None:
    one, other = house.door.opening_first_admin_link(), house.door.opening_first_admin_link()
    assert one is not None
    assert other is not None
    house.door.using_link(other.secret, GOOD, "anna.berg")
    with pytest.raises(LinkSaysNothing):
        house.door.using_link(one.secret, OTHER, "mallory")


def test_an_admin_who_never_signed_in_gets_an_account_by_the_first_link(house: House) -> None:
    people = house.door.control.people
    people.add([ANNA, LI], [Grant("p-1", Role.ADMIN)], [Group("leads")], first=True)
    link = house.door.opening_first_admin_link()
    assert link is not None
    for taken in ("li.wei", "LEADS"):
        with pytest.raises(BadInput, match="taken"):
            house.door.using_link(link.secret, GOOD, taken)
    assert house.door.using_link(link.secret, GOOD, "ABERG") == ANNA
    assert people.directory().people == (ANNA, LI)


def test_a_new_first_admin_of_a_fleet_with_people_decides_nothing_by_being_one(house: House) -> None:
    house.door.control.people.add([LI], [Grant("p-2", Role.ADMIN, Scope(plant="PLANT001"))], first=True)
    link = house.door.opening_first_admin_link()
    assert link is not None
    anna = house.door.using_link(link.secret, GOOD, "anna.berg")
    granted = house.door.control.people.directory().grants_of(anna)
    assert granted == {Grant(anna.id, Role.ADMIN)}


def test_no_first_link_where_an_admin_signs_in_by_a_provider(house: House) -> None:
    house.door.control.people.add([LI], [Grant("p-2", Role.ADMIN)], first=True)
    assert house.door.opening_first_admin_link() is None
    assert house.actions() == ["person.added", "role.granted"]


@pytest.mark.parametrize(
    ("password", "name"), [("short", "anna.berg"), (GOOD, ""), (GOOD, "*"), ("annanannanna", "Annanannanna")]
)
def test_a_link_whose_use_was_refused_can_be_used_again(house: House, password: str, name: str) -> None:
    link = house.door.opening_first_admin_link()
    assert link is not None
    with pytest.raises(BadInput):
        house.door.using_link(link.secret, password, name)
    assert house.door.using_link(link.secret, GOOD, "anna.berg").name == "anna.berg"


# Signing in


def test_who_signed_in_is_known_by_the_secret_of_the_session_alone(staffed: House) -> None:
    new = staffed.signed_in("  aberg".strip())
    found = staffed.door.recognising(new.secret)
    assert (found.actor, found.session, found.csrf) == (new.actor, new.session, new.csrf)
    assert found.sent(new.csrf)
    assert not found.sent("0" * 64)
    other = staffed.signed_in()
    assert other.secret != new.secret
    number, rest = halves(new.secret)
    for wrong in (
        "",
        "nonsense",
        f"{number}_{'A' * 43}",
        f"fcs_999_{rest}",
        f"fct_1_{rest}",
        f"fcs_{other.session.number}_{rest}",
        new.secret + "\n\u00e9",
    ):
        with pytest.raises(Denied, match="this session has ended"):
            staffed.door.recognising(wrong)
    assert new.secret not in repr(new) + repr(found)


def refusal(act: Callable[[], object]) -> tuple[type[Exception], str, str]:
    with pytest.raises(NotSignedIn) as caught:
        act()
    return type(caught.value), str(caught.value), caught.value.fix


def test_whoever_does_not_get_in_learns_nothing_of_why(staffed: House) -> None:
    people, sign_in = staffed.door.control.people, staffed.door.signing_in
    staffed.door.using_link(staffed.invite("li.wei", staffed.signed_in().actor).secret, OTHER)
    people.change(replace(LI, disabled=True))
    people.add([Person("p-3", "ci", Kind.SERVICE), Person("p-4", "no.account")], first=False)
    answers = {
        refusal(lambda name=name, typed=typed: sign_in(name, typed, HOME))  # type: ignore[misc]
        for name, typed in (
            ("anna.berg", WRONG),
            ("anna.berg", ""),
            ("anna.berg", "x" * 2_000),
            ("anna.berg", "\ud800" * 12),
            ("li.wei", OTHER),
            ("no.account", GOOD),
            ("ci", GOOD),
            ("nobody", GOOD),
            ("", GOOD),
            ("\ud800", GOOD),
        )
    }
    assert len(answers) == 1


def test_too_many_attempts_are_paused_alike_for_known_and_unknown_names(staffed: House) -> None:
    answers = set()
    for name in ("anna.berg", "nobody"):
        for _ in range(OF_A_NAME.free):
            with pytest.raises(NotSignedIn):
                staffed.door.signing_in(name, WRONG, HOME)
        with pytest.raises(TooManyAttempts) as caught:
            staffed.door.signing_in(name, GOOD, HOME)
        answers.add((str(caught.value), caught.value.fix, caught.value.wait))
    assert len(answers) == 1
    staffed.clock.sleep(OF_A_NAME.first)
    staffed.signed_in()
    for _ in range(OF_A_NAME.free):
        with pytest.raises(NotSignedIn):
            staffed.door.signing_in("ANNA.BERG", WRONG, HOME)


def test_an_address_is_paused_whatever_the_names(staffed: House) -> None:
    for number in range(OF_AN_ADDRESS.free):
        with pytest.raises(NotSignedIn):
            staffed.door.signing_in(f"somebody.{number}", WRONG, HOME)
    with pytest.raises(TooManyAttempts):
        staffed.signed_in()
    staffed.door.signing_in("anna.berg", GOOD, "192.0.2.2")


def test_who_comes_from_nowhere_waits_for_nobody_else(staffed: House) -> None:
    for number in range(OF_AN_ADDRESS.free + 1):
        with pytest.raises(NotSignedIn):
            staffed.door.signing_in(f"somebody.{number}", WRONG)
    staffed.door.signing_in("anna.berg", GOOD)


def test_a_link_ends_the_pause_that_others_brought_about(staffed: House) -> None:
    link = staffed.invite("li.wei", staffed.signed_in().actor)
    for _ in range(OF_A_NAME.free):
        with pytest.raises(NotSignedIn):
            staffed.door.signing_in("li.wei", WRONG)
    with pytest.raises(TooManyAttempts):
        staffed.door.signing_in("li.wei", WRONG)
    staffed.door.using_link(link.secret, OTHER)
    staffed.door.signing_in("li.wei", OTHER)


def test_a_flood_of_attempts_writes_little_into_the_audit_log(staffed: House) -> None:
    before = len(staffed.actions())
    for number in range(300):
        with pytest.raises((NotSignedIn, TooManyAttempts)):
            staffed.door.signing_in(f"somebody.{number}", WRONG, f"10.0.{number % 250}.7")
    assert staffed.actions()[before:] == ["sign-in.refused"] * LISTED_A_MINUTE


def test_a_password_typed_as_a_name_is_on_no_record(staffed: House) -> None:
    with pytest.raises(NotSignedIn):
        staffed.door.signing_in(GOOD, "anna.berg", "not an address \u2620")
    last = staffed.entries()[-1]
    assert last.event.subject == "a name that nobody has"
    assert last.event.detail == {"person": None, "address": "unknown", "unlisted": 0}
    assert last.actor == SERVER


def test_a_hash_is_made_anew_when_new_ones_take_more_work(staffed: House) -> None:
    heavier = staffed.with_light_work(2)
    before = staffed.door.control.accounts.known().accounts
    held = staffed.signed_in()
    assert staffed.door.control.accounts.known().accounts == before
    heavier.signing_in("anna.berg", GOOD, HOME)
    after = staffed.door.control.accounts.known().accounts
    assert {one.password for one in after.values()}.isdisjoint(one.password for one in before.values())
    assert staffed.actions()[-1] == "account.rehashed"
    staffed.door.recognising(held.secret)
    staffed.signed_in()
    heavier.signing_in("anna.berg", GOOD, HOME)
    assert staffed.door.control.accounts.known().accounts == after


# Sessions end


def test_a_session_ends_at_sign_out_and_no_other_does(staffed: House) -> None:
    mine, other = staffed.signed_in(), staffed.signed_in()
    staffed.door.signing_out(mine.secret)
    for again in (mine.secret, "nonsense"):
        staffed.door.signing_out(again)
    with pytest.raises(Denied):
        staffed.door.recognising(mine.secret)
    staffed.door.recognising(other.secret)
    last = staffed.entries()[-1]
    assert (last.event.action, last.actor) == ("session.ended", mine.actor)
    assert last.event.detail["why"] == "signed out"


@pytest.mark.parametrize("step", [LONGEST_IDLE, timedelta(minutes=50)], ids=["idle", "in use"])
def test_a_session_ends_when_it_expires(staffed: House, step: timedelta) -> None:
    new, began = staffed.signed_in(), staffed.clock.now()
    while staffed.clock.now() + step - began < LONGEST_SESSION and step < LONGEST_IDLE:
        staffed.clock.sleep(step)
        staffed.door.recognising(new.secret)
    staffed.clock.sleep(step)
    for _ in range(2):
        with pytest.raises(Denied):
            staffed.door.recognising(new.secret)
    last = staffed.entries()[-1]
    assert (last.event.action, last.event.detail["why"], last.actor) == ("session.ended", "expired", SERVER)
    assert staffed.actions().count("session.ended") == 1


def test_use_is_written_down_once_a_minute(staffed: House) -> None:
    new = staffed.signed_in()
    staffed.clock.sleep(NOTED_EVERY / 2)
    staffed.door.recognising(new.secret)
    assert staffed.door.control.sessions.find(new.session.number) == new.session
    staffed.clock.sleep(NOTED_EVERY / 2)
    staffed.door.recognising(new.secret)
    held = staffed.door.control.sessions.find(new.session.number)
    assert held == replace(new.session, used_at=staffed.clock.now())


def test_who_loses_a_role_or_is_disabled_is_out_at_once(staffed: House) -> None:
    people = staffed.door.control.people
    changes: Sequence[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: people.revoke([VIEWER]), lambda: people.grant([VIEWER])),
        (lambda: people.change(replace(LI, disabled=True)), lambda: people.change(LI)),
    ]
    for change, back in changes:
        new = staffed.door.signing_in_by(Shown(AT_A_PROVIDER), HOME)
        change()
        back()
        with pytest.raises(Denied):
            staffed.door.recognising(new.secret)
        staffed.signed_in()


def test_a_role_taken_by_hand_in_the_tables_ends_a_session_too(staffed: House) -> None:
    new = staffed.door.signing_in_by(Shown(AT_A_PROVIDER))
    staffed.database.change(lambda connection: connection.exec_driver_sql("DELETE FROM grants"))
    with pytest.raises(Denied):
        staffed.door.recognising(new.secret)
    assert staffed.entries()[-1].event.detail["why"] == "rights changed"


# Providers


def test_an_identity_that_a_provider_has_shown_signs_its_person_in(staffed: House) -> None:
    new = staffed.door.signing_in_by(Shown(AT_A_PROVIDER), HOME)
    assert new.actor == Actor("li.wei", Standing.VERIFIED, AT_A_PROVIDER, "p-2")
    assert staffed.door.recognising(new.secret).actor == new.actor
    last = staffed.entries()[-1]
    assert (last.event.action, last.actor.proof) == ("session.began", AT_A_PROVIDER)


def test_an_identity_of_nobody_or_of_another_kind_signs_nobody_in(staffed: House) -> None:
    system_user = Proof(Means.SYSTEM_USER, "uid 1000 on plant-7")
    people = staffed.door.control.people
    people.add([Person("p-5", "grace", identities=(system_user,))], first=False)
    answers = {
        refusal(lambda proof=proof: staffed.door.signing_in_by(Shown(proof), HOME))  # type: ignore[misc]
        for proof in (
            Proof(Means.OIDC, "https://login.example/ 4712"),
            system_user,
            Proof(Means.PASSWORD, "anna.berg"),
        )
    }
    people.change(replace(LI, disabled=True))
    answers.add(refusal(lambda: staffed.door.signing_in_by(Shown(AT_A_PROVIDER))))
    assert len(answers) == 1


def of_provider(house: House) -> set[Role]:
    grants = house.door.control.people.directory().grants_of(LI)
    return {grant.role for grant in grants if grant.origin is Origin.PROVIDER}


def test_what_the_provider_gives_takes_the_place_of_what_it_gave_before(staffed: House) -> None:
    door, people = staffed.door, staffed.door.control.people
    first = door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER, Role.VIEWER})), HOME)
    assert door.recognising(first.secret).session.roles == (Role.VIEWER, Role.APPROVER)
    assert of_provider(staffed) == {Role.APPROVER, Role.VIEWER}
    given = [entry for entry in staffed.entries() if entry.event.action == "role.granted"][-2:]
    assert {entry.event.detail["after"]["origin"] for entry in given} == {"provider"}  # type: ignore[call-overload,index]
    assert all(entry.actor == first.actor for entry in given)
    began = staffed.entries()[-1]
    assert began.event.detail["roles"] == ["viewer", "approver"]

    same = door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER, Role.VIEWER})))
    door.recognising(first.secret)
    assert staffed.actions()[-2:] == ["session.began", "session.began"]

    other = door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.ENGINEER})))
    assert of_provider(staffed) == {Role.ENGINEER}
    for ended in (first, same):
        with pytest.raises(Denied):
            door.recognising(ended.secret)
    door.recognising(other.secret)
    assert staffed.actions()[-6:] == [
        "role.revoked",
        "role.revoked",
        "role.granted",
        "session.ended",
        "session.ended",
        "session.began",
    ]
    door.signing_in_by(Shown(AT_A_PROVIDER))
    assert people.directory().grants_of(LI) == {VIEWER}
    assert list(other_rules(told(staffed), {}, people.directory())) == []


def test_a_role_that_the_provider_gave_is_taken_by_an_admin_until_the_next_sign_in(staffed: House) -> None:
    anna = staffed.signed_in().actor
    shown = Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER}))
    new = staffed.door.signing_in_by(shown)
    ManagePeople(staffed.as_(anna), lambda: "p-9").revoke("li.wei", Role.APPROVER)
    assert of_provider(staffed) == set()
    with pytest.raises(Denied):
        staffed.door.recognising(new.secret)
    staffed.door.signing_in_by(shown)
    assert of_provider(staffed) == {Role.APPROVER}


def test_a_provider_makes_nobody_the_last_admin(staffed: House) -> None:
    anna = staffed.signed_in().actor
    staffed.door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.ADMIN})))
    with pytest.raises(BadInput, match="nobody could give roles"):
        ManagePeople(staffed.as_(anna), lambda: "p-9").disable("anna.berg")


def test_groups_that_are_left_out_give_no_role_and_take_those_they_gave(staffed: House) -> None:
    staffed.door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER})))
    new = staffed.door.signing_in_by(Shown(AT_A_PROVIDER, groups_left_out=True), HOME)
    assert of_provider(staffed) == set()
    assert staffed.door.recognising(new.secret).session.groups_left_out
    assert staffed.entries()[-1].event.detail["groups_left_out"] is True


def test_who_has_roles_by_groups_alone_is_refused_when_they_are_left_out(staffed: House) -> None:
    staffed.door.control.people.revoke([VIEWER])
    staffed.door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER})))
    with pytest.raises(SignInRefused, match="left out the groups") as refused:
        staffed.door.signing_in_by(Shown(AT_A_PROVIDER, groups_left_out=True), HOME)
    assert "Entra ID" in refused.value.fix
    assert of_provider(staffed) == set()
    last = staffed.entries()[-1].event
    assert (last.action, last.subject, last.detail["address"]) == (
        "sign-in.refused",
        "li.wei",
        "192.0.2.1",
    )


def test_the_roles_of_a_session_are_sealed_with_it(staffed: House) -> None:
    new = staffed.door.signing_in_by(Shown(AT_A_PROVIDER, roles=frozenset({Role.APPROVER})))
    assert replace(new.session, roles=(Role.ADMIN,)).kept != new.session.kept
    assert replace(new.session, groups_left_out=True).kept != new.session.kept


def told(house: House) -> Chronicle:
    found = house.door.control.audit.told()
    assert isinstance(found, Chronicle)
    return found


# Passwords


def test_another_password_ends_every_session_of_its_owner(staffed: House) -> None:
    sessions = [staffed.signed_in() for _ in range(2)]
    of_li = staffed.door.signing_in_by(Shown(AT_A_PROVIDER))
    staffed.door.changing_password_of(sessions[0].actor)(GOOD, OTHER, HOME)
    for new in sessions:
        with pytest.raises(Denied):
            staffed.door.recognising(new.secret)
    staffed.door.recognising(of_li.secret)
    with pytest.raises(NotSignedIn):
        staffed.signed_in()
    staffed.signed_in("anna.berg", OTHER)
    changed = next(
        entry for entry in reversed(staffed.entries()) if entry.event.action == "account.password-set"
    )
    assert changed.actor == sessions[0].actor
    assert changed.event.detail["link"] is None


def test_only_who_knows_the_old_password_sets_a_new_one(staffed: House) -> None:
    new = staffed.signed_in()
    change = staffed.door.changing_password_of(new.actor)
    with pytest.raises(NotSignedIn):
        change(WRONG, OTHER, HOME)
    for refused in ("short", GOOD, "aberg"):
        with pytest.raises(PasswordRefused):
            change(GOOD, refused, HOME)
    by_token = replace(new.actor, proof=Proof(Means.TOKEN, "token 1"))
    by_provider = staffed.door.signing_in_by(Shown(AT_A_PROVIDER)).actor
    for actor in (by_token, by_provider, Actor("anna.berg"), SERVER):
        with pytest.raises(Denied, match="signed in with a password"):
            staffed.door.changing_password_of(actor)(GOOD, OTHER, HOME)
    for _ in range(OF_A_NAME.free):
        with pytest.raises((NotSignedIn, TooManyAttempts)):
            change(WRONG, OTHER, HOME)
    with pytest.raises(TooManyAttempts):
        change(GOOD, OTHER, HOME)
    staffed.door.recognising(new.secret)


# Invitations


def test_an_admin_who_is_signed_in_lets_somebody_choose_a_password(staffed: House) -> None:
    anna = staffed.signed_in().actor
    link = staffed.invite("LI.WEI", anna)
    opened = staffed.door.using_link.look(link.secret)
    assert (opened.purpose, opened.name) == (LinkPurpose.SET_PASSWORD, "li.wei")
    before = staffed.door.signing_in_by(Shown(AT_A_PROVIDER))
    assert staffed.door.using_link(link.secret, OTHER, "another.name") == LI
    assert staffed.signed_in("li.wei", OTHER).actor.standing is Standing.VERIFIED
    with pytest.raises(Denied):
        staffed.door.recognising(before.secret)
    made, used = (
        next(entry for entry in reversed(staffed.entries()) if entry.event.action == action)
        for action in ("link.made", "link.used")
    )
    assert (made.actor, made.event.detail["for"]) == (anna, "li.wei")
    assert (used.actor, used.event.detail["made_by"]) == (SERVER, "anna.berg")


def test_who_asks_for_a_link_is_an_admin_and_signed_in(staffed: House) -> None:
    anna = staffed.signed_in().actor
    li = staffed.door.signing_in_by(Shown(AT_A_PROVIDER)).actor
    with pytest.raises(Denied, match="may not manage"):
        staffed.invite("li.wei", li)
    with pytest.raises(Denied, match="not signed in"):
        staffed.invite("li.wei", replace(anna, standing=Standing.ASSERTED))
    people = staffed.door.control.people
    people.add([Person("p-3", "ci", Kind.SERVICE), Person("p-4", "gone", disabled=True)], first=False)
    for name, why in (("nobody", "nobody on record"), ("ci", "service account"), ("gone", "disabled")):
        with pytest.raises(BadInput, match=why):
            staffed.invite(name, anna)


def test_a_link_opens_once_for_a_day_and_until_the_next_one(staffed: House) -> None:
    anna = staffed.signed_in().actor
    replaced, newest = staffed.invite("li.wei", anna), staffed.invite("li.wei", anna)
    number, _ = halves(newest.secret)
    for wrong in (
        replaced.secret,
        "",
        "nonsense",
        f"{number}_{'A' * 43}",
        newest.secret.replace("fcl", "fct"),
    ):
        with pytest.raises(LinkSaysNothing):
            staffed.door.using_link(wrong, OTHER)
    staffed.clock.sleep(LIFE[LinkPurpose.SET_PASSWORD] - timedelta(seconds=1))
    staffed.door.using_link(newest.secret, OTHER)
    with pytest.raises(LinkSaysNothing):
        staffed.door.using_link(newest.secret, GOOD)
    late = staffed.invite("li.wei", staffed.signed_in().actor)
    staffed.clock.sleep(LIFE[LinkPurpose.SET_PASSWORD])
    with pytest.raises(LinkSaysNothing):
        staffed.door.using_link(late.secret, GOOD)


def test_a_link_of_somebody_who_was_disabled_opens_nothing(staffed: House) -> None:
    link = staffed.invite("li.wei", staffed.signed_in().actor)
    staffed.door.control.people.change(replace(LI, disabled=True))
    with pytest.raises(LinkSaysNothing):
        staffed.door.using_link(link.secret, OTHER)


def test_nothing_is_hashed_for_a_link_that_opens_nothing(staffed: House) -> None:
    slow = Argon2Passwords(Work(passes=40, memory_kib=8 * 1024, lanes=1))
    door = replace(staffed.door, passwords=slow)
    before = time.process_time()
    slow.hashed(OTHER)
    hashing = time.process_time() - before
    with pytest.raises(LinkSaysNothing):
        door.using_link("fcl_1_" + "A" * 43, OTHER)
    assert time.process_time() - before - hashing < hashing / 2


# Secrets


def test_secrets_are_compared_in_constant_time_whether_there_is_one_or_not(
    staffed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, link = staffed.signed_in(), staffed.invite("li.wei", staffed.signed_in().actor)
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noting(shown: Any, kept: Any) -> bool:
        compared.append((len(shown), len(kept)))
        return compare(shown, kept)

    monkeypatch.setattr("hmac.compare_digest", noting)
    staffed.door.recognising(session.secret).sent("anything")
    staffed.door.using_link.look(link.secret)
    assert compared == [(64, 64), (64, 8), (64, 64)]
    compared.clear()
    for unknown in ("nonsense", f"fcs_999_{'A' * 43}"):
        with pytest.raises(Denied):
            staffed.door.recognising(unknown)
    for unknown in ("nonsense", f"fcl_999_{'A' * 43}"):
        with pytest.raises(Denied):
            staffed.door.using_link.look(unknown)
    assert compared == [(64, 64)] * 4


def test_no_secret_is_in_the_database_its_log_or_a_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        first = house.door.opening_first_admin_link()
        assert first is not None
        house.door.using_link(first.secret, GOOD, "anna.berg")
        session = house.signed_in()
        house.door.control.people.add([LI], first=False)
        invited = house.invite("li.wei", session.actor)
        house.door.using_link(invited.secret, OTHER)
        with pytest.raises(NotSignedIn):
            house.signed_in("anna.berg", WRONG)
        session = house.signed_in()
    secrets = [GOOD, OTHER, WRONG, session.csrf]
    secrets += [halves(text)[1] for text in (first.secret, session.secret, invited.secret)]
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert any(b"$argon2id$" in path.read_bytes() for path in files)
    for secret in secrets:
        assert secret not in caplog.text
        assert not [path for path in files if secret.encode() in path.read_bytes()]
    hashes = [account.password for account in house.door.control.accounts.known().accounts.values()]
    assert len(hashes) == 2
    log = "\n".join(str(entry) for entry in house.entries())
    assert not [kept for kept in hashes if kept in log]


def test_the_door_of_a_fleet_is_opened_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "fleetcast.yaml").write_text("platform: {kind: local}\n")
    door = open_sign_in(tmp_path)
    link = door.opening_first_admin_link()
    assert link is not None
    assert door.using_link(link.secret, GOOD, "anna.berg").name == "anna.berg"
    door.recognising(open_sign_in(tmp_path).signing_in("anna.berg", GOOD).secret)

"""Accounts, links, sessions and attempts: each change whole, with its audit entry, and with what else it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetcast.domain.account import Account, newly_set
from fleetcast.domain.attempts import LISTED_A_MINUTE, OF_A_NAME, Limit
from fleetcast.domain.audit import Means, Proof, Standing
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.link import Link, LinkEnd, LinkPurpose
from fleetcast.domain.people import Denied, Grant, Group, Person
from fleetcast.domain.role import Role
from fleetcast.domain.session import SessionEnd, SignInSession, begun
from fleetcast.ports.platform import Platform
from fleetcast.ports.sessions import Known, PasswordSet, SignedIn
from tests.clocks import NOON, FixedClock
from tests.contracts.samples import ADA, digest

ANNA, LI = Person("p-1", "anna.berg"), Person("p-2", "li.wei")
BY_PASSWORD = Proof(Means.PASSWORD, "anna.berg")
ADMIN, VIEWER = Grant("p-1", Role.ADMIN), Grant("p-2", Role.VIEWER)
FIRST = Account("p-1", "$argon2id$first", NOON)
NO_TIME = timedelta(0)


def actions(platform: Platform) -> list[str]:
    return [entry.event.action for entry in platform.control.audit.entries()]


def on_record(platform: Platform) -> None:
    platform.control.people.add([ANNA, LI], [ADMIN, VIEWER], first=True)


def link(person: str = "p-1") -> Link:
    purpose = LinkPurpose.SET_PASSWORD if person else LinkPurpose.FIRST_ADMIN
    return Link(0, purpose, person, digest("link"), "ada", NOON)


def give_password(platform: Platform, account: Account = FIRST) -> None:
    made = platform.control.accounts.make_link(lambda _: link(account.person))
    platform.control.accounts.use_link(made.number, lambda _link, _known: PasswordSet(account))


def sign_in(platform: Platform, person: Person = ANNA) -> SignInSession:
    proof = Proof(Means.PASSWORD, person.name)
    return platform.control.sessions.begin(
        lambda known: SignedIn(begun(known.directory, person, proof, digest("secret"), NOON))
    )


def test_a_link_sets_a_password_once(platform: Platform) -> None:
    on_record(platform)
    book = platform.control.accounts
    assert book.find("p-1") is None
    made = book.make_link(lambda _: link())
    assert made == replace(link(), number=1)
    assert book.find_link(1) == made
    assert book.find_link(2) is None
    before = actions(platform)
    assert book.use_link(1, lambda _link, _known: PasswordSet(FIRST)) == PasswordSet(FIRST)
    assert book.find("p-1") == FIRST
    assert book.find_link(1) == made.ended(LinkEnd.USED, NOON)
    assert actions(platform)[len(before) :] == ["link.used", "account.password-set"]
    assert before[-1] == "link.made"
    with pytest.raises(HistoryLost):
        book.use_link(9, lambda _link, _known: PasswordSet(FIRST))


def test_what_decides_is_asked_inside_the_transaction_and_undoes_it(platform: Platform) -> None:
    on_record(platform)
    book, seen = platform.control.accounts, []
    number = book.make_link(lambda _: link()).number
    before = actions(platform)

    def refuse(held: Link, known: Known) -> PasswordSet:
        seen.append((held.number, known.directory.people, dict(known.accounts)))
        raise Denied("no")

    def taken(_held: Link, _known: Known) -> PasswordSet:
        return PasswordSet(Account("p-3", "$x", NOON), Person("p-3", "LI.WEI"), (Grant("p-3", Role.ADMIN),))

    with pytest.raises(Denied):
        book.use_link(number, refuse)
    with pytest.raises(BadInput, match="taken"):
        book.use_link(number, taken)
    assert seen == [(number, (ANNA, LI), {})]
    held = book.find_link(number)
    assert held is not None
    assert held.opens(NOON)
    assert actions(platform) == before


def test_a_link_puts_the_first_admin_on_record_with_a_password_and_roles(platform: Platform) -> None:
    book = platform.control.accounts
    number = book.make_link(lambda _: link("")).number
    result = PasswordSet(FIRST, ANNA, (ADMIN,))
    book.use_link(number, lambda _link, _known: result)
    known = book.known()
    assert known.directory.people == (ANNA,)
    assert known.directory.grants == {ADMIN}
    assert known.accounts == {"p-1": FIRST}
    assert actions(platform) == [
        "link.made",
        "person.added",
        "role.granted",
        "link.used",
        "account.password-set",
    ]


def test_the_newest_link_of_a_person_is_the_only_one_that_opens(platform: Platform) -> None:
    on_record(platform)
    book = platform.control.accounts
    numbers = [book.make_link(lambda _: link()).number for _ in range(3)]
    other = book.make_link(lambda _: link("p-2")).number
    opens = [number for number in (*numbers, other) if (held := book.find_link(number)) and held.opens(NOON)]
    assert opens == [numbers[-1], other]
    last = list(platform.control.audit.entries())[-2]
    assert last.event.detail["links_ended"] == [numbers[1]]


def test_another_password_ends_all_sessions_and_links_of_its_owner(platform: Platform) -> None:
    on_record(platform)
    give_password(platform)
    control = platform.control
    mine, also_mine, of_li = sign_in(platform), sign_in(platform), sign_in(platform, LI)
    stale = control.accounts.make_link(lambda _: link()).number
    second = newly_set("p-1", "$argon2id$second", NOON, FIRST)
    control.accounts.set_password(FIRST, second)
    for number in (mine.number, also_mine.number):
        held = control.sessions.find(number)
        assert held is not None
        assert held.end is SessionEnd.PASSWORD
    assert control.sessions.find(of_li.number) == of_li
    assert control.accounts.find_link(stale) == replace(link(), number=stale).ended(LinkEnd.REPLACED, NOON)
    assert actions(platform)[-3:] == ["account.password-set", "session.ended", "session.ended"]
    before = actions(platform)
    with pytest.raises(Denied, match="in the meantime"):
        control.accounts.set_password(FIRST, second)
    assert control.accounts.find("p-1") == second
    assert actions(platform) == before


def test_a_better_hash_of_the_same_password_ends_nothing(platform: Platform) -> None:
    on_record(platform)
    give_password(platform)
    held, better = sign_in(platform), Account("p-1", "$argon2id$better", NOON)
    assert platform.control.accounts.rehash(FIRST, better)
    assert platform.control.accounts.find("p-1") == better
    assert platform.control.sessions.find(held.number) == held
    assert actions(platform)[-1] == "account.rehashed"
    second = newly_set("p-1", "$argon2id$second", NOON, better)
    platform.control.accounts.set_password(FIRST, second)
    assert not platform.control.accounts.rehash(better, FIRST)
    assert platform.control.accounts.find("p-1") == second


def test_a_session_is_begun_in_the_name_of_who_signed_in_and_ends_once(platform: Platform) -> None:
    on_record(platform)
    book = platform.control.sessions
    first, second = sign_in(platform), sign_in(platform)
    assert [first.number, second.number] == [1, 2]
    assert book.find(1) == first
    assert book.find(3) is None
    for why in (SessionEnd.SIGNED_OUT, SessionEnd.EXPIRED):
        book.end(1, why)
    book.end(3, SessionEnd.EXPIRED)
    assert book.find(1) == first.ended(SessionEnd.SIGNED_OUT, NOON)
    entries = list(platform.control.audit.entries())[-3:]
    assert [entry.event.action for entry in entries] == ["session.began", "session.began", "session.ended"]
    for entry in entries:
        assert (entry.actor.name, entry.actor.person) == ("anna.berg", "p-1")
        assert (entry.actor.standing, entry.actor.proof) == (Standing.VERIFIED, BY_PASSWORD)


def test_use_is_noted_until_the_end(platform: Platform, clock: FixedClock) -> None:
    on_record(platform)
    book, held = platform.control.sessions, sign_in(platform)
    clock.sleep(timedelta(minutes=5))
    before = actions(platform)
    book.note_use(held.number)
    used = replace(held, used_at=NOON + timedelta(minutes=5))
    assert book.find(held.number) == used
    assert actions(platform) == before
    book.end(held.number, SessionEnd.EXPIRED)
    clock.sleep(timedelta(minutes=5))
    book.note_use(held.number)
    book.note_use(9)
    assert book.find(held.number) == used.ended(SessionEnd.EXPIRED, NOON + timedelta(minutes=5))
    last = list(platform.control.audit.entries())[-1]
    assert (last.event.action, last.actor) == ("session.ended", ADA)


def test_the_next_session_of_a_person_writes_down_the_end_of_those_that_expired(
    platform: Platform, clock: FixedClock
) -> None:
    on_record(platform)
    first, of_li = sign_in(platform), sign_in(platform, LI)
    clock.sleep(timedelta(hours=13))
    sign_in(platform)
    held = platform.control.sessions.find(first.number)
    assert held is not None
    assert held.end is SessionEnd.EXPIRED
    assert platform.control.sessions.find(of_li.number) == of_li


@pytest.mark.parametrize("change", ["grant", "revoke", "group", "disable", "add to a group"])
def test_who_gets_other_rights_signs_in_anew_and_nobody_else(platform: Platform, change: str) -> None:
    on_record(platform)
    people, sessions = platform.control.people, platform.control.sessions
    mine, of_li = sign_in(platform), sign_in(platform, LI)
    leads = Group("leads", frozenset({"p-2"}))
    {
        "grant": lambda: people.grant([Grant("p-2", Role.APPROVER)]),
        "revoke": lambda: people.revoke([VIEWER]),
        "group": lambda: people.put_group(leads),
        "disable": lambda: people.change(replace(LI, disabled=True)),
        "add to a group": lambda: people.add([Person("p-3", "ci")], [], [leads], first=False),
    }[change]()
    held = sessions.find(of_li.number)
    assert held is not None
    assert held.end is SessionEnd.RIGHTS
    assert sessions.find(mine.number) == mine
    ended = [entry for entry in platform.control.audit.entries() if entry.event.action == "session.ended"]
    assert [(entry.event.subject, entry.actor) for entry in ended] == [("li.wei", ADA)]


def test_a_role_that_was_taken_and_given_back_brings_no_session_back(platform: Platform) -> None:
    on_record(platform)
    held = sign_in(platform, LI)
    platform.control.people.revoke([VIEWER])
    platform.control.people.grant([VIEWER])
    found = platform.control.sessions.find(held.number)
    assert found is not None
    assert found.end is SessionEnd.RIGHTS


# Attempts

LIMIT = Limit(2, timedelta(seconds=30), timedelta(minutes=1))


def test_attempts_are_counted_before_they_are_made_and_not_during_a_pause(
    platform: Platform, clock: FixedClock
) -> None:
    book, keys = platform.control.attempts, {"name 1": LIMIT, "address 2": LIMIT}
    assert [book.begin(keys) for _ in range(2)] == [NO_TIME, NO_TIME]
    for _ in range(3):
        assert book.begin(keys) == timedelta(seconds=30)
    assert book.begin({"name 3": LIMIT, "address 2": LIMIT}) == timedelta(seconds=30)
    assert book.begin({"name 3": LIMIT}) == NO_TIME
    clock.sleep(timedelta(seconds=30))
    assert book.begin(keys) == NO_TIME
    assert book.begin(keys) == timedelta(minutes=1)
    assert actions(platform) == []


def test_a_success_forgets_a_name_and_takes_one_attempt_back_from_an_address(platform: Platform) -> None:
    book, keys = platform.control.attempts, {"name 1": LIMIT, "address 2": LIMIT}
    for _ in range(2):
        book.begin(keys)
    book.succeeded("name 1", "address 2")
    assert book.begin(keys) == NO_TIME
    assert book.begin({"name 1": LIMIT}) == NO_TIME
    assert book.begin({"address 2": LIMIT}) > NO_TIME


def test_refusals_are_listed_a_few_times_a_minute_and_counted_beyond(
    platform: Platform, clock: FixedClock
) -> None:
    book = platform.control.attempts
    for _ in range(LISTED_A_MINUTE + 4):
        book.refused(ANNA, "192.0.2.1")
        book.refused(None, "192.0.2.1")
    assert actions(platform) == ["sign-in.refused"] * 2 * LISTED_A_MINUTE
    clock.sleep(timedelta(minutes=1))
    book.refused(ANNA, "192.0.2.1")
    last = list(platform.control.audit.entries())[-1]
    assert (last.event.subject, last.actor) == ("anna.berg", ADA)
    assert last.event.detail == {"person": "p-1", "address": "192.0.2.1", "unlisted": 4}


def test_the_limit_of_a_name_is_as_long_as_it_says(platform: Platform) -> None:
    keys = {"name 1": OF_A_NAME}
    assert [platform.control.attempts.begin(keys) for _ in range(6)][-2:] == [NO_TIME, OF_A_NAME.first]

"""Passwords, sessions, links and pauses: rules that hold for all values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.account import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Account,
    PasswordRefused,
    can_look_after,
    checked_password,
    newly_set,
    readable,
)
from fleetcast.domain.attempts import (
    FORGOTTEN_AFTER,
    LISTED_A_MINUTE,
    NO_ATTEMPTS,
    OF_A_NAME,
    OF_AN_ADDRESS,
    UNKNOWN,
    Limit,
    Listed,
    key_of_address,
    key_of_name,
    limits_of,
    network_of,
)
from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.link import LIFE, Link, LinkEnd, LinkPurpose
from fleetcast.domain.people import Directory, Grant, Group, Kind, Person
from fleetcast.domain.place import Scope
from fleetcast.domain.role import Role
from fleetcast.domain.session import (
    LONGEST_IDLE,
    LONGEST_SESSION,
    SessionEnd,
    begun,
    csrf_fits,
    csrf_of,
    rights_of,
)
from tests.clocks import NOON

ANNA = Person("p-1", "anna.berg", full_name="Anna Katharina Berg", aliases=("annika.berg.1",))
HERE = Directory((ANNA,), (Group("leads", frozenset({"p-1"})),), frozenset({Grant("leads", Role.ADMIN)}))
BY_PASSWORD = Proof(Means.PASSWORD, "anna.berg")
SESSION = begun(HERE, ANNA, BY_PASSWORD, Digest("1" * 64), NOON)
SECOND = timedelta(seconds=1)

# Passwords


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=13, max_size=60))
def test_any_signs_make_a_password_if_there_are_enough_of_them(text: str) -> None:
    normal = readable(text)
    assert normal is not None
    if len(normal) < SHORTEST_PASSWORD:
        with pytest.raises(PasswordRefused):
            checked_password(text, ANNA)
    else:
        assert checked_password(text, ANNA) == normal
        assert readable(normal) == normal


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevensigns",
        "x" * (LONGEST_PASSWORD + 1),
        "lone \ud800 surrogate",
        "Anna Katharina BERG",
        "annika.berg.1",
        "  ANNIKA.berg.1 ",
    ],
    ids=["empty", "short", "long", "unwritable", "full name", "alias", "alias with blanks"],
)
def test_a_refused_password_is_not_shown(password: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        checked_password(password, ANNA)
    assert caught.value.fix
    assert not password or password not in str(caught.value) + caught.value.fix


def test_one_password_is_the_same_from_every_keyboard() -> None:
    composed, decomposed = "gr\u00fcne Wiesen!", "gru\u0308ne Wiesen!"
    assert checked_password(composed, ANNA) == checked_password(decomposed, ANNA)


def test_an_account_never_shows_its_hash() -> None:
    assert "argon" not in repr(Account("p-1", "$argon2id$x", NOON))
    for odd in ("", "two\nlines", "h\u00e4sh", "x" * 501):
        with pytest.raises(BadInput):
            Account("p-1", odd, NOON)


def test_a_password_is_told_from_the_next_one_whatever_its_hash() -> None:
    first = newly_set("p-1", "$one", NOON, None)
    second = newly_set("p-1", "$two", NOON, first)
    assert first.same_password(Account("p-1", "$better", NOON, first.times))
    assert not first.same_password(second)
    assert not first.same_password(None)


@pytest.mark.parametrize(
    ("person", "grant", "accounts", "can"),
    [
        (ANNA, Grant("p-1", Role.ADMIN), {"p-1"}, True),
        (ANNA, Grant("p-1", Role.ADMIN), set(), False),
        (replace(ANNA, identities=(Proof(Means.OIDC, "them"),)), Grant("p-1", Role.ADMIN), set(), True),
        (
            replace(ANNA, identities=(Proof(Means.SYSTEM_USER, "uid 1"),)),
            Grant("p-1", Role.ADMIN),
            set(),
            False,
        ),
        (replace(ANNA, disabled=True), Grant("p-1", Role.ADMIN), {"p-1"}, False),
        (replace(ANNA, kind=Kind.SERVICE), Grant("p-1", Role.ADMIN), {"p-1"}, False),
        (ANNA, Grant("p-1", Role.ADMIN, Scope(plant="PLANT001")), {"p-1"}, False),
        (ANNA, Grant("p-1", Role.OPERATOR), {"p-1"}, False),
    ],
    ids=["account", "none", "provider", "asserted", "disabled", "service", "one plant", "another role"],
)
def test_a_fleet_is_looked_after_by_an_admin_who_can_sign_in(
    person: Person, grant: Grant, accounts: set[str], can: bool
) -> None:
    assert can_look_after(Directory((person,), (), frozenset({grant})), accounts) is can


# Sessions


@given(st.lists(st.integers(0, 14 * 60), max_size=40).map(sorted))
def test_a_session_lasts_as_long_as_it_is_used_and_never_longer_than_its_longest(minutes: list[int]) -> None:
    held = SESSION
    for minute in minutes:
        now = NOON + timedelta(minutes=minute)
        alive = now < held.used_at + LONGEST_IDLE and now < NOON + LONGEST_SESSION
        assert (held.over(now, HERE) is None) is alive
        if not alive:
            assert held.over(now, HERE) is SessionEnd.EXPIRED
            return
        held = replace(held, used_at=now)


@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, grants=frozenset()),
        replace(HERE, grants=HERE.grants | {Grant("p-1", Role.VIEWER)}),
        replace(HERE, groups=()),
        replace(HERE, groups=(*HERE.groups, Group("night shift", frozenset({"p-1"})))),
        replace(HERE, people=(replace(ANNA, disabled=True),)),
        replace(HERE, people=(replace(ANNA, identities=(BY_PASSWORD,)),)),
        replace(HERE, people=()),
    ],
    ids=["role lost", "role given", "group lost", "group joined", "disabled", "identity", "gone"],
)
def test_a_session_ends_with_the_rights_with_which_it_began(other: Directory) -> None:
    assert SESSION.over(NOON, HERE) is None
    assert SESSION.over(NOON, other) is SessionEnd.RIGHTS


def test_what_others_are_given_ends_nobody_else_s_session() -> None:
    li = Person("p-2", "li.wei")
    other = replace(HERE, people=(li, ANNA), grants=HERE.grants | {Grant("p-2", Role.VIEWER)})
    assert SESSION.over(NOON, other) is None
    assert rights_of(other, li) != rights_of(other, ANNA)


@given(st.text(), st.text(min_size=1))
def test_a_form_fits_its_own_session_alone(shown: str, secret: str) -> None:
    ascii_secret = secret.encode().hex()
    assert csrf_fits(ascii_secret, csrf_of(ascii_secret))
    assert not csrf_fits(ascii_secret, shown)
    # A few digits stand in any digest by chance; a secret has 43 signs.
    assert ascii_secret not in csrf_of(ascii_secret) or len(ascii_secret) < 16


# Links


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_a_link_opens_for_a_while_and_until_it_ended(purpose: LinkPurpose) -> None:
    person = "p-1" if purpose is LinkPurpose.SET_PASSWORD else ""
    link = Link(1, purpose, person, Digest("1" * 64), "ada", NOON)
    assert link.opens(NOON)
    assert link.opens(NOON + LIFE[purpose] - SECOND)
    assert not link.opens(NOON + LIFE[purpose])
    assert not link.ended(LinkEnd.USED, NOON).opens(NOON)
    with pytest.raises(BadInput):
        replace(link, person="" if person else "p-1")


# Pauses

LIMITS = st.sampled_from([OF_A_NAME, OF_AN_ADDRESS])


@given(LIMITS, st.lists(st.integers(-3_600, 7_200), max_size=80))
def test_nobody_is_locked_out_for_ever_whatever_happened(limit: Limit, steps: list[int]) -> None:
    held, now = NO_ATTEMPTS, NOON
    for step in steps:
        now += timedelta(seconds=step)
        wait = held.wait(limit, now)
        assert timedelta(0) <= wait <= limit.longest
        assert held.wait(limit, now + wait) <= wait
        if not wait:
            held = held.begun(now)
    assert not held.wait(limit, max(now, held.last_at or now) + limit.longest)


@given(LIMITS, st.integers(1, 10_000))
def test_whoever_guesses_gets_few_tries_an_hour(limit: Limit, seconds: int) -> None:
    held, now, tries = NO_ATTEMPTS, NOON, 0
    while now < NOON + timedelta(hours=12):
        if held.wait(limit, now):
            now += held.wait(limit, now)
            continue
        held, tries = held.begun(now), tries + 1
        now += SECOND if tries % 2 else timedelta(seconds=seconds % 20)
    assert tries <= limit.free + 6 + 12 * 4


def test_pauses_grow_and_are_forgotten() -> None:
    held = NO_ATTEMPTS
    pauses = []
    for _ in range(12):
        held = held.begun(NOON)
        pauses.append(held.wait(OF_A_NAME, NOON))
    assert pauses[:4] == [timedelta(0)] * 4
    assert pauses[4:6] == [OF_A_NAME.first, 2 * OF_A_NAME.first]
    assert pauses == sorted(pauses)
    assert pauses[-1] == OF_A_NAME.longest
    assert held.begun(NOON + FORGOTTEN_AFTER).failures == 1


def test_a_success_takes_back_its_own_attempt_alone() -> None:
    twice = NO_ATTEMPTS.begun(NOON).begun(NOON)
    assert twice.taken_back().failures == 1
    assert NO_ATTEMPTS.taken_back().failures == 0


@given(st.lists(st.integers(0, 30), max_size=200))
def test_no_flood_reaches_the_audit_log_and_each_refusal_is_counted(steps: list[int]) -> None:
    held, now, listed, told = Listed(NOON), NOON, [], 0
    for step in steps:
        now += timedelta(seconds=step)
        after, shown = held.next(now)
        if shown:
            listed.append(now)
            told += held.unlisted + 1
        held = after
    assert told + held.unlisted == len(steps)
    for moment in listed:
        within = [one for one in listed if moment <= one < moment + timedelta(minutes=1)]
        assert len(within) <= 2 * LISTED_A_MINUTE


@given(st.text())
def test_what_was_typed_as_a_name_is_not_kept(name: str) -> None:
    assert len(key_of_name(name)) == len("name ") + 4


def test_spellings_of_a_name_and_machines_of_a_network_are_counted_together() -> None:
    assert key_of_name("Anna.BERG") == key_of_name("anna.berg")
    assert key_of_address("2001:db8::1") == key_of_address("2001:db8::ffff:1")
    assert key_of_address("2001:db8::1") != key_of_address("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("<script>") == network_of("") == UNKNOWN
    assert key_of_address("") is None
    assert limits_of("anna.berg", "") == {key_of_name("anna.berg"): OF_A_NAME}
    assert list(limits_of("anna.berg", "192.0.2.1").values()) == [OF_A_NAME, OF_AN_ADDRESS]

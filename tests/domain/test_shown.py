"""What an identity provider's claims say of somebody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.canonical import Json
from fleetcast.domain.role import Role
from fleetcast.domain.settings import OidcSettings
from fleetcast.domain.shown import SignInRefused, plainly, shown_by

TENANT, OBJECT = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-0000-0000-0000-000000000001"
PLAIN = OidcSettings("fleetcast", "https://login.example.com")
ENTRA = OidcSettings("fleetcast", tenant=TENANT)
MAPPED = replace(ENTRA, roles={"Approver": Role.APPROVER}, groups={"leads": Role.ENGINEER})
HER: dict[str, Json] = {"iss": ENTRA.issuer, "sub": "s", "tid": TENANT, "oid": OBJECT}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(name=JSON, email=JSON, upn=JSON, preferred=JSON, subject=st.text(min_size=1, max_size=20))
def test_nothing_that_people_can_change_makes_a_person_of_entra_another(
    name: Json, email: Json, upn: Json, preferred: Json, subject: str
) -> None:
    claims = {
        **HER,
        "sub": subject,
        "name": name,
        "email": email,
        "upn": upn,
        "preferred_username": preferred,
    }
    shown = shown_by(claims, ENTRA)
    assert shown.proof == Proof(Means.OIDC, f"tenant {TENANT} object {OBJECT}")
    assert (shown.name + shown.email).isprintable()
    assert len(shown.name) <= 200


@given(subject=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255))
def test_subjects_are_told_apart_by_every_sign(subject: str) -> None:
    shown = shown_by({"iss": PLAIN.issuer, "sub": subject}, PLAIN)
    assert shown.proof.detail == f"issuer https://login.example.com subject {subject}"


@pytest.mark.parametrize("subject", [None, "", 7, "a" * 256, "é", "a\nb", ["a"]])
def test_a_subject_that_could_be_mistaken_is_refused(subject: Json) -> None:
    with pytest.raises(SignInRefused, match="its subject is not"):
        shown_by({"iss": PLAIN.issuer, "sub": subject}, PLAIN)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"tid": None}, "somebody of no tenant"),
        ({"tid": OBJECT}, f"somebody of tenant {OBJECT}"),
        ({"tid": ["11111111-2222-3333-4444-555555555555"]}, "somebody of no tenant"),
        ({"oid": None}, "names no object id"),
        ({"oid": "ada@example.com"}, "names no object id"),
    ],
)
def test_of_entra_both_tenant_and_object_are_needed(changed: dict[str, Json], says: str) -> None:
    with pytest.raises(SignInRefused, match=says):
        shown_by({**HER, **changed}, ENTRA)


def test_the_same_object_in_other_letters_is_the_same_person() -> None:
    upper: dict[str, Json] = {**HER, "tid": TENANT.upper(), "oid": OBJECT.upper()}
    assert shown_by(upper, ENTRA).proof == shown_by(HER, ENTRA).proof


def test_roles_come_from_what_the_settings_name() -> None:
    claims: dict[str, Json] = {**HER, "roles": ["Approver", "Else"], "groups": ["leads"]}
    assert shown_by(claims, MAPPED).roles == {Role.APPROVER, Role.ENGINEER}
    assert shown_by(claims, ENTRA).roles == frozenset()
    assert shown_by(HER, MAPPED).roles == frozenset()


@pytest.mark.parametrize(
    "over",
    [
        {"hasgroups": True},
        {"hasgroups": "true"},
        {"hasgroups": 1, "groups": ["leads"]},
        {"_claim_names": {"groups": "src1"}},
        {"_claim_names": {"groups": "src1"}, "groups": ["leads"]},
    ],
)
def test_groups_that_are_too_many_for_a_token_give_no_role_and_that_is_said(over: dict[str, Json]) -> None:
    shown = shown_by({**HER, "roles": ["Approver"], **over}, MAPPED)
    assert (shown.roles, shown.groups_left_out) == (frozenset({Role.APPROVER}), True)
    assert not shown_by({**HER, **over}, MAPPED).roles
    assert not shown_by({**HER, **over}, replace(MAPPED, groups={})).groups_left_out


@pytest.mark.parametrize(
    "over",
    [
        {"_claim_names": {"roles": "src1"}},
        {"_claim_names": ["groups"]},
        {"groups": "leads"},
        {"groups": [1]},
        {"roles": {"Approver": True}},
    ],
)
def test_roles_that_cannot_be_read_refuse_where_they_are_wanted(over: dict[str, Json]) -> None:
    with pytest.raises(SignInRefused) as error:
        shown_by({**HER, **over}, MAPPED)
    assert error.value.fix
    assert shown_by({**HER, **over}, ENTRA).roles == frozenset()


@given(value=JSON)
def test_whatever_a_provider_says_is_one_printable_line(value: Json) -> None:
    assert plainly(value).isprintable()
    assert len(plainly(value)) <= 200

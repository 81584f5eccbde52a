"""Gate policies: which change is only a restriction, and what holds meanwhile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import PolicyChange
from fleetcast.domain.freeze import parse_freeze
from fleetcast.domain.gate import DEFAULT_GATES, GatePolicy, differences, effective
from fleetcast.domain.place import Gate
from fleetcast.stored import format_1

TWO = GatePolicy(("ada", "grace"), 2, own_request_allowed=False, verified=True)
ANY = GatePolicy()
NAMED = GatePolicy(("ada", "grace", "edsger"))
NIGHT = parse_freeze("fri 18:00 to mon 06:00")
OTHER: Mapping[str, object] = {
    "approvers": ("ada",),
    "minimum": 3,
    "own_request_allowed": False,
    "verified": True,
    "groups": ("leads",),
    "services": ("robot",),
    "sequence": ("leads",),
    "own_commit_allowed": False,
    "own_version_allowed": False,
    "failing_allowed": False,
    "not_before": timedelta(hours=1),
    "lapses_after": timedelta(days=1),
    "freezes": (NIGHT,),
    "break_glass": True,
    "unsigned_allowed": True,
}
NEW = [name for name in OTHER if name not in ("approvers", "minimum", "own_request_allowed", "verified")]
AS_WRITTEN = {
    "own_commit_allowed": "own_commit",
    "own_version_allowed": "own_version",
    "failing_allowed": "failing_checks",
    "unsigned_allowed": "unsigned",
}


def other(policy: GatePolicy, field: str) -> GatePolicy:
    """The same policy but for one field."""
    base = replace(policy, approvers=NAMED.approvers) if field == "groups" else policy
    return replace(base, **{field: OTHER[field]})  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("in_force", "declared", "restricts"),
    [
        (ANY, ANY, True),
        (ANY, GatePolicy(("ada",)), True),
        (GatePolicy(("ada",)), ANY, False),
        (GatePolicy(("ada", "grace")), GatePolicy(("ada",)), True),
        (GatePolicy(("ada",)), GatePolicy(("ada", "grace")), False),
        (GatePolicy(("ada",)), GatePolicy(("grace",)), False),
        (GatePolicy(minimum=1), GatePolicy(minimum=2), True),
        (GatePolicy(minimum=2), GatePolicy(minimum=1), False),
        (GatePolicy(), GatePolicy(own_request_allowed=False), True),
        (GatePolicy(own_request_allowed=False), GatePolicy(), False),
        (GatePolicy(), GatePolicy(verified=True), True),
        (GatePolicy(verified=True), GatePolicy(), False),
        (GatePolicy(("ada", "grace"), 1), GatePolicy(("ada", "grace", "edsger"), 2), False),
        (GatePolicy(("ada", "grace"), 2), GatePolicy(("ada",), 1), False),
    ],
)
def test_only_what_shuts_a_gate_further_restricts_it(
    in_force: GatePolicy, declared: GatePolicy, restricts: bool
) -> None:
    assert in_force.admits(declared) is restricts


def test_a_policy_that_nobody_could_satisfy_is_refused() -> None:
    with pytest.raises(BadInput, match="3 people must approve, but only 2 may"):
        GatePolicy(("ada", "grace"), 3)


def test_what_opens_a_gate_further_does_not_hold_by_being_declared() -> None:
    in_force = dict.fromkeys(Gate, TWO)
    tighter = replace(TWO, approvers=("ada", "grace"), minimum=2)
    assert effective(in_force, DEFAULT_GATES) == in_force
    assert effective(dict.fromkeys(Gate, ANY), in_force) == in_force
    assert effective(in_force, dict.fromkeys(Gate, tighter)) == in_force


@pytest.mark.parametrize("field", [field.name for field in fields(GatePolicy)])
def test_every_field_of_a_policy_is_in_its_digest(field: str) -> None:
    assert other(ANY, field).digest != ANY.digest


@pytest.mark.parametrize(
    ("policy", "digest"),
    [
        (ANY, "e309e65d6c9667989fcf4c2bbdd79499a895de8452b6040b1237689773270faf"),
        (TWO, "97a6f8def726ce062cd362bc64ef8ab5bdff25b2a8631cbb97d6c36b59cee230"),
    ],
)
def test_a_policy_without_newer_rules_keeps_the_digest_that_requests_are_pinned_by(
    policy: GatePolicy, digest: str
) -> None:
    assert policy.digest.hex == digest
    assert policy.later_rules == {}


@pytest.mark.parametrize("field", NEW)
def test_what_was_asked_in_the_first_format_is_not_recognised_under_newer_rules(field: str) -> None:
    assert format_1.policy_digest(other(ANY, field), None) != format_1.policy_digest(ANY, None)


@pytest.mark.parametrize("field", NEW)
def test_a_change_of_a_rule_is_named_and_restricts_in_one_direction_only(field: str) -> None:
    changed = other(NAMED, field)
    assert [change.field for change in differences(NAMED, changed)] == [AS_WRITTEN.get(field, field)]
    assert {NAMED.admits(changed), changed.admits(NAMED)} == {True, False}
    assert NAMED.admits(changed) is (field not in ("groups", "services", "break_glass", "unsigned_allowed"))


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"approvers": ()}, "without approvers never opens"),
        ({"groups": ("leads",)}, "groups narrow nothing"),
        ({"services": ("*",)}, "among approvers only"),
        ({"approvers": ("ada",), "sequence": ("a", "b")}, "2 people must approve, but only 1 may"),
        ({"sequence": ("a", "a")}, "a group of the sequence is named twice"),
        ({"services": ("robot", "robot")}, "a service account is named twice"),
        ({"groups": (" ",), "approvers": ()}, "is not a person's name"),
        ({"lapses_after": timedelta(days=31)}, "31d to decide is out of range"),
        ({"lapses_after": timedelta(minutes=59)}, "59min to decide is out of range"),
        ({"lapses_after": timedelta(hours=1), "not_before": timedelta(hours=1)}, "1h after it was asked"),
        ({"not_before": timedelta(seconds=-1)}, "never opens"),
        ({"freezes": (NIGHT, NIGHT)}, "written twice"),
        (
            {"freezes": (parse_freeze("mon 00:00 to fri 00:00"), parse_freeze("thu 00:00 to mon 00:01"))},
            "whole week",
        ),
    ],
)
def test_rules_under_which_a_gate_never_opens_are_refused(rules: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)) as caught:
        GatePolicy(**rules)  # type: ignore[arg-type]  # by name
    assert caught.value.fix


def test_groups_may_stand_alone_as_nobody_knows_here_how_many_they_are() -> None:
    assert GatePolicy((), 7, groups=("leads", "engineers")).groups == ("engineers", "leads")


@pytest.mark.parametrize(
    ("in_force", "declared", "restricts"),
    [
        (ANY, GatePolicy((), groups=("leads",)), True),
        (GatePolicy((), groups=("leads",)), ANY, False),
        (GatePolicy(("ada",)), GatePolicy((), groups=("leads",)), False),
        (ANY, GatePolicy(("robot",)), True),
        (GatePolicy(sequence=("a",)), GatePolicy(sequence=("a", "b")), True),
        (GatePolicy(sequence=("b",)), GatePolicy(sequence=("a", "b")), False),
        (GatePolicy(minimum=2), GatePolicy(sequence=("a", "b")), True),
        (GatePolicy(minimum=3), GatePolicy(sequence=("a", "b")), False),
        (GatePolicy(freezes=(NIGHT,)), GatePolicy(freezes=(parse_freeze("fri 17:00 to mon 07:00"),)), True),
        (GatePolicy(freezes=(parse_freeze("fri 17:00 to mon 07:00"),)), GatePolicy(freezes=(NIGHT,)), False),
    ],
)
def test_rules_that_leave_others_less_restrict(
    in_force: GatePolicy, declared: GatePolicy, restricts: bool
) -> None:
    assert in_force.admits(declared) is restricts


def test_the_fields_that_differ_are_named_as_in_the_fleet_repository() -> None:
    assert differences(ANY, TWO) == (
        PolicyChange("approvers", "*", "ada, grace"),
        PolicyChange("minimum", "1", "2"),
        PolicyChange("own_request", "allowed", "forbidden"),
        PolicyChange("verified", "no", "yes"),
    )
    assert differences(TWO, TWO) == ()

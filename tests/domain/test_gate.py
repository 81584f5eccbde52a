"""Gate policies: which change is only a restriction, and what holds meanwhile."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.evidence import PolicyChange
from fleetcast.domain.gate import DEFAULT_GATES, Gate, GatePolicy, differences, effective

TWO = GatePolicy(("ada", "grace"), 2, own_request_allowed=False, verified=True)
ANY = GatePolicy()


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
    other = {"approvers": ("ada",), "minimum": 7, "own_request_allowed": False, "verified": True}
    assert replace(ANY, **{field: other[field]}).digest != ANY.digest  # type: ignore[arg-type]  # by name


def test_the_fields_that_differ_are_named_as_in_the_fleet_repository() -> None:
    assert differences(ANY, TWO) == (
        PolicyChange("approvers", "*", "ada, grace"),
        PolicyChange("minimum", "1", "2"),
        PolicyChange("own_request", "allowed", "forbidden"),
        PolicyChange("verified", "no", "yes"),
    )
    assert differences(TWO, TWO) == ()

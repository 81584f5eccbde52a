"""What a plan says is still to be promoted."""

from __future__ import annotations

from pathlib import Path

from fleetcast.domain.approval import Choice
from fleetcast.domain.plan import Plan, Reuse
from fleetcast.workflows.plan import MakePlan
from tests.fleets import SmallFleet, small_fleet


def plan(fleet: SmallFleet) -> Plan:
    return MakePlan(fleet.opened.platform, fleet.clock)(fleet.opened.fleet)


def promotions(fleet: SmallFleet) -> list[str]:
    return [f"{action.kind} {action.name}:{action.version}" for action in plan(fleet).assets]


def test_a_reuse_promotes_the_version_that_comes_back_and_not_the_one_that_goes(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.promote()
    fleet.change(revision=1)
    fleet.train()
    assert promotions(fleet) == [f"model {fleet.circuit.model_name}:2"]
    fleet.change(revision=0)
    (action,) = plan(fleet).circuits
    assert isinstance(action, Reuse)
    assert promotions(fleet) == []


def test_a_rejected_model_is_no_promotion_any_more_even_before_the_next_run(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.decide(Choice.REJECT)
    assert promotions(fleet) == []

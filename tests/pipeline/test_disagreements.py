"""Every way in which what is declared, selected, champion and refused can disagree, and what follows for each.

Version 1 was trained at revision 0 and version 2 at revision 1, which nothing has of revision 2. A request for
version 2 waits, unless it was refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from fleetcast.domain.approval import RequestState
from fleetcast.domain.errors import BadInput
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.situation import actions
from fleetcast.workflows.fleet_status import CircuitState
from fleetcast.workflows.forecast import MakeForecast
from fleetcast.workflows.inspect_models import ListModels
from fleetcast.workflows.status import ShowStatus
from tests.pipeline.world import ONE, World, circuit

NAME = "p1-c1"
VERSION_OF = {0: 1, 1: 2, 2: None}
"""The version that was trained at a revision."""


@dataclass(frozen=True)
class Case:
    declared: int
    """Revision."""
    selected: int | None
    champion: int | None
    """It is shared, then."""
    refused: tuple[int, ...]

    @property
    def wanted(self) -> int | None:
        """The version that is what the circuit declares."""
        return VERSION_OF[self.declared]

    @property
    def usable(self) -> list[int]:
        return [version for version in (1, 2) if version not in self.refused]

    def __str__(self) -> str:
        refused = ",".join(map(str, self.refused)) or "none"
        return f"declared{self.declared} selected{self.selected} champion{self.champion} refused:{refused}"


CASES = [Case(*values) for values in product((0, 1, 2), (None, 1, 2), (None, 1, 2), ((), (1,), (2,), (1, 2)))]


def world_of(case: Case, folder: Path) -> World:
    world = World(folder)
    world.declare(circuit(ONE))
    world.upto("RegisterModels")
    world.change(ONE, revision=1)
    world.upto("PromoteModels")
    states = world.platform.control.states
    if case.selected is None:
        states.deselect([NAME])
    else:
        states.select({NAME: case.selected})
    if case.champion is not None:
        versions = world.platform.workspace.models.versions([NAME])[NAME]
        world.platform.workspace.shared.share_models([versions[case.champion - 1]])
        states.crown({NAME: case.champion})
    states.reject([(NAME, version) for version in case.refused])
    world.change(ONE, revision=case.declared)
    return world


def planned(case: Case) -> str:
    if case.wanted is None:
        return "train"
    if case.wanted in case.refused:
        return "blocked"
    return "up to date" if case.selected == case.wanted else "reuse"


def status_of(case: Case) -> CircuitState:
    action = planned(case)
    if action != "up to date":
        return {
            "train": CircuitState.TO_TRAIN,
            "blocked": CircuitState.BLOCKED,
            "reuse": CircuitState.REUSE,
        }[action]
    if case.champion == case.wanted:
        return CircuitState.UP_TO_DATE
    return CircuitState.AWAITING if case.wanted == 2 else CircuitState.TO_PROMOTE


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plan_status_forecast_and_promotion_agree_on_what_may_be_used(case: Case, tmp_path: Path) -> None:
    world = world_of(case, tmp_path)
    platform, index = world.platform, ReadIndex.of(world.platform)()

    ((_, action),) = actions([world.circuit()], index, platform.workspace.data)
    assert action.action == planned(case)

    status = ShowStatus(platform, world.clock)(world.fleet)
    assert status.circuits[0].state is status_of(case)

    (row,) = ListModels(platform, world.clock)(world.fleet)
    assert (row.selected.version if row.selected else None) == case.selected
    assert row.champion == case.champion

    forecast = MakeForecast(platform, world.clock)
    if case.usable:
        expected = case.champion if case.champion in case.usable else max(case.usable)
        assert forecast(world.circuit()).provenance.version == expected
    else:
        with pytest.raises(BadInput, match="every version of p1-c1 was refused"):
            forecast(world.circuit())

    world.run("PromoteModels")
    fits = case.selected is not None and case.selected == case.wanted and case.selected not in case.refused
    asked = [request.subject.version for request in world.requests(RequestState.PENDING)]
    missing = fits and case.champion != case.selected
    assert [version for version in asked if version != "1.0.0"] == ([str(case.selected)] if missing else [])
    assert world.champions().get(NAME) == case.champion
    assert world.shared_models() == ([] if case.champion is None else [f"{NAME}:{case.champion}"])


def test_the_case_of_the_report_a_request_for_what_is_not_declared_is_void(tmp_path: Path) -> None:
    world = world_of(Case(declared=0, selected=2, champion=None, refused=(1,)), tmp_path)
    (waiting,) = [request for request in world.requests(RequestState.PENDING) if request.subject.name == NAME]
    world.run("PromoteModels")
    assert world.platform.control.approvals.find(waiting.id).state is RequestState.VOID

"""What may be wrong at a plant, from what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fallback import Unused
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, Release, ServedModel
from fleetcast.domain.suspicion import JobFailed, Moved, Overridden, Stale, Suspect
from fleetcast.domain.traffic import Override
from fleetcast.views.suspicions import as_json, as_text
from tests.fleets import SmallFleet, small_fleet, used

PROD = EnvironmentName.PROD
PLANT = "PLANT001"
ENDPOINT = Endpoint(PROD, PLANT)


@pytest.fixture
def fleet(tmp_path: Path) -> SmallFleet:
    found = small_fleet(tmp_path)
    found.promote()
    return found


def serve(fleet: SmallFleet) -> None:
    """Have the plant served in production by what is shared."""
    control = fleet.opened.platform.control
    models = {
        version.model.lineage.key.circuit: ServedModel(
            version.name, version.version, version.model.artifact, version.training_hash
        )
        for version in used(fleet).values()
    }
    (kept,) = control.releases.keep([Release(PROD, PLANT, "1.0.0", models)])
    control.releases.make_live([kept])
    fleet.opened.platform.workspace.endpoints.serve(ENDPOINT, kept.release.digest)


def test_a_fleet_that_is_well_has_no_suspect(fleet: SmallFleet) -> None:
    found = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT)
    assert found.suspicions == ()
    assert "nothing speaks against anything" in next(iter(as_text(found)))


def test_readings_that_stopped_come_first(fleet: SmallFleet) -> None:
    fleet.clock.moment += timedelta(days=2)
    found = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT02")
    (first,) = found.suspicions
    assert first.suspect is Suspect.DATA
    (clue,) = first.clues
    assert isinstance(clue, Stale)
    assert clue.newest == fleet.last
    assert any("next: fleetcast data quality PLANT001/CIRCUIT02" in line for line in as_text(found))


def test_changes_of_others_are_not_listed(fleet: SmallFleet) -> None:
    found = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT01")
    subjects = {entry.event.subject for entry in found.changes}
    assert any("circuit01" in subject for subject in subjects)
    assert not any("circuit02" in subject for subject in subjects)
    fleet.clock.moment += timedelta(days=4)
    assert fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT01").changes == ()


def test_what_is_not_declared_is_named(fleet: SmallFleet) -> None:
    with pytest.raises(BadInput, match="the fleet has no PLANT001/CIRCUIT09"):
        fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT09")


def test_a_release_of_late_and_a_hold_are_suspects(fleet: SmallFleet) -> None:
    serve(fleet)
    held = Override("CIRCUIT01", None, Unused.HELD)
    fleet.opened.platform.workspace.endpoints.override(ENDPOINT, held)
    found = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT)
    (release,) = found.suspicions
    assert release.suspect is Suspect.RELEASE
    assert {type(clue) for clue in release.clues} == {Moved, Overridden}
    lines = list(as_text(found))
    assert "     PLANT001/CIRCUIT01 is forecast by seasonal_naive: held" in lines
    assert "   next: fleetcast deploy status" in lines
    sibling = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT02")
    assert [type(clue) for one in sibling.suspicions for clue in one.clues] == [Moved]
    document = as_json(sibling)
    assert isinstance(document, dict)
    (suspicion,) = document["suspicions"]
    assert suspicion["next_command"] == "fleetcast rollback prod PLANT001/CIRCUIT02"
    assert suspicion["clues"] == [
        {"clue": "moved", "release": "prod/PLANT001:1", "at": document["diagnosed_at"]}
    ]


def test_a_job_that_failed_speaks_against_the_platform(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    component = fleet.opened.fleet.component
    broken = replace(component, steps=(replace(component.steps[0], command="false"),))
    fleet.opened = replace(fleet.opened, fleet=replace(fleet.opened.fleet, component=broken))
    fleet.train()
    found = fleet.opened.diagnosing(fleet.opened.fleet, PROD, PLANT, "CIRCUIT01")
    (platform,) = found.suspicions
    assert platform.suspect is Suspect.PLATFORM
    (clue,) = platform.clues
    assert isinstance(clue, JobFailed)
    assert clue.key.circuit == "CIRCUIT01"
    assert f"   next: fleetcast runs logs {clue.job}" in list(as_text(found))

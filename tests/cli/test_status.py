from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import typer
from typer.testing import CliRunner

from fleetcast.cli.status import status
from fleetcast.cli.status_views import print_status
from fleetcast.cli.tables import Console
from fleetcast.domain.approval import LAPSES_AFTER, Choice
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.run import RunState
from fleetcast.views.status import as_json
from fleetcast.workflows.status import CircuitState, FleetStatus, ShowStatus
from tests.fleets import SmallFleet, small_fleet


def status_of(fleet: SmallFleet) -> FleetStatus:
    return ShowStatus(fleet.opened.platform, fleet.clock)(fleet.opened.fleet)


def counted(found: FleetStatus) -> dict[str, int]:
    return {state.value: count for state, count in found.counts.items() if count}


def commands(found: FleetStatus) -> list[str]:
    return [step.command for step in found.next_steps]


def text_of(found: FleetStatus, *, every: bool = False) -> str:
    written = io.StringIO()
    print_status(found, Console(file=written, width=160, highlight=False), every=every)
    return written.getvalue()


def test_a_new_fleet_is_to_be_trained(tmp_path: Path) -> None:
    found = status_of(small_fleet(tmp_path))
    assert counted(found) == {"to train": 2}
    assert commands(found) == ["fleetcast plan", "fleetcast train"]
    assert found.last_run is None
    assert "Nothing was run yet." in text_of(found)


def test_what_waits_for_people_names_its_request_and_the_command_to_decide(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.train()
    found = status_of(fleet)
    assert counted(found) == {"awaiting approval": 2}
    first = found.needing_somebody[0]
    assert first.request is not None
    assert first.command == f"fleetcast approvals show {first.request}"
    assert found.pending == 3
    assert commands(found) == ["fleetcast approvals list", "fleetcast approve --passing"]
    assert "PLANT001/CIRCUIT01  awaiting approval" in text_of(found)


def test_what_was_decided_is_acted_on_by_the_next_run(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.train()
    fleet.decide()
    found = status_of(fleet)
    assert counted(found) == {"to promote": 2}
    assert commands(found) == ["fleetcast train"]


def test_a_fleet_in_order_says_so_and_offers_a_forecast(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    found = status_of(fleet)
    assert counted(found) == {"up to date": 2}
    assert commands(found) == ["fleetcast forecast PLANT001/CIRCUIT01"]
    assert found.last_run is not None
    assert found.last_run.state is RunState.DONE
    assert "PromoteModels" in text_of(found)


def test_a_circuit_with_unfit_data_is_blocked_with_the_reason(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    fleet.change(0, features=("nowhere",), targets=("nowhere",))
    fleet.train()
    (blocked,) = status_of(fleet).needing_somebody
    assert blocked.state is CircuitState.BLOCKED
    assert "there is no column `nowhere`" in blocked.says
    assert blocked.command == "fleetcast data quality PLANT001/CIRCUIT01"


def test_a_failed_circuit_shows_its_error_and_the_command_that_continues(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    component = fleet.opened.fleet.component
    broken = replace(component, steps=(replace(component.steps[0], command="false"),))
    fleet.opened = replace(fleet.opened, fleet=replace(fleet.opened.fleet, component=broken))
    fleet.train()
    found = status_of(fleet)
    assert counted(found) == {"failed": 2}
    failed = found.needing_somebody[0]
    assert "step 'fit' ended with exit code 1" in failed.says
    assert failed.command == "fleetcast train --retry-failed --circuits PLANT001/CIRCUIT01"
    assert commands(found)[0] == "fleetcast train --retry-failed"


def test_a_rejected_model_blocks_its_circuit(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.decide(Choice.REJECT, comment="no")
    fleet.train()
    (blocked,) = status_of(fleet).needing_somebody
    assert blocked.says.startswith("version 1 was rejected")
    assert blocked.command == "fleetcast models show PLANT001/CIRCUIT01"


def test_a_reverted_change_is_a_reuse_and_a_circuit_that_is_gone_is_removed(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    before = fleet.circuit
    fleet.change(0, cutoff=Cutoff.parse("2025-02-25"))
    fleet.promote()
    fleet.opened = replace(fleet.opened, fleet=replace(fleet.opened.fleet, circuits=(before,)))
    assert counted(status_of(fleet)) == {"reuse": 1, "removed": 1}


def test_a_request_whose_time_is_over_no_longer_waits(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    fleet.clock.sleep(LAPSES_AFTER + timedelta(days=1))
    found = status_of(fleet)
    assert found.pending == 0
    assert counted(found) == {"to promote": 1}
    assert commands(found) == ["fleetcast train"]


def test_each_plant_has_a_row_with_its_own_counts(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, plants=2, circuits=2)
    fleet.promote()
    fleet.change(3, revision=1)
    first, second = status_of(fleet).plants
    assert dict(first.counts) == {CircuitState.UP_TO_DATE: 2}
    assert dict(second.counts) == {CircuitState.UP_TO_DATE: 1, CircuitState.TO_TRAIN: 1}


def test_a_long_list_is_cut_unless_all_is_asked_for(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, circuits=1)
    fleet.train()
    found = status_of(fleet)
    many = replace(found, circuits=found.circuits * 25)
    assert "and 5 more: --all names them" in text_of(many)
    assert text_of(many).count("PLANT001/CIRCUIT01") == 20
    assert text_of(many, every=True).count("PLANT001/CIRCUIT01") == 25


def test_the_status_is_json_too(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.train()
    document = json.loads(json.dumps(as_json(status_of(fleet)), allow_nan=False))
    assert document["counts"]["awaiting_approval"] == 2
    assert document["circuits"][0]["request_id"] == 2
    assert [stage["stage"] for stage in document["last_run"]["stages"]][-1] == "PromoteModels"
    assert document["next_steps"][0]["command"] == "fleetcast approvals list"


def test_the_command_reads_a_fleet_repository(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, "local", circuits=1)
    fleet.promote()
    app = typer.Typer()
    app.command()(status)
    where = ["--fleet", str(fleet.opened.directory)]
    shown = CliRunner().invoke(app, where)
    assert shown.exit_code == 0
    assert "1 up to date" in shown.stdout
    assert (
        json.loads(CliRunner().invoke(app, [*where, "--format", "json"]).stdout)["counts"]["up_to_date"] == 1
    )

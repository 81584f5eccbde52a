from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fleetcast.cli.plain_rich import Console
from fleetcast.cli.status import status
from fleetcast.cli.status_views import print_status
from fleetcast.domain.approval import LAPSES_AFTER, Choice
from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.run import RunState
from fleetcast.domain.schedule import Duty, Trouble, Turn, TurnState
from fleetcast.domain.settings.schedules import Routine, Schedule
from fleetcast.pipeline.runner import StageRunner, StageWatcher
from fleetcast.pipeline.situation import Progress
from fleetcast.pipeline.stages import StageEntry
from fleetcast.views.moments import shown
from fleetcast.views.status import as_json, verdict_in_words
from fleetcast.workflows.fleet_status import CircuitState, FleetStatus, NextStep, Training
from fleetcast.workflows.status import ShowStatus
from fleetcast.workflows.train import Train
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
    found = status_of(fleet)
    assert commands(found)[0] == "fleetcast data quality PLANT001/CIRCUIT01"
    assert "othing to do" not in text_of(found)


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
    (circuit,), (step,) = found.circuits, found.next_steps
    assert circuit.says == "version 1: nobody decided on request 2 in time; the next run asks again"
    assert step == NextStep("fleetcast train", "asks again, as nobody decided on 2 requests in time")


def test_during_a_run_it_says_who_is_at_work_where_and_how_far_training_has_come(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    runner = StageRunner(fleet.opened.platform, fleet.clock, fleet.opened.state / "runs")
    seen: list[FleetStatus] = []

    def looks(entry: StageEntry, progress: Progress) -> None:
        if entry.name == "MonitorTraining" and progress.done == progress.total:
            seen.append(status_of(fleet))

    watcher = StageWatcher(lambda *_: None, looks, lambda *_: None)
    Train(runner, "0123abc")(fleet.opened.fleet, watcher, lock_timeout=timedelta(0))
    during = seen[-1]
    assert during.training == Training(total=2, done=2, failed=0)
    assert not any(command.startswith("fleetcast train") for command in commands(during))
    assert verdict_in_words(replace(during, next_steps=())) == "In hand: run-0001 is at work."
    text = text_of(during)
    assert "Last run: run-0001, open, at work" in text
    assert "  at work on MonitorTraining, since " in text
    assert f"  held by {during.holder}" in text
    assert "process" in during.holder
    assert "  2 of 2 circuits trained" in text
    assert status_of(fleet).training is None


def test_a_run_that_was_interrupted_is_continued_by_the_next(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    runner = StageRunner(fleet.opened.platform, fleet.clock, fleet.opened.state / "runs")

    def stops(entry: StageEntry, _progress: Progress) -> None:
        if entry.name == "MonitorTraining":
            raise KeyboardInterrupt

    watcher = StageWatcher(lambda *_: None, stops, lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        Train(runner, "0123abc")(fleet.opened.fleet, watcher, lock_timeout=timedelta(0))
    found = status_of(fleet)
    assert not found.at_work
    assert "  interrupted in MonitorTraining, since " in text_of(found)
    assert commands(found)[-2:] == ["fleetcast plan", "fleetcast train"]


def test_a_schedule_that_failed_too_often_is_shown_and_is_a_thing_to_do(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path)
    fleet.promote()
    duty = Duty(Routine.TRAIN, None, "0 2 * * *")
    settings = replace(
        fleet.opened.fleet.settings, schedules={Routine.TRAIN: Schedule(Routine.TRAIN, duty.cron)}
    )
    fleet.opened = replace(fleet.opened, fleet=replace(fleet.opened.fleet, settings=settings))
    due = fleet.clock.now() - timedelta(hours=1)
    fleet.opened.platform.control.schedules.save(
        Turn(duty.name, due, duty.cron, TurnState.FAILED, attempts=5)
    )
    found = status_of(fleet)
    assert found.schedules == (Trouble("train", due, failed=True),)
    assert f"  train, due {shown(due)}: failed too often" in text_of(found)
    assert commands(found) == ["fleetcast schedules list"]


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

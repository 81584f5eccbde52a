"""Running stages as a run: in order, on record, with a file for each, and told to who watches."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.run import Ending, RunState, StageRecord
from fleetcast.pipeline.runner import StageWatcher
from fleetcast.pipeline.situation import Progress, StageResult
from fleetcast.pipeline.stages import STAGES, StageEntry, stage_named
from fleetcast.ports.runs import RunTakenOver
from tests.pipeline.world import FIT, ONE, World, component

ALL = tuple(entry.name for entry in STAGES)


@dataclass
class Notes:
    """Watches a run and writes down what it is told."""

    told: list[str] = field(default_factory=list)

    @property
    def watcher(self) -> StageWatcher:
        return StageWatcher(self.begins, self.progress, self.ended)

    def begins(self, entry: StageEntry) -> None:
        self.told.append(f"{entry.name} begins")

    def progress(self, entry: StageEntry, progress: Progress) -> None:
        self.told.append(f"{entry.name} {progress.done}/{progress.total}")

    def ended(self, entry: StageEntry, record: StageRecord, result: StageResult | None) -> None:
        self.told.append(f"{entry.name} {record.ending.value}{'' if result else ', without a result'}")


def test_the_stages_run_in_order_and_are_on_record(world: World) -> None:
    run = world.keep_running(*ALL)
    assert [record.stage for record in run.stages] == list(ALL)
    assert [record.ending for record in run.stages if record.ending is not Ending.DONE] == [
        Ending.AWAITING,
        Ending.AWAITING,
    ]
    assert world.platform.control.runs.listed()[0] == run


def test_a_run_ends_as_its_gravest_stage(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT]))
    run = world.keep_running(*ALL)
    assert run.state is RunState.FAILED
    assert run.ended_at == world.clock.now()


def test_a_stage_that_fails_in_part_lets_the_next_ones_go_on(world: World) -> None:
    world.declare(component=component("1.0.0", ["grep -q C2 ${{inputs.task}}", FIT]))
    run = world.keep_running(*ALL)
    assert [record.stage for record in run.stages] == list(ALL)
    assert world.selected() == {"p1-c2": 1}


def test_a_run_with_nothing_left_to_do_is_done(world: World) -> None:
    world.promote()
    assert world.keep_running(*ALL).state is RunState.DONE


def test_a_record_says_what_the_stage_said_and_how_long_it_took(world: World) -> None:
    world.upto("SubmitTraining")
    world.stop_jobs()
    begun = world.clock.now()
    (record,) = world.keep_running("MonitorTraining").stages
    assert record == StageRecord(
        "MonitorTraining",
        Ending.STILL_RUNNING,
        "0 completed, 2 still running",
        begun,
        begun + timedelta(hours=3),
    )


def test_each_stage_writes_its_file(world: World) -> None:
    world.keep_running(*ALL)
    folder = world.folder / "runs" / "run-0001"
    assert sorted(path.name for path in folder.iterdir()) == sorted(entry.artifact for entry in STAGES)
    assert json.loads((folder / "components.json").read_text()) == {
        "components": [{"name": "pipeline", "version": "1.0.0", "digest": component().digest.hex}],
        "newComponentRegistered": True,
    }


def test_a_file_is_written_anew_by_a_repeat(world: World) -> None:
    world.keep_running("RegisterComponents")
    world.keep_running("RegisterComponents")
    written = json.loads((world.folder / "runs" / "run-0001" / "components.json").read_text())
    assert written["newComponentRegistered"] is False


def test_who_watches_is_told_step_by_step(world: World) -> None:
    notes = Notes()
    world.keep_running("RegisterComponents", "RegisterData", watcher=notes.watcher)
    assert notes.told == [
        "RegisterComponents begins",
        "RegisterComponents done",
        "RegisterData begins",
        "RegisterData 1/2",
        "RegisterData 2/2",
        "RegisterData done",
    ]


def test_a_stage_that_cannot_work_ends_the_run_on_record(world: World) -> None:
    world.declare(component=component("1.0.0", ["no-such-program", FIT]))
    notes = Notes()
    with pytest.raises(BadInput, match="not on this machine"):
        world.keep_running("RegisterEnvironment", "RegisterComponents", "RegisterData", watcher=notes.watcher)
    run = world.platform.control.runs.find("run-0001")
    assert run.state is RunState.FAILED
    assert [(record.stage, record.ending) for record in run.stages] == [
        ("RegisterEnvironment", Ending.DONE),
        ("RegisterComponents", Ending.FAILED),
    ]
    assert run.stages[-1].says.startswith("step 'step-1' of pipeline:1.0.0 runs 'no-such-program'")
    assert notes.told[-1] == "RegisterComponents failed, without a result"


def test_a_file_that_cannot_be_written_fails_the_stage(world: World) -> None:
    (world.folder / "runs").write_text("in the way")
    with pytest.raises(Unavailable, match=r"cannot write .*environment\.json: "):
        world.keep_running("RegisterEnvironment")
    assert world.platform.control.runs.find("run-0001").state is RunState.FAILED


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(world: World) -> None:
    target = world.folder / "runs" / "run-0001" / "environment.json"
    (target / "in the way").mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"cannot write .*environment\.json: "):
        world.keep_running("RegisterEnvironment")
    assert [path.name for path in target.parent.iterdir()] == ["environment.json"]


def test_a_failure_is_raised_even_where_it_cannot_be_put_on_record(world: World) -> None:
    world.declare(component=component("1.0.0", ["no-such-program", FIT]))
    world.break_runs(Unavailable("the database does not answer"))
    with pytest.raises(BadInput, match="not on this machine") as failed:
        world.keep_running("RegisterComponents")
    assert isinstance(failed.value.__cause__, Unavailable)


def test_who_lost_the_run_to_another_process_records_nothing_more(world: World) -> None:
    world.break_runs(RunTakenOver("grace"))
    notes = Notes()
    with pytest.raises(RunTakenOver):
        world.keep_running("RegisterEnvironment", "RegisterComponents", watcher=notes.watcher)
    assert notes.told == ["RegisterEnvironment begins"]
    assert world.platform.control.runs.find("run-0001").stages == ()


def test_a_stage_is_found_by_its_name() -> None:
    assert [stage_named(name).name for name in ALL] == list(ALL)


def test_an_unknown_stage_is_refused_with_the_nearest_and_all_there_are() -> None:
    with pytest.raises(BadInput, match="there is no stage 'RegisterModel'") as refused:
        stage_named("RegisterModel")
    assert refused.value.fix == "did you mean RegisterModels? the stages are " + ", ".join(ALL)


def test_a_stage_that_resembles_none_has_no_nearest() -> None:
    with pytest.raises(BadInput) as refused:
        stage_named("xyz")
    assert refused.value.fix.startswith("the stages are RegisterEnvironment")


def test_circuits_that_the_fleet_declares_may_be_asked_for(world: World) -> None:
    assert world.only_known(ONE) == {ONE}


def test_a_circuit_that_the_fleet_does_not_declare_is_refused(world: World) -> None:
    with pytest.raises(BadInput, match="the fleet has no circuit P1/C9"):
        world.only_known(ONE, ONE.parse("P1/C9"))


def test_asking_for_no_circuit_is_refused(world: World) -> None:
    with pytest.raises(BadInput, match="no circuit was named"):
        world.only_known()


def test_while_a_stage_runs_it_is_on_record_and_a_run_at_rest_is_open_again(world: World) -> None:
    world.keep_running("RegisterEnvironment", "PromoteEnvironment")
    runs, seen = world.platform.control.runs, []
    assert runs.find("run-0001").state is RunState.AWAITING

    def looks(entry: StageEntry, _progress: Progress) -> None:
        seen.append(runs.find("run-0001"))

    notes = Notes()
    watcher = StageWatcher(notes.begins, looks, notes.ended)
    ended = world.keep_running("RegisterComponents", "RegisterData", watcher=watcher)
    assert {(run.state, run.begun and run.begun.stage) for run in seen} == {(RunState.OPEN, "RegisterData")}
    assert (ended.state, ended.begun) == (RunState.DONE, None)

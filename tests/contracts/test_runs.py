"""The run book: numbered runs, one that can be continued, and one process at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.run import Ending, RunState, StageRecord
from fleetcast.ports.platform import Platform
from fleetcast.ports.runs import RunInProgress
from tests.clocks import NOON
from tests.contracts.samples import KEY, component, digest, job, readings

AT_ONCE = timedelta(0)


def test_runs_are_numbered_and_listed_newest_first(platform: Platform) -> None:
    for fleet in ("one", "two"):
        platform.control.runs.begin(digest(fleet), "0123abc")
    assert [run.id for run in platform.control.runs.listed()] == ["run-0002", "run-0001"]
    assert platform.control.runs.find("run-0001").fleet == digest("one")
    assert platform.control.runs.find("run-0001").by == "ada"


def test_a_new_run_supersedes_those_that_could_have_been_continued(platform: Platform) -> None:
    done = platform.control.runs.begin(digest("one"), "a").ended(Ending.DONE, NOON)
    platform.control.runs.save(done)
    awaiting = platform.control.runs.begin(digest("two"), "b").ended(Ending.AWAITING, NOON)
    platform.control.runs.save(awaiting)
    platform.control.runs.begin(digest("three"), "c")
    assert [run.state for run in platform.control.runs.listed()] == [
        RunState.OPEN,
        RunState.SUPERSEDED,
        RunState.DONE,
    ]


def test_a_saved_run_comes_back_with_its_stages(platform: Platform) -> None:
    run = platform.control.runs.begin(digest("fleet"), "0123abc")
    record = StageRecord("RegisterData", Ending.DONE, "2 circuits", NOON, NOON + timedelta(seconds=3))
    saved = run.with_stage(record).ended(Ending.DONE, NOON)
    platform.control.runs.save(saved)
    assert platform.control.runs.find(run.id) == saved


@pytest.mark.parametrize("run_id", ["run-0009", "run-", "run-x", "../run-0001", "run-٣"])
def test_a_run_that_does_not_exist_cannot_be_found(platform: Platform, run_id: str) -> None:
    with pytest.raises(BadInput):
        platform.control.runs.find(run_id)


def test_a_second_process_is_told_who_is_running(platform: Platform) -> None:
    with (
        platform.control.runs.exclusive("ada on line-3, process 17", AT_ONCE),
        pytest.raises(RunInProgress, match="ada on line-3, process 17"),
        platform.control.runs.exclusive("grace", AT_ONCE),
    ):
        raise AssertionError("two at once")
    with platform.control.runs.exclusive("grace", AT_ONCE):
        pass


def test_the_place_is_given_up_when_the_work_fails(platform: Platform) -> None:
    with pytest.raises(ZeroDivisionError), platform.control.runs.exclusive("ada", AT_ONCE):
        raise ZeroDivisionError
    with platform.control.runs.exclusive("grace", AT_ONCE):
        pass


def test_a_run_that_trained_stands_in_the_audit_log_each_time_it_ends(platform: Platform) -> None:
    runs = platform.control.runs
    run = runs.begin(digest("one"), "0123abc")
    runs.note_training(run, 3)
    stage = StageRecord("SubmitTraining", Ending.DONE, "3 jobs", NOON, NOON)
    runs.save(run.with_stage(stage))
    ended = run.with_stage(stage).ended(Ending.FAILED, NOON)
    runs.save(ended)
    runs.save(ended)
    runs.save(ended.ended(Ending.DONE, NOON + timedelta(hours=1)))
    entries = [entry.event for entry in platform.control.audit.latest(9)]
    assert [(event.action, event.detail.get("state")) for event in entries] == [
        ("run.began", None),
        ("run.ended", "failed"),
        ("run.ended", "done"),
    ]
    assert entries[1].detail["stages"] == [{"stage": "SubmitTraining", "ending": "done", "says": "3 jobs"}]


@pytest.mark.parametrize(("ending", "entries"), [(Ending.DONE, 0), (Ending.AWAITING, 0), (Ending.FAILED, 1)])
def test_a_run_that_found_nothing_to_train_stands_there_only_if_it_failed(
    platform: Platform, ending: Ending, entries: int
) -> None:
    runs = platform.control.runs
    runs.save(runs.begin(digest("one"), "0123abc").ended(ending, NOON))
    assert len(platform.control.audit.latest(9)) == entries


def test_a_job_that_failed_for_good_is_noted_once(platform: Platform) -> None:
    failed = job(readings(KEY), component(), name="a").failed("no rows " * 200, NOON)
    other = job(readings(KEY), component(), name="b").failed("", NOON)
    platform.control.runs.note_failed([failed])
    platform.control.runs.note_failed([failed, other])
    entries = [entry.event for entry in platform.control.audit.latest(9)]
    assert [event.action for event in entries] == ["job.failed", "job.failed"]
    assert entries[0].subject == failed.id
    assert len(str(entries[0].detail["error"])) == 500

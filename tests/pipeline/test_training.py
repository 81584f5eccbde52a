"""Stages 5 and 6: a job for each circuit that needs one, seen through and retried, and none for what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.errors import BadInput, HistoryLost
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.job import JobState
from fleetcast.domain.run import Ending
from tests.clocks import NOON
from tests.pipeline.world import DAYS, FIT, ONE, TWO, World, circuit, component, environment, readings

STUCK = np.full(24 * DAYS, 20.0)
THREE = CircuitKey("P1", "C3")
ONLY_TWO_FITS = "grep -q C2 ${{inputs.task}}"
"""A step that fails for every circuit but the second."""
SECOND = timedelta(seconds=1)


def ready(world: World) -> World:
    """With everything done that comes before training."""
    world.upto("RegisterData")
    return world


# Submitting


def test_a_circuit_without_a_model_gets_a_job(world: World) -> None:
    outcome = ready(world).run("SubmitTraining")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 jobs in 1 batch, 2 new")
    assert [job.state for job in world.jobs(ONE) + world.jobs(TWO)] == [JobState.QUEUED] * 2


def test_a_job_stands_in_the_document_as_it_was_queued(world: World) -> None:
    document = ready(world).run("SubmitTraining", only=ONE).document["jobs"]
    (job,) = world.jobs(ONE)
    assert document == [
        {
            "job": f"p1-c1.{job.task.training_hash.short}.1",
            "batch": f"run-0001:{job.id}",
            "plant_id": "P1",
            "circuit_id": "C1",
            "model_name": "p1-c1",
            "training_hash": job.task.training_hash.hex,
            "attempt": 1,
            "state": "queued",
            "seconds": None,
            "error": None,
            "artifact": None,
        }
    ]


def test_a_job_says_what_to_train_and_from_what(world: World) -> None:
    ready(world).run("SubmitTraining")
    (job,) = world.jobs(ONE)
    held = world.platform.workspace.data.held([world.data_digest(ONE)])[world.data_digest(ONE)]
    assert (job.data_digest, job.fingerprint) == (held.digest, held.fingerprint)
    assert (job.component, job.component_version, job.component_digest) == (
        "pipeline",
        "1.0.0",
        component().digest,
    )
    assert (job.environment_version, job.run, job.submitted_at) == ("1.0.0", "run-0001", world.clock.now())
    assert (job.task.start, job.task.end) == (world.circuit().window_start, world.circuit().cutoff.end)
    assert (job.task.family, job.task.hyperparameters) == ("seasonal_naive", {"season": 24})


def test_a_job_that_waits_is_not_submitted_again(world: World) -> None:
    ready(world).run("SubmitTraining")
    assert world.run("SubmitTraining").says == "2 jobs in 1 batch, 0 new"
    assert len(world.jobs(ONE)) == 1


def test_a_job_that_completed_is_not_submitted_again(world: World) -> None:
    world.upto("MonitorTraining")
    outcome = world.run("SubmitTraining")
    assert outcome.says == "2 jobs in 1 batch, 0 new"
    assert [job["state"] for job in outcome.document["jobs"]] == ["completed", "completed"]


def test_a_job_that_failed_is_tried_again_as_the_next_attempt(world: World) -> None:
    world.declare(component=component("1.0.0", [ONLY_TWO_FITS, FIT]))
    world.upto("MonitorTraining")
    assert world.run("SubmitTraining").says == "2 jobs in 2 batches, 1 new"
    assert [(job.attempt, job.state) for job in world.jobs(ONE)] == [
        (1, JobState.FAILED),
        (2, JobState.QUEUED),
    ]


def test_with_every_model_registered_there_is_nothing_to_submit(world: World) -> None:
    world.upto("RegisterModels")
    outcome = world.run("SubmitTraining")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "nothing to train")
    assert outcome.document == {"jobs": [], "parked": [], "abandoned": []}


def test_only_the_circuit_that_changed_gets_a_new_job(world: World) -> None:
    world.upto("RegisterModels")
    world.change(TWO, cutoff=Cutoff.parse("2025-01-20"))
    world.upto("RegisterData")
    outcome = world.run("SubmitTraining")
    assert outcome.says == "1 job in 1 batch, 1 new"
    assert [job["model_name"] for job in outcome.document["jobs"]] == ["p1-c2"]


def test_a_circuit_that_was_not_asked_for_gets_no_job(world: World) -> None:
    ready(world).run("SubmitTraining", only=TWO)
    assert (len(world.jobs(ONE)), len(world.jobs(TWO))) == (0, 1)


def test_a_circuit_with_unfit_data_gets_no_job(world: World) -> None:
    world.table.commit(readings(ONE, temperature=STUCK, pressure=STUCK))
    world.change(ONE, delta_version=1)
    assert ready(world).run("SubmitTraining").says == "1 job in 1 batch, 1 new"
    assert world.jobs(ONE) == []


def test_a_sensor_that_is_left_out_is_neither_read_nor_forecast(world: World) -> None:
    world.table.commit(readings(ONE, temperature=STUCK))
    world.declare(circuit(ONE, delta_version=1))
    ready(world).run("SubmitTraining")
    (job,) = world.jobs(ONE)
    assert (job.task.sensors, job.task.targets) == (("pressure",), ("pressure",))


def test_a_feature_that_is_no_target_is_read_and_not_forecast(world: World) -> None:
    world.declare(circuit(ONE, targets=("pressure",)))
    ready(world).run("SubmitTraining")
    (job,) = world.jobs(ONE)
    assert (job.task.sensors, job.task.targets) == (("temperature", "pressure"), ("pressure",))


def test_data_that_is_not_registered_is_refused_and_nothing_is_queued(world: World) -> None:
    world.run("RegisterComponents")
    world.run("RegisterData", only=ONE)
    with pytest.raises(BadInput, match="the data of P1/C2 is not registered") as refused:
        world.run("SubmitTraining")
    assert refused.value.fix == "run the stage RegisterData first"
    assert world.jobs(ONE) == []


def test_a_component_that_is_not_registered_is_refused_and_nothing_is_queued(world: World) -> None:
    world.run("RegisterData")
    with pytest.raises(BadInput, match=r"pipeline:1\.0\.0 is not registered") as refused:
        world.run("SubmitTraining")
    assert refused.value.fix == "run the stage RegisterComponents first"
    assert world.jobs(ONE) == []


def test_a_component_whose_program_is_gone_is_refused_and_nothing_is_queued(
    world: World, tmp_path: Path
) -> None:
    program = tmp_path / "clean"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    world.declare(component=component("1.0.0", [str(program), FIT]))
    ready(world)
    program.unlink()
    with pytest.raises(BadInput, match="not on this machine"):
        world.run("SubmitTraining")
    assert world.jobs(ONE) == []


def test_jobs_are_packed_into_batches_of_the_declared_size(world: World) -> None:
    world.table.commit(readings(THREE))
    world.declare(*(circuit(key, delta_version=1) for key in (ONE, TWO, THREE)))
    world.set_platform(batch_size=2)
    outcome = ready(world).run("SubmitTraining")
    assert outcome.says == "3 jobs in 2 batches, 3 new"
    first, second, third = outcome.document["jobs"]
    assert first["batch"] == second["batch"] == f"run-0001:{first['job']}"
    assert third["batch"] == f"run-0001:{third['job']}"


def test_a_batch_stays_within_its_size_over_several_submissions_of_one_run(world: World) -> None:
    world.set_platform(batch_size=1)
    ready(world).run("SubmitTraining", only=ONE)
    world.run("SubmitTraining")
    (first,), (second,) = world.jobs(ONE), world.jobs(TWO)
    assert first.batch != second.batch


def test_each_circuit_trains_with_the_component_version_it_names(world: World) -> None:
    world.run("RegisterComponents")
    newer = component("1.1.0", ["sh -c true", FIT], max_retries=1)
    world.declare(component=newer)
    world.change(TWO, component_version="1.1.0")
    assert ready(world).run("SubmitTraining").says == "2 jobs in 2 batches, 2 new"
    (first,), (second,) = world.jobs(ONE), world.jobs(TWO)
    assert (first.component_digest, second.component_digest) == (component().digest, newer.digest)
    assert first.batch != second.batch


def test_batches_are_submitted_in_the_order_of_their_component_versions(world: World) -> None:
    keys = [CircuitKey("P1", f"C{i}") for i in range(6)]
    world.table.commit(*map(readings, keys))
    for i in range(6):
        world.declare(component=component(f"1.{i}.0"))
        world.run("RegisterComponents")
    versions = [f"1.{i}.0" for i in reversed(range(6))]
    world.declare(
        *(
            circuit(key, delta_version=1, component_version=version)
            for key, version in zip(keys, versions, strict=True)
        )
    )
    world.run("RegisterData")
    jobs = world.run("SubmitTraining").document["jobs"]
    assert [job["batch"] for job in jobs] == [f"run-0001:{job['job']}" for job in jobs]
    assert [job["circuit_id"] for job in jobs] == [f"C{i}" for i in reversed(range(6))]


# Rows that are gone


def test_rows_that_were_lost_are_read_again_from_the_pinned_version(world: World) -> None:
    ready(world)
    world.lose_frozen_rows()
    world.table.reads.clear()
    world.run("SubmitTraining")
    assert world.table.reads == [(0, ("P1/C1", "P1/C2"))]
    assert world.platform.workspace.frozen.holds(world.jobs(ONE)[0].fingerprint)
    assert world.run("MonitorTraining").says == "2 completed"


def test_rows_that_are_kept_are_not_read_again(world: World) -> None:
    ready(world)
    world.table.reads.clear()
    world.run("SubmitTraining")
    assert world.table.reads == []


def test_a_table_that_lost_its_history_is_refused_and_nothing_is_queued(world: World) -> None:
    ready(world)
    world.lose_frozen_rows()
    world.table.committed[0][ONE] = readings(ONE, days=20, pressure=STUCK[: 24 * 20])
    with pytest.raises(BadInput, match=r"the training rows of P1/C1 were .* when they were checked and are"):
        world.run("SubmitTraining")
    assert world.jobs(ONE) == []
    assert world.jobs(TWO) == []


# Waiting


def test_jobs_are_seen_through(world: World) -> None:
    ready(world).run("SubmitTraining")
    outcome = world.run("MonitorTraining")
    assert (outcome.ending, outcome.says) == (Ending.DONE, "2 completed")
    assert [job.state for job in world.jobs(ONE) + world.jobs(TWO)] == [JobState.COMPLETED] * 2


def test_a_completed_job_names_its_artifact(world: World) -> None:
    document = world.upto("MonitorTraining", only=ONE).document
    (job,) = document["completed"]
    assert (job["state"], job["seconds"], job["error"]) == ("completed", 0.0, None)
    outcome = world.jobs(ONE)[0].outcome
    assert outcome is not None
    assert job["artifact"] == outcome.artifact.hex
    assert (world.platform.workspace.artifacts.folder(outcome.artifact) / "MLmodel").is_file()
    assert (document["failed"], document["unfinished"]) == ([], [])


def test_waiting_for_what_is_done_takes_no_time_and_runs_nothing_again(world: World) -> None:
    world.upto("MonitorTraining")
    done = world.jobs(ONE)
    assert world.run("MonitorTraining").says == "2 completed"
    assert world.jobs(ONE) == done
    assert world.clock.slept == []


def test_a_job_that_nobody_asks_for_any_more_is_abandoned(world: World) -> None:
    """Else it would be listed as under way for ever."""
    world.upto("SubmitTraining")
    (left,), before = world.jobs(ONE), world.circuit(ONE)
    world.change(ONE, cutoff=Cutoff.parse("2025-01-20"))
    outcome = world.upto("SubmitTraining")
    assert outcome.says == "2 jobs in 2 batches, 1 new, 1 left over abandoned"
    assert outcome.document["abandoned"] == [left.id]
    world.declare(before, world.circuit(TWO))
    assert world.upto("SubmitTraining").document["jobs"][-1]["attempt"] == 2
    assert [job.state for job in world.jobs(ONE)] == [JobState.ABANDONED, JobState.QUEUED]


def test_a_run_about_some_circuits_abandons_no_job_of_others(world: World) -> None:
    world.upto("SubmitTraining")
    world.change(ONE, cutoff=Cutoff.parse("2025-01-20"))
    assert world.run("SubmitTraining", only=TWO).document["abandoned"] == []


def test_with_nothing_submitted_there_is_nothing_to_wait_for(world: World) -> None:
    outcome = ready(world).run("MonitorTraining")
    without = "0 completed, 2 without a job (P1/C1): run SubmitTraining"
    assert (outcome.ending, outcome.says) == (Ending.FAILED, without)
    assert outcome.document == {
        "completed": [],
        "failed": [],
        "unfinished": [],
        "parked": [],
        "set_aside": [],
        "without_job": ["P1/C1", "P1/C2"],
    }


def test_with_every_model_registered_there_is_nothing_to_wait_for(world: World) -> None:
    world.upto("RegisterModels")
    assert world.run("MonitorTraining").says == "nothing to train"


def test_jobs_of_circuits_that_were_not_asked_for_are_left_waiting(world: World) -> None:
    ready(world).run("SubmitTraining")
    assert world.run("MonitorTraining", only=TWO).says == "1 completed"
    assert world.jobs(ONE)[0].state is JobState.QUEUED


def test_one_circuit_that_fails_stops_no_other(world: World) -> None:
    world.declare(component=component("1.0.0", [ONLY_TWO_FITS, FIT]))
    outcome = world.upto("MonitorTraining")
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "1 completed, 1 failed")
    (failed,), (completed,) = outcome.document["failed"], outcome.document["completed"]
    assert (failed["model_name"], completed["model_name"]) == ("p1-c1", "p1-c2")
    assert failed["error"] == "step 'step-1' ended with exit code 1: it printed nothing"


def test_a_component_that_writes_no_model_fails(world: World) -> None:
    world.declare(component=component("1.0.0", ["sh -c true"]))
    outcome = world.upto("MonitorTraining", only=ONE)
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "0 completed, 1 failed")
    assert outcome.document["failed"][0]["error"] == "the component's steps wrote no model"


def fails_once(tmp_path: Path) -> str:
    """A step that fails the first time."""
    return f"sh -c 'test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}'"


def test_a_job_that_fails_is_retried(world: World, tmp_path: Path) -> None:
    world.declare(component=component("1.0.0", [fails_once(tmp_path), FIT], max_retries=1))
    outcome = world.upto("MonitorTraining", only=ONE)
    assert (outcome.ending, outcome.says) == (Ending.DONE, "1 completed")
    first, second = world.jobs(ONE)
    assert (first.attempt, first.state) == (1, JobState.FAILED)
    assert (second.attempt, second.state) == (2, JobState.COMPLETED)
    assert second.id == first.id[:-1] + "2"
    assert (first.batch, second.batch) == (f"run-0001:{first.id}", f"run-0001:{second.id}")
    assert second.error == ""


def test_retries_end_after_as_many_as_the_component_allows(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT], max_retries=2))
    outcome = world.upto("MonitorTraining", only=ONE)
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "0 completed, 1 failed, 1 parked")
    assert [job.attempt for job in world.jobs(ONE)] == [1, 2, 3]


def test_retries_wait_twice_as_long_each_time(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT], max_retries=3))
    world.upto("MonitorTraining", only=ONE)
    assert world.clock.slept == [1 * SECOND, 2 * SECOND, 4 * SECOND]


def test_a_sibling_goes_on_while_a_retry_waits(world: World, tmp_path: Path) -> None:
    world.declare(component=component("1.0.0", [ONLY_TWO_FITS, FIT], max_retries=1))
    world.upto("MonitorTraining")
    first, second = world.jobs(ONE)
    (sibling,) = world.jobs(TWO)
    assert first.ended_at == sibling.ended_at
    assert second.started_at == NOON + SECOND


# What failed in the same way


def failed_thrice(world: World, command: str = "false") -> World:
    """With a first circuit that failed three times."""
    world.declare(component=component("1.0.0", [command, FIT], max_retries=2))
    world.upto("MonitorTraining", only=ONE)
    assert len(world.jobs(ONE)) == 3
    return world


def test_what_failed_three_times_in_the_same_way_is_parked(world: World) -> None:
    failed_thrice(world).begin_run()
    submitted = world.upto("SubmitTraining")
    assert (submitted.ending, submitted.says) == (Ending.DONE, "1 job in 1 batch, 1 new, 1 parked")
    assert len(world.jobs(ONE)) == 3
    (parked,) = submitted.document["parked"]
    assert parked["circuit_id"] == "C1"
    said = "failed 3 times in the same way: step 'step-1' ended with exit code 1: it printed nothing; "
    assert parked["why"] == said + "fix the cause, then run `fleetcast train --retry-failed`"


def test_the_plan_says_that_a_circuit_is_parked_and_why(world: World) -> None:
    blocked = failed_thrice(world).plan()
    assert blocked.action == "blocked"
    assert blocked.why.startswith("failed 3 times in the same way: step 'step-1' ended with exit code 1")


def test_a_run_stays_failed_while_a_circuit_is_parked(world: World) -> None:
    failed_thrice(world)
    outcome = world.run("MonitorTraining", only=ONE)
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "0 completed, 1 failed, 1 parked")
    assert [job["attempt"] for job in outcome.document["failed"]] == [3]
    assert len(world.jobs(ONE)) == 3


def test_a_person_may_ask_for_another_try(world: World) -> None:
    failed_thrice(world)
    assert world.run("SubmitTraining", only=ONE, retry_failed=True).says == "1 job in 1 batch, 1 new"
    assert world.run("MonitorTraining", only=ONE).says == "0 completed, 1 failed, 1 parked"
    assert [job.attempt for job in world.jobs(ONE)] == [1, 2, 3, 4, 5, 6]


def test_a_cause_that_went_away_is_forgotten_with_a_try_that_was_asked_for(
    world: World, tmp_path: Path
) -> None:
    failed_thrice(world, f"test -e {tmp_path}/licence")
    (tmp_path / "licence").touch()
    world.run("SubmitTraining", only=ONE, retry_failed=True)
    assert world.run("MonitorTraining", only=ONE).says == "1 completed"
    assert world.run("RegisterModels", only=ONE).ending is Ending.DONE
    assert world.plan().action == "up to date"


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.declare(environment=environment("1.1.0")),
        lambda world: world.change(ONE, cutoff=Cutoff.parse("2025-01-20")),
        lambda world: world.change(ONE, component_version="1.0.1"),
    ],
    ids=["environment", "training hash", "component"],
)
def test_a_parked_circuit_is_tried_again_once_its_inputs_change(
    world: World, change: Callable[[World], object]
) -> None:
    failed_thrice(world)
    world.declare(component=component("1.0.1"))
    change(world)
    assert world.plan().action == "train"
    assert world.upto("SubmitTraining", only=ONE).says == "1 job in 1 batch, 1 new"


def test_failures_of_several_kinds_park_nothing(world: World, tmp_path: Path) -> None:
    odd = f"sh -c 'echo >> {tmp_path}/tried; exit $(wc -l < {tmp_path}/tried)'"
    failed_thrice(world, odd)
    assert world.plan().action == "train"


def test_each_circuit_has_retries_of_its_own(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT], max_retries=1))
    world.upto("MonitorTraining")
    assert (len(world.jobs(ONE)), len(world.jobs(TWO))) == (2, 2)


def test_a_later_run_may_retry_as_often_again(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT], max_retries=1))
    world.upto("MonitorTraining", only=ONE)
    world.begin_run()
    world.upto("MonitorTraining", only=ONE)
    jobs = world.jobs(ONE)
    assert [job.batch.partition(":")[0] for job in jobs] == ["run-0001", "run-0001", "run-0002", "run-0002"]


def test_jobs_that_fail_together_are_retried_in_one_batch(world: World) -> None:
    world.declare(component=component("1.0.0", max_retries=1))
    ready(world).run("SubmitTraining")
    (first,), (second,) = world.jobs(ONE), world.jobs(TWO)
    failed = [job.failed("a node went away", world.clock.now()) for job in (first, second)]
    world.stop_jobs(go_on_after=1, news=failed)
    world.run("MonitorTraining")
    again = [world.jobs(key)[-1] for key in (ONE, TWO)]
    assert [job.attempt for job in again] == [2, 2]
    assert again[0].batch == again[1].batch == f"run-0001:{again[0].id}"


def test_a_job_whose_component_is_forgotten_cannot_be_retried(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT]))
    ready(world).run("SubmitTraining")
    world.lose_assets()
    with pytest.raises(BadInput, match=r"pipeline:1\.0\.0 is not registered"):
        world.run("MonitorTraining")


def test_jobs_that_do_not_end_in_time_are_reported_as_running(world: World) -> None:
    ready(world).run("SubmitTraining")
    world.stop_jobs()
    outcome = world.run("MonitorTraining")
    assert (outcome.ending, outcome.says) == (Ending.STILL_RUNNING, "0 completed, 2 still running")
    assert [job["model_name"] for job in outcome.document["unfinished"]] == ["p1-c1", "p1-c2"]


def test_one_failed_job_outranks_those_still_running(world: World) -> None:
    world.declare(component=component("1.0.0", ["false", FIT]))
    ready(world).run("SubmitTraining")
    world.run("MonitorTraining", only=ONE)
    world.stop_jobs()
    outcome = world.run("MonitorTraining")
    assert (outcome.ending, outcome.says) == (Ending.FAILED, "0 completed, 1 failed, 1 still running")


def test_pauses_double_up_to_the_longest_and_end_with_the_longest_wait(world: World) -> None:
    world.set_polling(start=1 * SECOND, pause=4 * SECOND, longest=13 * SECOND)
    ready(world).run("SubmitTraining")
    world.stop_jobs()
    world.run("MonitorTraining")
    assert world.clock.slept == [1 * SECOND, 2 * SECOND, 4 * SECOND, 4 * SECOND, 2 * SECOND]


def test_pauses_are_short_again_once_something_happened(world: World) -> None:
    world.set_polling(start=1 * SECOND, pause=8 * SECOND, longest=20 * SECOND)
    ready(world).run("SubmitTraining")
    asked = world.stop_jobs(go_on_after=3)
    assert world.run("MonitorTraining").says == "2 completed"
    assert asked == [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, 1 * SECOND]


def test_progress_counts_what_ended_and_what_failed(world: World) -> None:
    world.declare(component=component("1.0.0", [ONLY_TWO_FITS, FIT]))
    world.upto("MonitorTraining")
    assert [(each.done, each.total, each.failed) for each in world.progress] == [
        (0, 2, 0),
        (1, 2, 1),
        (2, 2, 1),
    ]


def test_a_retry_takes_the_place_of_the_attempt_that_failed(world: World, tmp_path: Path) -> None:
    world.declare(component=component("1.0.0", [fails_once(tmp_path), FIT], max_retries=1))
    world.upto("MonitorTraining", only=ONE)
    assert [(each.done, each.total, each.failed) for each in world.progress] == [
        (0, 1, 0),
        (0, 1, 0),
        (0, 1, 0),
        (1, 1, 0),
    ]


def test_a_job_that_started_has_not_ended(world: World) -> None:
    ready(world).run("SubmitTraining", only=ONE)
    (job,) = world.jobs(ONE)
    world.stop_jobs(news=[job.started(world.clock.now())])
    outcome = world.run("MonitorTraining", only=ONE)
    assert outcome.says == "0 completed, 1 still running"
    assert outcome.document["unfinished"][0]["state"] == "running"


def test_an_ending_that_was_seen_and_is_not_there_is_lost(world: World) -> None:
    ready(world).run("SubmitTraining", only=ONE)
    (job,) = world.jobs(ONE)
    world.stop_jobs(news=[replace(job, attempt=99).failed("out of memory", world.clock.now())])
    with pytest.raises(HistoryLost, match="how 1 job ended"):
        world.run("MonitorTraining", only=ONE)


def test_news_of_a_job_nobody_asked_for_changes_nothing(world: World) -> None:
    ready(world).run("SubmitTraining")
    (other,) = world.jobs(ONE)
    world.stop_jobs(go_on_after=1, news=[other.failed("broken", world.clock.now())])
    outcome = world.run("MonitorTraining", only=TWO)
    assert (outcome.ending, outcome.says) == (Ending.DONE, "1 completed")

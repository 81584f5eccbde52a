"""The job service: submitting twice is once, and each job ends with an outcome or a reason."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.clock import SystemClock
from fleetcast.ports.jobs import JobUnknown
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import Readings
from tests.clocks import FixedClock
from tests.contracts.samples import ADA, component, digest, environment, job, readings


def frozen(platform: Platform, rows: Readings) -> Readings:
    """Rows that can be trained on, in an environment that is registered."""
    platform.workspace.assets.register(environment())
    platform.workspace.frozen.freeze(rows, rows.fingerprint())
    return rows


def seen_through(platform: Platform, *queued: TrainingJob) -> list[TrainingJob]:
    ended: list[TrainingJob] = []
    hashes = [job.task.training_hash for job in queued]
    while len(ended) < len(queued):
        ended += [
            job for job in platform.workspace.jobs.wait(hashes, timedelta(seconds=30)) if job.state.final
        ]
    return sorted(ended, key=lambda job: job.id)


def test_a_job_completes_with_an_artifact_and_scores(platform: Platform) -> None:
    plain = component()
    queued = job(frozen(platform, readings()), plain)
    platform.workspace.jobs.submit([queued], plain)
    (ended,) = seen_through(platform, queued)
    assert ended.state is JobState.COMPLETED, ended.error
    assert ended.outcome is not None
    assert ended.outcome.scores.sensors.keys() == {"temperature", "pressure"}
    folder = platform.workspace.artifacts.folder(ended.outcome.artifact)
    assert (folder / "MLmodel").is_file()
    assert platform.workspace.jobs.jobs_for([queued.task.training_hash]) == {
        queued.task.training_hash: [ended]
    }
    assert platform.workspace.jobs.median_seconds().keys() == {"seasonal_naive"}


def test_submitting_a_job_again_leaves_it_as_it_is(platform: Platform) -> None:
    plain = component()
    queued = job(frozen(platform, readings()), plain)
    platform.workspace.jobs.submit([queued], plain)
    (ended,) = seen_through(platform, queued)
    platform.workspace.jobs.submit([queued, replace(queued, run="run-0002")], plain)
    assert platform.workspace.jobs.jobs_for([queued.task.training_hash]) == {
        queued.task.training_hash: [ended]
    }
    assert platform.workspace.jobs.wait([queued.task.training_hash], timedelta(0)) == []


def test_equal_configuration_on_other_rows_gives_another_artifact(platform: Platform) -> None:
    plain = component()
    one = job(frozen(platform, readings(seed=1)), plain, name="one")
    two = job(frozen(platform, readings(CircuitKey("PLANT001", "CIRCUIT02"), seed=2)), plain, name="two")
    platform.workspace.jobs.submit([one, two], plain)
    first, second = seen_through(platform, one, two)
    assert first.outcome is not None
    assert second.outcome is not None
    assert first.outcome.artifact != second.outcome.artifact


def test_a_failing_command_fails_its_job_with_the_last_thing_it_said(
    platform: Platform, tmp_path: Path
) -> None:
    script = tmp_path / "fit.sh"
    script.write_text("echo starting\necho 'no licence found' >&2\nexit 3\n")
    broken, plain = component(f"sh {script}"), component()
    bad = job(frozen(platform, readings(seed=1)), broken, name="bad")
    good = job(frozen(platform, readings(seed=2)), plain, name="good")
    platform.workspace.jobs.submit([bad], broken)
    platform.workspace.jobs.submit([good], plain)
    failed, completed = seen_through(platform, bad, good)
    assert failed.state is JobState.FAILED
    assert "exit code 3" in failed.error
    assert "no licence found" in failed.error
    assert completed.state is JobState.COMPLETED, completed.error


def test_what_a_job_said_is_kept_word_for_word_and_a_failed_job_said_something_too(
    platform: Platform, tmp_path: Path
) -> None:
    script = tmp_path / "fit.sh"
    script.write_text("echo 'pression trop élevée'\necho 'no licence found' >&2\nexit 3\n")
    broken = component(f"sh {script}")
    queued = job(frozen(platform, readings()), broken)
    platform.workspace.jobs.submit([queued], broken)
    seen_through(platform, queued)
    said = platform.workspace.jobs.log(queued.id)
    assert said is not None
    first, *rest = said.splitlines()
    assert first.startswith("step ")
    assert str(script) in first
    assert rest == ["pression trop élevée", "no licence found"]


def test_a_job_that_has_not_begun_has_said_nothing(tmp_path: Path) -> None:
    platform = local(tmp_path)
    waiting = one_job(platform, component())
    assert platform.workspace.jobs.log(waiting.id) is None


@pytest.mark.parametrize("name", ["no-such-job.0123456789ab.1", "../control.db", ""])
def test_a_job_that_nobody_submitted_has_no_log(platform: Platform, name: str) -> None:
    with pytest.raises(JobUnknown) as raised:
        platform.workspace.jobs.log(name)
    assert "training_jobs.json" in raised.value.fix


def test_pages_about_a_run_are_of_its_own_jobs_alone(
    platform: Platform, request: pytest.FixtureRequest
) -> None:
    plain = component()
    queued = job(frozen(platform, readings()), plain)
    platform.workspace.jobs.submit([queued], plain)
    seen_through(platform, queued)
    pages = platform.workspace.jobs.pages(queued.run)
    has_pages = "azureml" in request.node.name
    assert [page.title for page in pages] == ([f"{queued.run}: {queued.task.key}"] if has_pages else [])
    assert all(page.url.startswith("https://") for page in pages)
    assert list(platform.workspace.jobs.pages("run-9999")) == []


def test_a_command_that_writes_no_model_fails_its_job(platform: Platform) -> None:
    idle = component("true")
    queued = job(frozen(platform, readings()), idle)
    platform.workspace.jobs.submit([queued], idle)
    (failed,) = seen_through(platform, queued)
    assert failed.state is JobState.FAILED
    assert "wrote no model" in failed.error


def test_blanks_inside_a_placeholder_do_not_matter(platform: Platform) -> None:
    spaced = component(
        "fleetcast fit --task ${{ inputs.task }} --data ${{ inputs.data }} --output ${{ outputs.model }}"
    )
    queued = job(frozen(platform, readings()), spaced)
    platform.workspace.jobs.submit([queued], spaced)
    (ended,) = seen_through(platform, queued)
    assert ended.state is JobState.COMPLETED, ended.error


def test_only_the_jobs_asked_for_are_run(platform: Platform) -> None:
    plain = component()
    left_behind = job(frozen(platform, readings(seed=1)), plain, name="left-behind")
    wanted = job(frozen(platform, readings(seed=2)), plain, name="wanted")
    platform.workspace.jobs.submit([left_behind, wanted], plain)
    (ended,) = seen_through(platform, wanted)
    assert ended.id == wanted.id
    assert platform.workspace.jobs.wait([wanted.task.training_hash], timedelta(0)) == []
    (still,) = platform.workspace.jobs.jobs_for([left_behind.task.training_hash])[
        left_behind.task.training_hash
    ]
    assert still.state is JobState.QUEUED
    (later,) = seen_through(platform, left_behind)
    assert later.state is JobState.COMPLETED, later.error


def test_all_attempts_at_many_hashes_are_read_at_once(platform: Platform) -> None:
    broken = component("false")
    rows = frozen(platform, readings())
    first, second = (job(rows, broken, attempt=attempt) for attempt in (1, 2))
    other = job(rows, broken, name="other")
    platform.workspace.jobs.submit([first], broken)
    platform.workspace.jobs.submit([second, other], broken)
    found = platform.workspace.jobs.jobs_for(
        [first.task.training_hash, other.task.training_hash, digest("none")]
    )
    assert {held: [attempt.attempt for attempt in attempts] for held, attempts in found.items()} == {
        first.task.training_hash: [1, 2],
        other.task.training_hash: [1],
    }


def test_only_hashes_at_which_an_attempt_failed_are_given_as_failing(platform: Platform) -> None:
    broken, plain = component("false"), component()
    bad = job(frozen(platform, readings(seed=1)), broken, name="bad")
    good = job(frozen(platform, readings(seed=2)), plain, name="good")
    hashes = [bad.task.training_hash, good.task.training_hash]
    platform.workspace.jobs.submit([bad], broken)
    platform.workspace.jobs.submit([good], plain)
    assert platform.workspace.jobs.failing(hashes) == {}
    failed, _completed = seen_through(platform, bad, good)
    again = replace(bad, id=f"{bad.id}.again", attempt=2)
    platform.workspace.jobs.submit([again], broken)
    assert platform.workspace.jobs.failing(hashes) == {bad.task.training_hash: [failed, again]}
    assert platform.workspace.jobs.failing(hashes[1:]) == {}


def test_a_command_that_cannot_be_read_is_refused_before_anything_starts(platform: Platform) -> None:
    with pytest.raises(BadInput, match="No closing quotation"):
        platform.workspace.jobs.check(component("sh -c 'exit 1"))
    platform.workspace.jobs.check(component())


# Only the embedded platform has worker processes that can be stopped or die.


def local(tmp_path: Path, clock: FixedClock | SystemClock | None = None) -> Platform:
    settings = PlatformSettings(workers=2)
    return local_platform(tmp_path / "state", {}, settings, actor=ADA, clock=clock or SystemClock())


def test_a_program_that_is_not_on_this_machine_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'no-such-trainer'"):
        local(tmp_path).workspace.jobs.check(
            component("no-such-trainer --data ${{inputs.data}} --output ${{outputs.model}}")
        )


def one_job(platform: Platform, made_by: TrainingComponent, *, name: str = "m", seed: int = 1) -> TrainingJob:
    queued = job(frozen(platform, readings(seed=seed)), made_by, name=name)
    platform.workspace.jobs.submit([queued], made_by)
    return queued


def test_a_job_past_its_timeout_is_killed_while_its_sibling_goes_on(tmp_path: Path) -> None:
    platform = local(tmp_path)
    marker = tmp_path / "still alive"
    slow = component(f"sh -c 'sleep 600; touch {marker}'", timeout_seconds=1)
    jobs = [
        one_job(platform, slow, name="slow"),
        one_job(platform, component(), name="quick", seed=2),
    ]
    ended = {job.task.model_name: job for job in seen_through(platform, *jobs)}
    platform.workspace.jobs.close()
    assert ended["slow"].state is JobState.FAILED
    assert ended["slow"].error == "timed out after 1 s"
    assert ended["quick"].state is JobState.COMPLETED, ended["quick"].error
    assert not marker.exists()


def test_a_worker_that_dies_fails_its_job_and_no_other(tmp_path: Path) -> None:
    platform = local(tmp_path)
    script = tmp_path / "fit.sh"
    script.write_text("kill -9 $PPID\n")
    jobs = [
        one_job(platform, component(f"sh {script}"), name="deadly"),
        one_job(platform, component(), name="quick", seed=2),
    ]
    ended = {job.task.model_name: job for job in seen_through(platform, *jobs)}
    platform.workspace.jobs.close()
    assert ended["deadly"].state is JobState.FAILED
    assert ended["deadly"].error.startswith("its worker process was killed by SIGKILL")
    assert ended["quick"].state is JobState.COMPLETED, ended["quick"].error


def test_queued_jobs_outlive_the_process_that_queued_them(tmp_path: Path) -> None:
    queued = one_job(local(tmp_path), component())
    later = local(tmp_path)
    (ended,) = seen_through(later, queued)
    later.workspace.jobs.close()
    assert (ended.id, ended.state) == (queued.id, JobState.COMPLETED)


def test_a_job_whose_outcome_was_written_is_not_run_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs.txt"
    script = tmp_path / "fit.sh"
    fit = f"{sys.executable} -m fleetcast.cli.main fit"
    script.write_text(f'echo ran >> {runs}; {fit} --task "$1" --data "$2" --output "$3"\n')
    counted = component(f"sh {script} ${{{{inputs.task}}}} ${{{{inputs.data}}}} ${{{{outputs.model}}}}")
    platform = local(tmp_path)
    queued = one_job(platform, counted)
    (ended,) = seen_through(platform, queued)
    platform.workspace.jobs.close()
    assert ended.state is JobState.COMPLETED, ended.error
    assert runs.read_text() == "ran\n"
    again = local(tmp_path / "restored")
    (tmp_path / "restored" / "state" / "jobs").mkdir(parents=True)
    (tmp_path / "state" / "jobs" / queued.id).rename(tmp_path / "restored" / "state" / "jobs" / queued.id)
    one_job(again, counted)
    (found,) = seen_through(again, queued)
    again.workspace.jobs.close()
    assert found.outcome == ended.outcome
    assert runs.read_text() == "ran\n"


def test_a_completed_job_is_given_up_so_that_another_attempt_can_be_made(platform: Platform) -> None:
    plain = component()
    queued = job(frozen(platform, readings()), plain)
    jobs = platform.workspace.jobs
    jobs.submit([queued], plain)
    jobs.give_up([queued.id, "unknown"])
    (ended,) = seen_through(platform, queued)
    assert ended.state is JobState.COMPLETED, ended.error
    jobs.give_up([queued.id, "unknown"])
    ((held,),) = jobs.jobs_for([queued.task.training_hash]).values()
    assert (held.state, held.outcome, held.ended_at) == (JobState.ABANDONED, None, ended.ended_at)
    assert jobs.failing([queued.task.training_hash]) == {}


def test_what_a_job_said_can_be_removed_where_the_fleet_keeps_it(platform: Platform) -> None:
    plain = component()
    queued = job(frozen(platform, readings()), plain)
    jobs = platform.workspace.jobs
    jobs.submit([queued], plain)
    (ended,) = seen_through(platform, queued)
    logs = jobs.kept_logs()
    if logs is None:
        jobs.remove_logs([queued.id])
        return
    assert [(log.job, log.ended_at) for log in logs] == [(queued.id, ended.ended_at)]
    for _ in range(2):
        jobs.remove_logs([queued.id, "unknown"])
        assert (jobs.kept_logs(), jobs.log(queued.id)) == ([], None)
    assert jobs.jobs_for([queued.task.training_hash])[queued.task.training_hash] == [ended]

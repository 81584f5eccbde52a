"""A component's steps, run for one job: each command in turn, with its files in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.semver import SemVer
from fleetcast.pipeline.steps import JobFiles, StepFailed, check_steps, run_steps
from tests.pipeline.world import FIT, component


def job_files(folder: Path) -> JobFiles:
    """A job with a task and rows, whatever they say."""
    (folder / "task.json").write_text("the task")
    (folder / "rows.parquet").write_text("the rows")
    return JobFiles(folder, folder / "task.json", folder / "rows.parquet")


def of(*steps: Step) -> TrainingComponent:
    return TrainingComponent("pipeline", SemVer(1, 0, 0), steps)


def test_commands_are_given_the_paths_of_their_files(tmp_path: Path) -> None:
    command = "cp ${{inputs.task}} ${{ outputs.model }}"
    files = job_files(tmp_path)
    run_steps(component("1.0.0", [command]), files)
    assert files.model.read_text() == "the task"


def test_rows_and_task_are_not_mixed_up(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    run_steps(component("1.0.0", ["cp ${{inputs.data}} ${{outputs.model}}"]), files)
    assert files.model.read_text() == "the rows"


def test_a_step_reads_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    clean = Step("clean", "cp ${{inputs.task}} ${{outputs.clean}}", ("task",), ("clean",))
    fit = Step("fit", "cp ${{inputs.clean}} ${{outputs.model}}", ("clean",), ("model",))
    files = job_files(tmp_path)
    run_steps(of(clean, fit), files)
    assert files.model.read_text() == "the task"


def test_what_an_earlier_attempt_left_is_gone(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "model").write_text("an old model")
    run_steps(component("1.0.0", ["true"]), files)
    assert not files.model.exists()


def test_the_log_says_what_ran_and_what_it_printed(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    run_steps(component("1.0.0", ["echo hello there"]), files)
    first, printed, last = files.log.read_text().splitlines()
    assert (first, printed) == ("step step-1: echo hello there", "hello there")
    assert last.startswith("step step-1: done in ")


def test_a_second_attempt_adds_to_the_log(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    for _ in range(2):
        run_steps(component("1.0.0", ["echo hello"]), files)
    assert files.log.read_text().count("hello\n") == 4


def test_a_step_that_fails_says_its_last_words_and_stops_the_rest(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    loud = "sh -c 'echo first; echo out of memory >&2; echo; exit 9'"
    with pytest.raises(StepFailed, match="step 'step-1' ended with exit code 9: out of memory"):
        run_steps(component("1.0.0", [loud, "cp ${{inputs.task}} ${{outputs.model}}"]), files)
    assert not files.model.exists()


def test_last_words_are_cut_to_what_a_table_can_show(tmp_path: Path) -> None:
    loud = f"sh -c 'echo {'x' * 400}; exit 1'"
    with pytest.raises(StepFailed) as failed:
        run_steps(component("1.0.0", [loud]), job_files(tmp_path))
    assert str(failed.value) == "step 'step-1' ended with exit code 1: " + "x" * 300


def test_a_program_that_cannot_be_started_fails_the_step(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="step 'step-1' could not start: "):
        run_steps(component("1.0.0", ["no-such-program"]), job_files(tmp_path))


def test_our_own_fit_runs_in_place_and_its_errors_are_the_steps(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"task\.json cannot be read"):
        run_steps(component(), job_files(tmp_path))


def test_a_program_of_somebody_else_is_not_taken_for_our_fit(tmp_path: Path) -> None:
    theirs = FIT.replace("fleetcast", "true")
    run_steps(component("1.0.0", [theirs]), job_files(tmp_path))


def test_programs_that_are_here_pass_the_check() -> None:
    check_steps(component("1.0.0", ["true", "sh -c 'exit 1'", FIT]))


def test_our_own_fit_passes_the_check_wherever_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    check_steps(component())


@pytest.mark.parametrize(
    "command",
    [
        FIT + " --verbose",
        FIT.replace("--data", "--rows"),
        "fleetcast train --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}",
    ],
)
def test_any_other_command_of_ours_is_a_program_to_be_found(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match=r"step 'step-1' of pipeline:1\.0\.0 runs 'fleetcast', not on this"):
        check_steps(component("1.0.0", [command]))


def test_quotes_that_are_not_closed_are_named() -> None:
    with pytest.raises(BadInput, match="the command of step 'step-1' cannot be read: No closing quotation"):
        check_steps(component("1.0.0", ["sh -c 'exit 1"]))

"""What one training job said, asked for by whoever has to find out why it failed."""

from __future__ import annotations

from tests.scenarios.repository import FIT, ON_SQLITE, Repository


@ON_SQLITE
def test_what_a_failed_job_said_is_shown_and_so_is_what_its_sibling_said(declared: Repository) -> None:
    declared.fit_with(
        f"grep -q CIRCUIT02 $1 && {{ echo 'reading the licence'; echo 'pump offline'; exit 7; }}\n{FIT}"
    )
    done = declared.type("train")
    failed = declared.artifact("run-0001", "completed_jobs.json")["failed"][0]["job"]
    assert f"what its job said: fleetcast runs logs {failed}\n" in done.out
    said = declared.type("runs", "logs", failed)
    assert (said.code, said.err) == (0, "")
    first, *rest = said.out.splitlines()
    assert first.startswith("step ")
    assert rest == ["reading the licence", "pump offline"]
    asked = declared.type("runs", "logs", failed, "--format", "json").json
    assert asked == {"job_id": failed, "text": said.out}
    (completed,) = declared.artifact("run-0001", "completed_jobs.json")["completed"]
    assert "done in" in declared.type("runs", "logs", completed["job"]).out


@ON_SQLITE
def test_a_job_that_nobody_submitted_is_an_error_that_says_where_ids_are(declared: Repository) -> None:
    said = declared.type("runs", "logs", "../control.db")
    assert said.code == 1
    assert "there is no job ../control.db" in said.err
    assert "training_jobs.json" in said.err


@ON_SQLITE
def test_a_run_on_this_machine_has_no_pages(trained: Repository) -> None:
    shown = trained.type("runs", "show", "run-0001", "--format", "json").json
    assert (shown["pages"], shown["pages_unknown"]) == ([], None)
    assert "https://" not in trained.type("runs", "show", "run-0001").out

"""Bad input, bad data and bad luck: one clear error or a stated treatment, and nothing half done."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fleetcast.platforms.delta.table import DeltaReadingsTable
from tests.scenarios.repository import (
    CIRCUIT01,
    CIRCUIT02,
    CIRCUITS,
    COMPONENT,
    ENVIRONMENT,
    FIT,
    ON_SQLITE,
    STAGES,
    Repository,
    Said,
    write_fleet,
)


def one_clear_error(said: Said) -> str:
    assert said.code == 1, said.out
    assert said.err.count("error: ") == 1, said.err
    assert "Traceback" not in said.err
    return said.err


# Data


def test_a_circuit_without_data_is_reported_and_stops_no_other(declared: Repository) -> None:
    declared.edit(CIRCUITS, "      CIRCUIT02: {}", "      CIRCUIT02: {}\n      CIRCUIT03: {}")
    done = declared.type("train")
    assert done.code == 3
    said = "1 unfit to train on (PLANT001/CIRCUIT03: no readings in the training window)"
    assert said in done.out
    assert said in declared.type("runs", "show", "run-0001").out.replace("\n", " ").replace("  ", " ")
    assert "no readings in the training window" in declared.type("status").out
    assert declared.plan()["PLANT001/CIRCUIT03"] == ("blocked", "no readings in the training window")
    assert len(declared.versions()) == 2
    declared.approve_all()
    assert declared.type("train").code == 0
    assert declared.type("plan", "--detailed-exitcode").code == 0


def test_a_history_that_is_too_short_says_what_it_has_and_what_it_needs(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "training_days: 1")
    assert declared.type("train").code == 3
    action, why = declared.plan()[CIRCUIT02]
    assert action == "blocked"
    assert re.search(r"history too short: have 24 unbroken steps of 1h, need \d+", why)
    assert declared.versions() == [("plant001-circuit01", 1)]


def test_a_fleet_with_nothing_fit_to_train_on_is_not_a_failure(declared: Repository) -> None:
    for circuit in ("CIRCUIT01", "CIRCUIT02"):
        declared.declare(circuit, "training_days: 1")
    declared.type("train")
    declared.approve_all()
    assert declared.type("train").code == 0
    assert declared.versions() == []


def test_constant_sensors_are_left_out_with_the_reason(declared: Repository) -> None:
    rows = declared.folder / "constant.csv"
    hours = [(day, hour) for day in range(1, 29) for hour in range(24)]
    rows.write_text(
        "timestamp,temperature,vibration\n"
        + "".join(
            f"2025-02-{day:02d}T{hour:02d}:00:00Z,20.5,{(day * 7 + hour * 3) % 11}\n" for day, hour in hours
        )
    )
    ingested = declared.type("ingest", str(rows), "--plant", "PLANT001", "--circuit", "CIRCUIT03")
    assert ingested.code == 0, ingested.err
    latest = DeltaReadingsTable(declared.state / "readings").latest_version()
    declared.edit(
        CIRCUITS,
        "      CIRCUIT02: {}",
        f"      CIRCUIT02: {{}}\n      CIRCUIT03: {{delta_version: {latest}}}\n"
        f"      CIRCUIT04: {{features: [temperature], delta_version: {latest}}}",
    )
    assert declared.type("train").code == 3
    plan = declared.plan()
    assert plan["PLANT001/CIRCUIT03"][0] == "up to date"
    assets = declared.artifact("run-0001", "data_assets.json")["data_assets"]
    (third,) = [asset for asset in assets if asset["circuit_id"] == "CIRCUIT03"]
    assert third["left_out"] == {"temperature": "it never changes from 20.5"}
    assert third["usable"] == ["vibration"]


def test_a_circuit_with_only_a_constant_sensor_is_blocked(declared: Repository) -> None:
    declared.edit(
        CIRCUITS,
        "      CIRCUIT02: {}",
        "      CIRCUIT02: {sensor_limits: {temperature: {max: -50}, vibration: {max: -50}}}",
    )
    assert declared.type("train").code == 3
    action, why = declared.plan()[CIRCUIT02]
    assert action == "blocked"
    assert "no sensor is fit to train on: temperature: no usable reading" in why


def test_a_cutoff_before_the_data_is_reported(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "cutoff_date: 2020-01-01")
    assert declared.type("train").code == 3
    assert declared.plan()[CIRCUIT02] == ("blocked", "no readings in the training window")


def test_a_cutoff_in_the_future_is_refused(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "cutoff_date: 2999-01-01")
    assert "future" in one_clear_error(declared.type("train"))


def test_a_delta_version_that_does_not_exist_is_refused_with_those_that_do(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "delta_version: 99")
    for words in (["plan"], ["train"]):
        said = one_clear_error(declared.type(*words))
        assert "delta_version 99 of PLANT001/CIRCUIT02 does not exist" in said
        assert "versions 0 to 0" in said
    assert declared.versions() == []


def test_a_fleet_without_readings_is_told_how_to_get_some(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    assert Repository(folder).type("validate").code == 1
    fleet = write_fleet(tmp_path / "other")
    (fleet.state / "readings").rename(tmp_path / "gone")
    assert "fleetcast ingest" in one_clear_error(fleet.type("train"))


@pytest.mark.parametrize(
    "settings",
    [
        "forecast_horizon: 0",
        "forecast_horizon: -1",
        "forecast_horizon: 90m",
        "forecast_horizon: 30000",
        "hyperparameters: {lookback: many}",
        "hyperparameters: {lookback: -3}",
        "hyperparameters: {lookbak: 3}",
        "model: magic",
        "model_name: ../x",
        "data_source: elsewhere",
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_runs(
    declared: Repository, settings: str
) -> None:
    declared.declare("CIRCUIT02", settings)
    said = one_clear_error(declared.type("train"))
    assert "config/circuits.yaml" in said
    declared.declare("CIRCUIT02", "")
    assert declared.type("runs", "list", "--format", "json").json == []


def test_damaged_training_rows_are_named_and_read_again_once_deleted(declared: Repository) -> None:
    for name in STAGES[:4]:
        declared.type("stage", name)
    damaged, *_ = (declared.state / "frozen").rglob("*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    failed = declared.type("train")
    assert failed.code == 1
    assert f"{damaged.name} are damaged" in failed.out
    assert "delete that file" in failed.out
    assert len(declared.versions()) == 1
    damaged.unlink()
    assert declared.type("train", "--retry-failed").code == 3
    assert len(declared.versions()) == 2


# Components


def test_a_component_whose_command_does_not_exist_refuses_to_start(declared: Repository) -> None:
    declared.edit(COMPONENT, "command: fleetcast fit", "command: no-such-trainer")
    said = one_clear_error(declared.type("train"))
    assert "'no-such-trainer'" in said
    assert declared.jobs() == []


def test_an_older_component_whose_command_is_gone_refuses_to_start(declared: Repository) -> None:
    trainer = declared.folder / "trainer"
    trainer.write_text(f"#!/bin/sh\n{FIT}")
    trainer.chmod(0o755)
    declared.edit(COMPONENT, "command: fleetcast fit", f"command: {trainer}")
    assert declared.type("stage", "RegisterComponents").code == 0
    trainer.unlink()
    declared.edit(COMPONENT, f"command: {trainer}", "command: fleetcast fit")
    declared.edit(COMPONENT, "version: 1.0.0", "version: 1.1.0")
    assert str(trainer) in one_clear_error(declared.type("train"))
    assert declared.jobs() == []


def test_a_failing_command_is_retried_and_its_siblings_are_promoted(declared: Repository) -> None:
    script = declared.fit_with(f"grep -q CIRCUIT02 $1 && {{ echo 'pump offline'; exit 7; }}\n{FIT}")
    failed = declared.type("train")
    assert failed.code == 1
    assert "PLANT001/CIRCUIT02 failed after 3 attempts" in failed.out
    assert "pump offline" in failed.out
    assert "fleetcast train --retry-failed --circuits PLANT001/CIRCUIT02" in failed.out
    assert [job.rpartition(".")[2] for job in declared.jobs() if "circuit02" in job] == ["1", "2", "3"]
    assert declared.versions() == [("plant001-circuit01", 1)]
    declared.approve_all()
    script.write_text(FIT)
    parked = declared.type("train")
    assert parked.code == 1
    assert "1 parked" in parked.out
    assert len([job for job in declared.jobs() if "circuit02" in job]) == 3
    action, why = declared.plan()[CIRCUIT02]
    assert (action, why.partition(": ")[0]) == ("blocked", "failed 3 times in the same way")
    status = declared.type("status").out
    assert "pump offline" in status
    assert "fleetcast train --retry-failed --circuits PLANT001/CIRCUIT02" in status
    assert declared.type("train", "--retry-failed").code == 3
    assert declared.shared() == [("plant001-circuit01", 1)]
    assert declared.versions() == [("plant001-circuit01", 1), ("plant001-circuit02", 1)]
    assert len([job for job in declared.jobs() if "circuit01" in job]) == 1
    declared.approve_all()
    assert declared.type("train").code == 0


def test_jobs_that_outlast_the_longest_wait_end_with_4_and_are_finished_later(declared: Repository) -> None:
    gate = declared.folder / "open"
    declared.fit_with(f"[ -e {gate} ] || exec sleep 600\n{FIT}")
    settings = declared.folder / "fleetcast.yaml"
    settings.write_text(settings.read_text() + "polling: {start: 1s, max: 1s, longest: 1s}\n")
    waited = declared.type("train")
    assert waited.code == 4, waited.out + waited.err
    assert "2 still running" in waited.out
    gate.touch()
    settings.write_text(settings.read_text().replace("longest: 1s", "longest: 1h"))
    assert declared.type("train").code == 3
    assert len(declared.jobs()) == 2


def test_edited_content_under_a_registered_version_names_both_digests(promoted: Repository) -> None:
    promoted.edit(ENVIRONMENT, "numpy>=2.0", "numpy>=2.1")
    for words in (["plan"], ["train"]):
        said = one_clear_error(promoted.type(*words))
        assert re.search(r"fleetcast-training:1\.0\.0 is registered as [0-9a-f]{12}.* now [0-9a-f]{12}", said)
        assert "bump the version" in said
    promoted.edit(ENVIRONMENT, "version: 1.0.0", "version: 1.0.1")
    assert promoted.type("train").code == 3


def test_an_edited_component_must_be_bumped_too(promoted: Repository) -> None:
    promoted.edit(COMPONENT, "max_retries: 2", "max_retries: 1")
    assert "training-pipeline:1.0.0 is registered as" in one_clear_error(promoted.type("train"))


def test_a_component_version_that_nobody_registered_is_refused(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "pipeline_component_version: 9.9.9")
    for words in (["plan"], ["train"]):
        said = one_clear_error(declared.type(*words))
        assert "PLANT001/CIRCUIT02 names training-pipeline:9.9.9" in said
    assert declared.jobs() == []


# The disk and the database


@ON_SQLITE
def test_a_damaged_database_is_one_clear_error(promoted: Repository) -> None:
    for file in promoted.state.glob("control.db*"):
        file.unlink()
    (promoted.state / "control.db").write_bytes(b"this is no database, " * 100)
    for words in (["plan"], ["train"], ["approvals", "list"], ["audit", "verify"]):
        assert "backup" in one_clear_error(promoted.type(*words))


@ON_SQLITE
def test_a_state_folder_that_cannot_be_made_is_one_clear_error(declared: Repository, tmp_path: Path) -> None:
    declared.state.rename(tmp_path / "moved")
    declared.state.write_text("a file is in the way")
    one_clear_error(declared.type("train"))


@ON_SQLITE
def test_reading_goes_on_while_another_process_writes(promoted: Repository) -> None:
    with closing(sqlite3.connect(promoted.state / "control.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert promoted.type("plan", "--detailed-exitcode").code == 0
        assert promoted.type("approvals", "list").code == 0


# Usage


@pytest.mark.parametrize(
    "words",
    [
        ["trian"],
        ["train", "--no-such-option"],
        ["train", "--plan", "plan.json", "--retry-failed"],
        ["plan", "--format", "xml"],
        ["stage"],
        ["approve"],
        ["approve", "1", "--passing"],
        ["approve", "one"],
        ["reject", "1"],
        ["runs", "show"],
        ["audit", "list", "--last", "0"],
        ["train", "--lock-timeout", "soon"],
    ],
)
def test_wrong_usage_is_64(declared: Repository, words: list[str]) -> None:
    said = declared.type(*words)
    assert said.code == 64
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words",
    [
        ["stage", "RegisterModel"],
        ["stage", "RegisterModels", "--run", "run-0009"],
        ["stage", "RegisterModels", "--run", "../run"],
        ["runs", "show", "run-0009"],
        ["approvals", "show", "9"],
        ["train", "--plan", "no-such-file.json"],
    ],
)
def test_what_does_not_exist_is_1_with_a_hint(declared: Repository, words: list[str]) -> None:
    said = one_clear_error(declared.type(*words))
    assert "fix: " in said


def test_a_folder_that_is_no_fleet_is_one_clear_error(tmp_path: Path) -> None:
    for words in (["plan"], ["train"], ["approvals", "list"], ["runs", "list"]):
        one_clear_error(Repository(tmp_path).type(*words))
    assert list(tmp_path.iterdir()) == []


def test_circuits_on_unequal_terms_are_planned_one_by_one(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "model: seasonal_naive")
    declared.type("train")
    assert declared.actions() == {CIRCUIT01: "up to date", CIRCUIT02: "up to date"}


# Settings


@ON_SQLITE
@pytest.mark.parametrize("words", [["plan"], ["train"], ["status"], ["approvals", "list"]])
def test_a_platform_that_forgets_is_refused_where_it_is_written(
    declared: Repository, words: list[str]
) -> None:
    declared.edit("fleetcast.yaml", "  kind: local ", "  kind: memory")
    before = sorted(declared.state.rglob("*"))
    error = one_clear_error(declared.type(*words))
    assert "fleetcast.yaml:4: the platform 'memory' does not outlive a command" in error
    assert "write `kind: local` or `kind: azureml` there" in error
    assert sorted(declared.state.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["approvals", "list"],
        ["approvals", "show", "1"],
        ["audit", "list"],
        ["audit", "verify"],
        ["runs", "list"],
    ],
    ids=" ".join,
)
def test_the_books_stay_readable_while_the_circuits_have_a_mistake(
    trained: Repository, words: list[str]
) -> None:
    before = trained.type(*words)
    trained.edit(CIRCUITS, "forecast_horizon: 12h ", "forecast_horizon: never ")
    one_clear_error(trained.type("plan"))
    assert trained.type(*words) == before


@ON_SQLITE
def test_a_folder_without_settings_has_no_books(declared: Repository) -> None:
    (declared.folder / "fleetcast.yaml").unlink()
    assert "fleetcast.yaml: is missing" in one_clear_error(declared.type("approvals", "list"))

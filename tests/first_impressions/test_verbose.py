"""`--verbose` says on standard error what a command reads, opens and asks; without it nothing is said."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest

from fleetcast.cli.command_lines import complaint_of
from fleetcast.cli.main import run
from fleetcast.cli.verbose import STEPS, VARIABLE


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verbose") / "fleet"
    assert run(["init", str(folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def _quiet_before(monkeypatch: pytest.MonkeyPatch, fleet: Path) -> None:
    monkeypatch.setenv(VARIABLE, "")  # what a command sets ends with the test
    monkeypatch.chdir(fleet)


@pytest.mark.parametrize(
    "words",
    [
        ["-v", "runs", "list"],
        ["--verbose", "runs", "list"],
        ["runs", "list", "-v"],
        ["runs", "list", "--verbose"],
    ],
)
def test_it_says_what_is_read_and_opened(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0

    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3}Z ", line) for line in lines)
    steps = [line.split(" ", 1)[1] for line in lines]
    assert steps[0].startswith("fleetcast runs list, version ")
    assert "reads fleetcast.yaml" in steps
    assert "platform: local" in steps
    assert "control database: .fleetcast/control.db" in steps
    assert steps[-1].startswith("fleetcast runs list ends after ")
    assert "reads" not in said.out


def test_it_says_in_whose_name_and_which_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--plants", "1", "--circuits", "1", "--length", "3d"]) == 0
    assert run(["plan", "-v"]) == 0

    said = capsys.readouterr().err
    assert "reads config/circuits.yaml" in said
    assert "acts as " in said
    assert "table of readings: readings" in said


def test_standard_output_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    run(["circuits", "list", "--format", "json"])
    without = capsys.readouterr()
    run(["circuits", "list", "--format", "json", "-v"])
    assert capsys.readouterr().out == without.out
    assert without.err == ""


def test_the_variable_does_the_same_and_is_handed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    run(["circuits", "list"])
    assert "reads config/circuits.yaml" in capsys.readouterr().err

    monkeypatch.setenv(VARIABLE, "")
    run(["circuits", "list", "-v"])
    assert os.environ[VARIABLE] == "1"


def test_it_ends_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    run(["circuits", "list", "-v"])
    assert logging.getLogger(STEPS).handlers == []
    os.environ[VARIABLE] = ""
    capsys.readouterr()
    run(["circuits", "list"])
    assert capsys.readouterr().err == ""


def test_steps_are_said_of_what_fails_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "-v", "--fleet", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert "fleetcast plan ends after" in said
    assert "error: there is no directory" in said


def test_no_secret_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(
        "FLEETCAST_DATABASE_URL", "postgresql://somebody:hush-hush@127.0.0.1:1/none?sslmode=disable"
    )
    monkeypatch.setenv("FLEETCAST_TOKEN", "fct_hush-hush")
    assert run(["runs", "list", "-v"]) == 1

    said = capsys.readouterr().err
    assert "control database: " in said
    assert "hush" not in said


def test_looking_whether_a_line_fits_makes_nothing_verbose() -> None:
    assert complaint_of(["-v", "plan"]) == ""
    assert complaint_of(["plan", "--verbose"]) == ""
    assert os.environ[VARIABLE] == ""

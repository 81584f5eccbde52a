"""`fleetcast validate --data`: what a pull request's circuits would be trained on, before anybody merges it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.scenarios.repository import CIRCUITS, ON_SQLITE, Repository

pytestmark = ON_SQLITE


def line_of(fleet: Repository, text: str) -> int:
    lines = (fleet.folder / CIRCUITS).read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if line.strip().startswith(text)]
    return number


def found(fleet: Repository, *options: str) -> list[tuple[str, int, str]]:
    """What is wrong, with file and line."""
    said = fleet.type("validate", "--data", *options, "--format", "json")
    assert said.code == 1, said.out
    return [(one["file"], one["line"], one["what"]) for one in said.json["complaints"]]


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, with its size and when it was written."""
    files = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def commit(fleet: Repository) -> None:
    """Keep the repository as it is now, as the commit that later ones are compared with."""
    ignored = fleet.folder / ".gitignore"
    ignored.write_text(".fleetcast\n")
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "A fleet"]):
        subprocess.run(["git", *words], cwd=fleet.folder, check=True)


def test_what_can_be_trained_is_said_and_nothing_is_written(declared: Repository) -> None:
    before = tree(declared.folder)
    said = declared.type("validate", "--data")
    assert said.code == 0, said.out
    assert "data: 2 circuits can be trained on what they name" in said.out
    assert declared.type("validate", "--data", "--format", "json").json["data"]["circuit_count"] == 2
    assert tree(declared.folder) == before


def test_without_the_option_nothing_is_said_of_data(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "delta_version: 99")
    said = declared.type("validate", "--format", "json")
    assert (said.code, said.json["data"]) == (0, None)


def test_a_version_that_is_not_there_is_found_at_its_line(declared: Repository) -> None:
    declared.declare("CIRCUIT02", "delta_version: 99")
    ((file, line, what),) = found(declared)
    assert (file, line) == (CIRCUITS, line_of(declared, "CIRCUIT02:"))
    assert what == "delta_version 99 of PLANT001/CIRCUIT02 does not exist; 'readings' has versions 0 to 0"


def test_a_sensor_that_the_table_does_not_have_is_found_at_the_line_of_the_features(
    declared: Repository,
) -> None:
    declared.declare("CIRCUIT02", "features: [temperature, vibrations]")
    ((file, line, what),) = found(declared)
    assert (file, line) == (CIRCUITS, line_of(declared, "CIRCUIT02:"))
    assert what == "PLANT001/CIRCUIT02: there is no column `vibrations`, did you mean `vibration`?"


def test_a_window_without_readings_and_one_too_short_are_found(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "cutoff_date: 2020-01-01")
    declared.declare("CIRCUIT02", "training_days: 1")
    (empty, short) = found(declared)
    assert empty == (
        CIRCUITS,
        line_of(declared, "CIRCUIT01:"),
        "PLANT001/CIRCUIT01: no readings in the training window",
    )
    assert short[:2] == (CIRCUITS, line_of(declared, "CIRCUIT02:"))
    assert short[2].startswith("PLANT001/CIRCUIT02: history too short: have 24 unbroken steps of 1h, need ")


def test_it_says_what_the_stage_says(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "sensor_limits: {temperature: {min: 1000, max: 2000}}")
    declared.declare("CIRCUIT02", "training_days: 1")
    complaints = found(declared)
    assert declared.type("stage", "RegisterData").code == 0
    assets = declared.artifact("run-0001", "data_assets.json")["data_assets"]
    blocked = [f"{one['plant_id']}/{one['circuit_id']}: {one['blocked']}" for one in assets if one["blocked"]]
    assert [what for _, _, what in complaints] == blocked
    declared.declare("CIRCUIT02", "")
    notes = declared.type("validate", "--data", "--format", "json").json["data"]["notes"]
    (left_out,) = next(one["left_out"] for one in assets if one["circuit_id"] == "CIRCUIT01").items()
    assert f"PLANT001/CIRCUIT01: {left_out[0]} is left out: {left_out[1]}" in [one["what"] for one in notes]
    assert all(one["file"] == CIRCUITS and one["line"] for one in notes)


def test_with_a_base_only_circuits_that_differ_are_read(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "delta_version: 98")
    commit(declared)
    said = declared.type("validate", "--data", "--base", "HEAD")
    assert (said.code, "data: no circuit differs" in said.out) == (0, True)
    declared.declare("CIRCUIT02", "delta_version: 99")
    ((_, _, what),) = found(declared, "--base", "HEAD")
    assert "delta_version 99 of PLANT001/CIRCUIT02" in what
    assert len(found(declared)) == 2


def test_an_agent_shows_findings_and_notes_at_their_lines(declared: Repository) -> None:
    declared.declare("CIRCUIT01", "sensor_limits: {temperature: {min: 1000, max: 2000}}")
    with_agent = subprocess.run(
        declared.command("validate", "--data"),
        env={**os.environ, "GITHUB_ACTIONS": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    line = line_of(declared, "features:")
    assert (
        f"::warning file={CIRCUITS},line={line}::PLANT001/CIRCUIT01: temperature is left out"
        in with_agent.stderr
    )


def test_a_fleet_without_readings_is_told_so_and_gets_no_folder(declared: Repository) -> None:
    shutil.rmtree(declared.state)
    ((_, _, what),) = found(declared)
    assert what.startswith(
        "data source 'readings' holds no readings yet, but PLANT001/CIRCUIT01, PLANT001/CIRCUIT02 "
    )
    assert not declared.state.exists()

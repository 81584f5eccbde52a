"""The example with eight real circuits: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("FLEETCAST_REAL_DATA", "")
EXAMPLE = Path(__file__).parents[2] / "examples" / "real-data"


def run_example(*arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with this environment's fleetcast first on the PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(
        ["sh", EXAMPLE / "run.sh", *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.long(told_by="make real-data")
@pytest.mark.skipif(not FOLDER, reason="FLEETCAST_REAL_DATA does not name the folder of the public data sets")
def test_eight_real_circuits_from_files_to_promoted_models(tmp_path: Path) -> None:
    before = contents(EXAMPLE)
    done = run_example(Path(FOLDER), tmp_path / "fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith(f"All as expected. Look around in {tmp_path / 'fleet'}")
    assert contents(EXAMPLE) == before


def test_without_the_data_it_says_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data" / "skab" / "valve1").mkdir(parents=True)
    done = run_example(tmp_path / "data", tmp_path / "fleet")
    assert done.returncode == 1
    assert "has no folder skab/other: see README.md for where to get the data" in done.stderr
    assert not (tmp_path / "fleet").exists()


def test_a_result_that_is_not_as_expected_ends_it(tmp_path: Path) -> None:
    for folder in ("skab/valve1", "skab/other", "etth", "la_haute_borne"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    (tmp_path / "data" / "skab" / "valve1" / "0.csv").write_text("datetime;Current\n", encoding="utf-8")
    done = run_example(tmp_path / "data", tmp_path / "fleet")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("not as expected: exit code 1 instead of 0")


def test_it_works_in_no_folder_that_holds_something(tmp_path: Path) -> None:
    for folder in ("data/skab/valve1", "data/skab/other", "data/etth", "data/la_haute_borne"):
        (tmp_path / folder).mkdir(parents=True)
    done = run_example(tmp_path / "data", tmp_path)
    assert done.returncode == 1
    assert "is not empty" in done.stderr

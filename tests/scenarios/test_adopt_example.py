"""The example of an adoption: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")

EXAMPLE = Path(__file__).parents[2] / "examples" / "adopt"


def run_example(*arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with this environment's programs first on the PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(
        ["sh", EXAMPLE / "run.sh", *arguments],
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.long(told_by="make adopt")
def test_a_team_with_circuits_models_and_a_table_is_adopted(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in EXAMPLE.iterdir() if path.is_file()}
    done = run_example(tmp_path / "work")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith(f"All as expected. Look around in {tmp_path / 'work'}")
    assert {path: path.read_bytes() for path in EXAMPLE.iterdir() if path.is_file()} == before


def test_the_example_works_in_no_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = run_example(tmp_path)
    assert done.returncode == 1
    assert "is not empty" in done.stderr

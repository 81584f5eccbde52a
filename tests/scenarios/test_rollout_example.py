"""The example of releases that are well and others: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "rollout"
SHORT = {"WINDOW": "5", "BURST": "600"}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["well", pytest.param("nan", marks=pytest.mark.long(told_by="make rollout"))])
def test_what_is_well_reaches_clients_and_what_is_not_goes_back(how: str, tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh", tmp_path / "work", how],
        env={**os.environ, **SHORT, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected" in done.stdout.splitlines()[-1]

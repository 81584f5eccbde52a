"""The example of five common tasks: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "seed-walk"


@pytest.mark.slow
@pytest.mark.long(told_by="make seed-walk")
@pytest.mark.parametrize("platform", ["local", "azure"])
def test_the_common_tasks_do_what_people_expect_of_them(platform: str, tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh", platform, tmp_path / "work"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected" in done.stdout.splitlines()[-1]

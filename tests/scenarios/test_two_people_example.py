"""The example of a gate that asks for two: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.oidc_provider import MISSING, is_installed

EXAMPLE = Path(__file__).parents[2] / "examples" / "two-people"


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason=MISSING)
def test_two_people_sign_in_and_approve_at_the_same_moment(tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh", tmp_path / "work"],
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected" in done.stdout.splitlines()[-1]

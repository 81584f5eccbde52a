"""The example of ephemeral agents: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.postgres import MISSING, binaries

EXAMPLE = Path(__file__).parents[2] / "examples" / "agents"


@pytest.mark.slow
@pytest.mark.long(told_by="make agents")
@pytest.mark.skipif(binaries() is None, reason=MISSING)
def test_eight_stages_on_agents_that_share_nothing_but_the_database_and_the_store(tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh", tmp_path / "work"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing done twice" in done.stdout.splitlines()[-1]

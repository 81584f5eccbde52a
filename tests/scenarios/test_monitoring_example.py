"""The example of an alarm from its first sign to its end: its script checks every exit code and every claim itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "monitoring"


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment", ["dev", pytest.param("test", marks=pytest.mark.long(told_by="make monitor-demo"))]
)
def test_a_change_is_found_told_taken_in_hand_and_over_after_a_retrain(
    environment: str, tmp_path: Path
) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        ["sh", EXAMPLE / "run.sh", environment, tmp_path / "work"],
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected" in done.stdout.splitlines()[-1]
    said = done.stdout[done.stdout.index("━━ What people were told") :]
    cards, mails = said[: said.index("── Mail")], said[said.index("── Mail") :]
    for told in (cards, mails):
        assert "process changed: PLANT001\n" in told
        assert "process changed: PLANT001 is over\n" in told
    assert "look: fleetcast alarms show 1" in cards
    assert "training-completed" in mails
    assert "training completed" not in cards
    assert "a-secret" not in done.stdout + done.stderr

"""Output to terminals that show no ✓, and to readers that stop reading."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleets import small_fleet

FLEETCAST = [sys.executable, "-m", "fleetcast.cli.main"]


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A fleet repository whose models wait for approval."""
    fleet = small_fleet(tmp_path, "local", circuits=1)
    fleet.train()
    return fleet.opened.directory


def test_a_terminal_without_the_signs_shows_question_marks(waiting: Path) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [*FLEETCAST, "approvals", "list", "--all", "--fleet", waiting],
        env=ascii_only,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"? skill" in done.stdout
    assert done.stderr == b""


def test_a_reader_that_has_seen_enough_ends_the_command_in_silence(waiting: Path) -> None:
    listing = subprocess.Popen(
        [*FLEETCAST, "audit", "list", "--fleet", waiting], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    said = listing.stderr.read()
    listing.stderr.close()
    assert listing.wait() in (0, 1)  # Rich ends the process with 1 where it meets the closed pipe itself
    assert said == b""

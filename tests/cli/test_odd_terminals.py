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
    assert listing.wait() == 0
    assert said == b""


def test_output_that_cannot_be_written_is_one_clear_error(waiting: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*FLEETCAST, "status", "--fleet", waiting], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == b"error: the disk is full"
    assert done.stderr.count(b"\n") == 2


def test_a_closed_output_changes_nothing(waiting: Path) -> None:
    line = f'exec "$0" -m fleetcast.cli.main plan --format json --fleet "{waiting}" >&-'
    done = subprocess.run(["sh", "-c", line, sys.executable], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")

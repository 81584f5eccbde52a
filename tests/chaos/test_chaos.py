"""The short form of `make chaos`: some kills at random moments leave what a run in peace leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.postgres import MISSING, binaries

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [
        ("--sqlite", "2", "--postgres", "0", "--cut", "0"),
        pytest.param(
            ("--sqlite", "0", "--postgres", "1", "--cut", "1"),
            marks=pytest.mark.skipif(binaries() is None, reason=MISSING),
        ),
    ],
    ids=["sqlite", "postgres"],
)
def test_what_kills_leave_is_what_a_run_in_peace_leaves(where: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--circuits", "2", *where],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

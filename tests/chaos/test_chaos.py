"""The short forms of `make chaos`: some kills, or some of what Azure does badly, leave what a run in peace leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.up import MISSING as MISSING_CLOCK
from tests.chaos.up import library
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
    _as_expected("--circuits", "2", *where)


@pytest.mark.slow
def test_what_azure_does_badly_leaves_what_a_run_in_peace_leaves() -> None:
    _as_expected("azure", "--short")


@pytest.mark.long(told_by="make chaos ARGS=up")
@pytest.mark.skipif(library() is None, reason=MISSING_CLOCK)
def test_what_is_scheduled_happens_once_and_pages_come_though_all_that_does_it_is_killed() -> None:
    _as_expected("up", "--short")


def _as_expected(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""Every story that `make found` tells ends as it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.found.__main__ import ROOT, names


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_story_ends_as_it_should(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.found", name[1:3]],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

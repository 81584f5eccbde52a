"""Every story that `make found` tells ends as it should; one that says why it is `LONG` is told there alone."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from _pytest.mark.structures import ParameterSet

from tests.found.__main__ import ROOT, names


def story(name: str) -> ParameterSet:
    long = getattr(import_module(f"tests.found.{name}"), "LONG", "")
    return pytest.param(
        name, marks=[pytest.mark.skip(reason=f"{long}: `make found` tells this story")] if long else []
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", [story(name) for name in names()])
def test_the_story_ends_as_it_should(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.found", name],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

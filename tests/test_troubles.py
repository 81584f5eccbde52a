"""The table of symptoms in REFERENCE.md stays true: what it quotes is said, and what it tells to type can be typed."""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import fleetcast
from fleetcast.cli.command_lines import complaint_of

ROOT = Path(__file__).parent.parent


def _troubles() -> Any:
    """The module beside the pages, which is no part of a package."""
    with patch.object(sys, "path", [str(ROOT / "docs"), *sys.path]):
        return import_module("troubles")


TROUBLES: tuple[Any, ...] = _troubles().TROUBLES
OF_OTHERS = {"az", "git", "env"}


@pytest.fixture(scope="module")
def source() -> str:
    folder = Path(fleetcast.__file__).parent
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.seen)
def test_what_a_symptom_quotes_is_said_by_the_program(trouble: Any, source: str) -> None:
    assert not [text for text in trouble.quotes if text not in source]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.seen)
def test_what_a_symptom_tells_to_type_can_be_typed(trouble: Any) -> None:
    assert trouble.type
    for command in trouble.type:
        program, *words = shlex.split(command)
        if program == "fleetcast":
            assert not complaint_of(words), command
        else:
            assert program in OF_OTHERS


def test_every_exit_code_that_leaves_work_has_its_symptom() -> None:
    said = " ".join(trouble.seen for trouble in TROUBLES)
    assert "ends with 3" in said
    assert "exit 4" in said

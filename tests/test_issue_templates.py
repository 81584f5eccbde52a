"""Forms for issues that the forge can read, and that ask for what fleetcast can print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetcast.cli.command_lines import complaint_of

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = sorted(path for path in FOLDER.glob("*.yml") if path.name != "config.yml")
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def typed(text: str) -> list[str]:
    """The commands that a text tells to type."""
    return [" ".join(words.split()) for words in re.findall(r"`(fleetcast [^`]+)`", text)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_the_forge_takes(form: Path) -> None:
    said: dict[str, Any] = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert said["name"]
    assert said["description"]
    asked = [one for one in said["body"] if one["type"] != "markdown"]
    assert {one["type"] for one in said["body"]} <= KINDS
    assert len({one["id"] for one in asked}) == len(asked)
    assert all(one["attributes"]["label"] for one in asked)
    assert any(one.get("validations", {}).get("required") for one in asked)
    choices = [one["attributes"]["options"] for one in asked if one["type"] == "dropdown"]
    assert all(len(set(options)) == len(options) for options in choices)
    assert all(isinstance(option, str) for options in choices for option in options)


def test_what_forms_and_the_readme_ask_for_can_be_typed() -> None:
    support = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Support")[2]
    texts = [support.partition("\n## ")[0], *(form.read_text(encoding="utf-8") for form in FORMS)]
    commands = [command for text in texts for command in typed(text)]
    assert len(commands) > 5
    assert not [one for one in commands if complaint_of(shlex.split(one)[1:])]

"""Settings that nothing uses yet: a fleet is valid and runs with them, and people are told."""

from __future__ import annotations

import json
from pathlib import Path

from tests.scenarios.repository import ON_SQLITE, Repository

pytestmark = ON_SQLITE

SETTINGS = "fleetcast.yaml"
NO_LOGS = "training jobs run in dev, and no other logs are kept"
SHORT = "platform: {state: .fleetcast}\nretention:\n  prod: {logs: 30}\n"
LINE = "not used yet: retention.prod.logs (fleetcast.yaml:3)"


def test_validate_names_each_with_its_reason(declared: Repository) -> None:
    (declared.folder / SETTINGS).write_text(SHORT)
    said = declared.type("validate")
    assert said.code == 0
    assert said.out.splitlines()[1:] == [
        "not used yet:",
        f"  fleetcast.yaml:3: retention.prod.logs ({NO_LOGS})",
    ]
    assert declared.type("validate", "--format", "json").json["unused"] == [
        {"file": SETTINGS, "line": 3, "setting": "retention.prod.logs", "says": NO_LOGS},
    ]


def test_plan_names_them_in_one_line(declared: Repository) -> None:
    (declared.folder / SETTINGS).write_text(SHORT)
    assert declared.type("plan").out.splitlines().count(LINE) == 1
    assert declared.type("plan", "--format", "markdown").out.splitlines()[-1] == LINE
    unused = declared.type("plan", "--format", "json").json["unused"]
    assert [(each["setting"], each["line"]) for each in unused] == [
        ("retention.prod.logs", 3),
    ]


def test_a_saved_plan_holds_nothing_of_them(declared: Repository, tmp_path: Path) -> None:
    (declared.folder / SETTINGS).write_text(SHORT)
    assert declared.type("plan", "--out", str(tmp_path / "plan.json")).code == 0
    assert "unused" not in json.loads((tmp_path / "plan.json").read_text())


def test_a_fleet_without_such_settings_is_told_nothing(declared: Repository) -> None:
    (declared.folder / SETTINGS).write_text("polling: {max: 5s}\n")
    for command in ("validate", "plan"):
        assert "not used yet" not in declared.type(command).out
        assert declared.type(command, "--format", "json").json["unused"] == []


def test_a_new_fleet_is_told_what_its_first_settings_wait_for(declared: Repository) -> None:
    named = [each["setting"] for each in declared.type("validate", "--format", "json").json["unused"]]
    assert named == [
        "registry",
        "environments.test.thresholds",
        "environments.prod.thresholds",
    ]

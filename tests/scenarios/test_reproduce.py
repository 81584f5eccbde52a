"""`fleetcast reproduce`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetcast.cli.main import run
from tests.fleets import small_fleet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fleet = small_fleet(tmp_path_factory.mktemp("reproduce"), "local", circuits=1)
    fleet.train()
    return fleet.opened.directory


def test_a_version_is_reproduced_to_the_byte(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", "plant001-circuit01:1", "--fleet", str(folder), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_identical"] is True


def test_it_is_no_longer_once_the_component_is_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    component = folder / "components" / "training-pipeline-component.yaml"
    text = component.read_text()
    component.write_text(text.replace("max_retries: 2", "max_retries: 3"))
    try:
        assert run(["reproduce", "plant001-circuit01:1", "--fleet", str(folder)]) == 1
    finally:
        component.write_text(text)
    said = capsys.readouterr().out
    assert "its component is not the one that the fleet declares" in said


@pytest.mark.parametrize("odd", ["plant001-circuit01", ":1", "plant001-circuit01:x", "plant001-circuit01:²"])
def test_what_names_no_version_is_wrong_usage(
    odd: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reproduce", odd, "--fleet", str(folder)]) == 64
    assert "names no version" in capsys.readouterr().err

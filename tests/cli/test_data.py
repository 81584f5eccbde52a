from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fleetcast.cli.data import data_app, ingest, simulate
from fleetcast.config.templates import NewFleet, init_fleet
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey

app = typer.Typer()
app.command()(ingest)
app.command()(simulate)
app.add_typer(data_app, name="data")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet that declares none of the circuits whose readings are stored here."""
    init_fleet(tmp_path, NewFleet(circuits=[CircuitKey("PLANT900", "CIRCUIT01")]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def run(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_file_goes_in_and_is_shown(folder: Path) -> None:
    (folder / "log.csv").write_text("time;Flow (l)\n2025-01-01 00:00:00;1,5\n2025-01-01 01:00:00;2,5\n")
    words = ["ingest", "log.csv", "--plant", "P1", "--circuit", "C1", "--timezone", "UTC", "--decimal", ","]
    told = run(*words, "--rename", "Flow (l)=flow")
    assert "2 rows read, 2 written (2 new, 0 changed), 0 already there" in told
    assert "Delta version 0" in told
    assert "Nothing new: the table stays at version 0" in run(*words, "--rename", "Flow (l)=flow")
    shown = json.loads(run("data", "show", "--format", "json"))
    assert (shown["circuits"][0]["plant_id"], shown["circuits"][0]["circuit_id"]) == ("P1", "C1")
    assert shown["circuits"][0]["readings"] == {"flow": 2}


def test_ingest_reports_in_json(folder: Path) -> None:
    (folder / "log.csv").write_text("time,a\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:00Z,2\n")
    words = ("ingest", "log.csv", "--plant", "P1", "--circuit", "C1", "--format", "json")
    report = json.loads(run(*words))
    assert (report["conflicting_duplicates"], report["delta_version"]) == (1, 0)
    assert report["files"][0]["first_at"] == "2025-01-01T00:00:00Z"


def test_a_simulated_fleet_can_be_judged(folder: Path) -> None:
    assert "Delta version 0" in run("simulate", "--plants", "1", "--circuits", "2", "--length", "30d")
    judged = run("data", "quality", "--limit", "current=0..1", "--needed-steps", "48")
    assert "PLANT001/CIRCUIT02" in judged
    assert "5 sensors fit" in judged
    found = json.loads(run("data", "quality", "*/CIRCUIT01", "--format", "json"))
    assert found["circuits"][0]["profile"]["step_seconds"] == 3600
    assert found["circuits"][0]["verdict"]["left_out"] == []


def test_versions_are_listed(folder: Path) -> None:
    run("simulate", "--plants", "1", "--circuits", "1", "--length", "10d", "--late-rows", "5")
    versions = json.loads(run("data", "versions", "--format", "json"))
    assert [(one["delta_version"], one["rows_written"]) for one in versions] == [(1, 5), (0, 235)]
    assert "MERGE" in run("data", "versions")


def test_a_limit_that_is_no_range_is_refused(folder: Path) -> None:
    run("simulate", "--plants", "1", "--circuits", "1", "--length", "10d")
    with pytest.raises(BadInput, match="not a range"):
        run("data", "quality", "--limit", "current=high")

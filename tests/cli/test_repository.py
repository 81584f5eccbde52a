"""`fleetcast init` and `fleetcast validate`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from fleetcast.cli.repository import init, validate

app = typer.Typer()
app.command()(init)
app.command()(validate)


def test_a_new_fleet_validates(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["init", str(tmp_path / "new")]).exit_code == 0
    result = run.invoke(app, ["validate", "--fleet", str(tmp_path / "new")])
    assert result.exit_code == 0
    assert "valid: 1 circuit in 1 plant," in result.output


def test_mistakes_are_grouped_by_file_and_exit_with_one(tmp_path: Path) -> None:
    run = CliRunner()
    run.invoke(app, ["init", str(tmp_path)])
    (tmp_path / "fleetcast.yaml").write_text("regisrty: x\n")
    result = run.invoke(app, ["validate", "--fleet", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith("fleetcast.yaml\n  1: unknown key 'regisrty'")
    report = json.loads(run.invoke(app, ["validate", "--fleet", str(tmp_path), "--format", "json"]).output)
    assert [(entry["file"], entry["line"]) for entry in report["complaints"]] == [("fleetcast.yaml", 1)]

"""Commands on an agent of CI: what later jobs are told, and where mistakes are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.repository import ON_SQLITE, Repository

pytestmark = [pytest.mark.slow, ON_SQLITE]


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("BUILD_SOURCEBRANCH", "refs/heads/release/1")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/develop")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path


def test_a_stage_tells_its_run_and_that_it_waits(trained: Repository, azure: Path) -> None:
    said = trained.type("stage", "PromoteModels", "--awaiting-ok")
    assert said.code == 0, said.err
    assert "##vso[task.setvariable variable=run;isOutput=true]run-0001" in said.err
    assert "##vso[task.setvariable variable=awaiting;isOutput=true]true" in said.err
    (summary,) = azure.glob("fleetcast-*.md")
    assert f"##vso[task.uploadsummary]{summary}" in said.err
    text = summary.read_text()
    assert "| PromoteModels | awaiting approval |" in text
    assert "- registry-promotion: plant001-circuit01:1" in text
    assert trained.type("stage", "PromoteModels").code == 3, "the job that acts stays shut"


def test_the_bar_of_a_job_moves(declared: Repository, azure: Path) -> None:
    said = declared.type("train", "--awaiting-ok")
    assert said.code == 0, said.err
    for shown in ("50;]RegisterData", "100;]RegisterData", "100;]MonitorTraining"):
        assert f"##vso[task.setprogress value={shown}" in said.err
    assert said.err.count("setprogress") <= 20


def test_a_run_writes_into_the_files_of_a_runner(promoted: Repository, github: Path) -> None:
    said = promoted.type("train", "--circuits", "*", "--format", "json")
    assert said.code == 0, said.err
    assert said.json["state"] == "done"
    outputs = (github / "outputs").read_text().splitlines()
    assert "awaiting=false" in outputs
    assert f"run={said.json['run_id']}" in outputs
    assert (github / "summary.md").read_text().startswith(f"### fleetcast {said.json['run_id']}: done")


def test_a_deployment_tells_whether_it_waits(promoted: Repository, azure: Path) -> None:
    asked = promoted.type("deploy", "test", "--awaiting-ok")
    assert asked.code == 0, asked.err
    assert "variable=awaiting;isOutput=true]true" in asked.err
    assert "variable=deployment;isOutput=true]1" in asked.err
    assert promoted.type("deploy", "test").code == 3


def test_mistakes_are_shown_at_their_lines(declared: Repository, github: Path) -> None:
    circuits = declared.folder / "config" / "circuits.yaml"
    circuits.write_text(circuits.read_text().replace("frequency:", "freqency:", 1))
    said = declared.type("validate")
    assert said.code == 1
    assert "::error file=config/circuits.yaml,line=" in said.err
    assert "freqency" in said.err


def test_nothing_of_it_is_said_where_there_is_no_agent(
    promoted: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TF_BUILD", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    said = promoted.type("train")
    assert "##vso" not in said.err
    assert "::" not in said.err

"""What is told to an agent of CI, and to nobody else."""

from __future__ import annotations

import pytest

from fleetcast.cli.agent import Agent


def test_what_failed_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    Agent().warn(["PLANT001/CIRCUIT01 failed: no signal"])
    assert (
        capsys.readouterr().err == "##vso[task.logissue type=warning;]PLANT001/CIRCUIT01 failed: no signal\n"
    )


def test_a_bar_moves_in_steps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TF_BUILD", "True")
    agent = Agent()
    for done in range(1_001):
        agent.progress(done, 1_000, "MonitorTraining")
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (21, "##vso[task.setprogress value=100;]MonitorTraining")


def test_without_an_agent_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TF_BUILD", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    agent = Agent()
    agent.warn(["x"])
    agent.progress(1, 2, "x")
    agent.outputs(run="run-0001")
    agent.summary("# x")
    assert capsys.readouterr() == ("", "")

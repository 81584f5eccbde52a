"""The run of Azure Pipelines: what its agent reads, and that nothing else passes for a command."""

from __future__ import annotations

import io
from pathlib import Path

from fleetcast.platforms.channels.azure_devops import AzureDevOpsRun
from fleetcast.ports.channels import Sent, TryLater
from tests.views.notices import DIGEST, HOSTILE, WORDS


def test_what_went_wrong_is_in_the_log_and_all_of_it_on_the_page(tmp_path: Path) -> None:
    out = io.StringIO()
    agent = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(tmp_path)}
    assert AzureDevOpsRun(agent, WORDS, out).send(DIGEST) == Sent()
    error, warning, summary = out.getvalue().splitlines()
    assert error.startswith("##vso[task.logissue type=error;]training of PLANT002/CIRCUIT03 failed")
    assert warning.startswith("##vso[task.logissue type=warning;]PLANT002/CIRCUIT01 runs otherwise")
    (path,) = tmp_path.iterdir()
    assert summary == f"##vso[task.uploadsummary]{path}"
    assert path.read_text(encoding="utf-8") == WORDS.markdown(DIGEST)


def test_text_of_users_gives_the_agent_no_command(tmp_path: Path) -> None:
    out = io.StringIO()
    agent = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(tmp_path)}
    assert AzureDevOpsRun(agent, WORDS, out).send(HOSTILE) == Sent()
    lines = out.getvalue().splitlines()
    assert [line.partition("]")[0] for line in lines] == [
        "##vso[task.logissue type=error;",
        "##vso[task.uploadsummary",
    ]


def test_elsewhere_it_waits_and_writes_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    found = AzureDevOpsRun({"AGENT_TEMPDIRECTORY": str(tmp_path)}, WORDS, out).send(DIGEST)
    assert isinstance(found, TryLater)
    assert "no agent of Azure Pipelines" in found.why
    assert (out.getvalue(), list(tmp_path.iterdir())) == ("", [])


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    agent = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(tmp_path / "gone")}
    found = AzureDevOpsRun(agent, WORDS, io.StringIO()).send(DIGEST)
    assert found == TryLater("the agent cannot be told: No such file or directory")

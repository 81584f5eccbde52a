"""What agents of CI read: nothing that a file says can pass for a command of its own."""

from __future__ import annotations

import pytest

from fleetcast.domain.ci import Ci, ci_of, reference_of
from fleetcast.domain.errors import Complaint
from fleetcast.views.ci import finding_line, output_line, progress_line, summary_line

ODD = Complaint("config/a;b].yaml", 7, "100 %\n##vso[task.setvariable]x", "mend, it: now")


def test_a_finding_is_at_its_line_and_one_line() -> None:
    azure = finding_line(Ci.AZURE_DEVOPS, ODD)
    assert azure == (
        "##vso[task.logissue type=error;sourcepath=config/a%3Bb%5D.yaml;linenumber=7;]"
        "100 %AZP25%0A\\x23#vso[task.setvariable%5Dx (mend, it: now)"
    )
    github = finding_line(Ci.GITHUB, ODD, warning=True)
    assert github == (
        "::warning file=config/a;b].yaml,line=7::100 %25%0A\\x23#vso[task.setvariable]x (mend, it: now)"
    )
    assert finding_line(Ci.GITHUB, Complaint("a,b:c", None, "x")) == "::error file=a%2Cb%3Ac::x"


def test_outputs_progress_and_summary() -> None:
    assert output_line(Ci.AZURE_DEVOPS, "run", "run-1\nx") == (
        "##vso[task.setvariable variable=run;isOutput=true]run-1%0Ax"
    )
    assert output_line(Ci.GITHUB, "run", "run-1\nawaiting=true") == "run=run-1"
    assert progress_line(Ci.AZURE_DEVOPS, 40, "jobs") == "##vso[task.setprogress value=40;]jobs"
    assert progress_line(Ci.GITHUB, 40, "jobs") is None
    assert summary_line(Ci.AZURE_DEVOPS, "/x.md") == "##vso[task.uploadsummary]/x.md"
    assert summary_line(Ci.GITHUB, "/x.md") is None


@pytest.mark.parametrize(
    ("variables", "ci", "reference"),
    [
        (
            {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main"},
            Ci.AZURE_DEVOPS,
            "refs/heads/main",
        ),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/1"}, Ci.GITHUB, "refs/tags/1"),
        ({"GITHUB_ACTIONS": "true"}, Ci.GITHUB, None),
        ({"TF_BUILD": "no"}, None, None),
    ],
)
def test_an_agent_is_recognised(variables: dict[str, str], ci: Ci | None, reference: str | None) -> None:
    assert (ci_of(variables), reference_of(variables)) == (ci, reference)

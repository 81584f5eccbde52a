"""Runs of pipelines in Azure DevOps: starting them, looking at their parts, and approvals that they wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import quote

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.pipeline_run import (
    PipelineRun,
    PlatformApproval,
    PlatformVote,
    RunEnding,
    RunPart,
)
from fleetcast.platforms.azuredevops.project import DevOpsProject, document, listed
from fleetcast.platforms.http.documents import Document, documents, inside, number, text

_ENDINGS: Mapping[str, RunEnding] = {
    "succeeded": RunEnding.SUCCEEDED,
    "succeededWithIssues": RunEnding.SUCCEEDED,
    "failed": RunEnding.FAILED,
    "canceled": RunEnding.CANCELED,
    "abandoned": RunEnding.CANCELED,
    "skipped": RunEnding.SKIPPED,
}
_APPROVALS = "pipelines/approvals"


class AzureDevOpsRuns:
    """Runs of the pipelines of one project."""

    def __init__(self, project: DevOpsProject) -> None:
        self._project = project

    def start(
        self, pipeline: int, branch: str, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> PipelineRun:
        """Start a pipeline on a branch.

        Raises:
            BadInput: There is no such pipeline, or it may not be started.
            Unavailable: No answer: the run may have begun all the same.
        """
        made = self._project.post(
            f"pipelines/{pipeline}/runs",
            {
                "resources": {"repositories": {"self": {"refName": f"refs/heads/{branch}"}}},
                "templateParameters": dict(parameters),
            },
        )
        return _run(document(made))

    def find(self, pipeline: int, run: int) -> PipelineRun:
        """How a run is doing.

        Raises:
            BadInput: There is no such run of that pipeline.
            Unavailable: No answer.
        """
        return _run(self._project.get(f"pipelines/{pipeline}/runs/{run}"))

    def parts(self, run: int) -> Sequence[RunPart]:
        """The stages, jobs and steps of a run so far, those that began first in front.

        Raises:
            BadInput: There is no such run.
            Unavailable: No answer.
        """
        build = self._project.get(f"build/builds/{run}")
        timeline = quote(text(inside(build, "orchestrationPlan"), "planId"), safe="")
        if not timeline:
            return []
        found = documents(self._project.get(f"build/builds/{run}/timeline/{timeline}"), "records")
        latest = datetime.max.replace(tzinfo=UTC)
        return sorted(map(_part, found), key=lambda one: (one.started_at or latest, one.kind, one.name))

    def waiting(self) -> Sequence[PlatformApproval]:
        """Every approval of the project that somebody waits for.

        Raises:
            Unavailable: No answer.
        """
        found = self._project.get(_APPROVALS, state="pending", **{"$expand": "steps"})
        return [_approval(one) for one in listed(found)]

    def decide(self, approval: str, vote: PlatformVote, comment: str) -> PlatformApproval:
        """Vote as whoever the token belongs to.

        Raises:
            BadInput: There is no such approval, or it is not theirs to decide.
            Unavailable: It was decided already, or there is no answer.
        """
        said = [{"approvalId": approval, "status": vote.value, "comment": comment}]
        for one in listed(self._project.patch(_APPROVALS, said)):
            if text(one, "id") == approval:
                return _approval(one)
        raise Unavailable(
            f"Azure DevOps does not say what became of approval {approval}", fix="look at the run there"
        )


def _run(found: Document) -> PipelineRun:
    return PipelineRun(
        number(inside(found, "pipeline"), "id"),
        number(found, "id"),
        text(found, "name"),
        _ending(found),
        _moment(found, "createdDate"),
    )


def _part(found: Document) -> RunPart:
    return RunPart(
        text(found, "id"),
        text(found, "parentId"),
        text(found, "type"),
        text(found, "name"),
        _ending(found),
        _moment(found, "startTime") if text(found, "startTime") else None,
    )


def _ending(found: Document) -> RunEnding:
    """A result means something only of what is completed."""
    if text(found, "state") != "completed":
        return RunEnding.RUNNING
    return _ENDINGS.get(text(found, "result"), RunEnding.UNKNOWN)


def _approval(found: Document) -> PlatformApproval:
    votes = {
        text(inside(step, "assignedApprover"), "id"): text(step, "status")
        for step in documents(found, "steps")
    }
    return PlatformApproval(
        text(found, "id"),
        text(found, "status"),
        number(found, "minRequiredApprovers"),
        _moment(found, "createdOn"),
        MappingProxyType(votes),
    )


def _moment(found: Document, name: str) -> datetime:
    """A moment, which Azure DevOps writes in UTC with up to seven digits of a second.

    Raises:
        Unavailable: There is none.
    """
    try:
        read = datetime.fromisoformat(text(found, name))
    except ValueError:
        raise Unavailable(f"Azure DevOps gives no time as {name}", fix="check `azure_devops.url`") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)

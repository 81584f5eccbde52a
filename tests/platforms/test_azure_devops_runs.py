"""Runs and approvals of Azure DevOps, and how its API is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.installed_devops import ApprovalCheck, Environment, Pipeline
from fleetcast.domain.pipeline_run import PlatformVote, RunEnding
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings, LinkedVault
from fleetcast.platforms.azuredevops.installation import AzureDevOpsInstallation
from fleetcast.platforms.azuredevops.project import DevOpsProject, open_project
from fleetcast.platforms.azuredevops.runs import AzureDevOpsRuns
from fleetcast.ports.pipeline_runs import PipelineRuns, PlatformApprovals
from tests.azure_oracle.published import as_published_of_devops
from tests.clocks import NOON, FixedClock
from tests.devops_server.organisation import PROJECT
from tests.devops_server.server import TOKEN, DevOpsServer, devops_server

CHECK = ApprovalCheck(
    "prod-deployment",
    frozenset({"id-1", "id-2"}),
    2,
    own_run_allowed=False,
    lapses_after=timedelta(days=1),
    instructions="look",
)


@pytest.fixture
def server() -> Iterator[DevOpsServer]:
    with devops_server() as running:
        yield running
        as_published_of_devops(running.exchanges)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def project(server: DevOpsServer, clock: FixedClock) -> DevOpsProject:
    settings = AzureDevOpsSettings("acme", PROJECT, "fleet", LinkedVault("vault"), server.url)
    return open_project(settings, {"SYSTEM_ACCESSTOKEN": TOKEN}, clock)


@pytest.fixture
def pipeline(server: DevOpsServer, project: DevOpsProject) -> int:
    """A pipeline, and an environment that asks two people."""
    installation = AzureDevOpsInstallation(project, "fleet")
    installation.found([])
    for item in (Environment("prod-deployment"), CHECK, Pipeline("deploy", "a.yml", "fleet", "main")):
        installation.create(item)
    return int(server.organisation.named("definitions", "deploy")["id"])


def test_a_run_is_started_on_a_branch_and_followed_to_its_end(
    server: DevOpsServer, project: DevOpsProject, pipeline: int
) -> None:
    runs: PipelineRuns = AzureDevOpsRuns(project)
    started = runs.start(pipeline, "main", {"plants": "LYON*"})
    assert (started.pipeline, started.ending, started.created_at) == (pipeline, RunEnding.RUNNING, NOON)
    kept = server.organisation.runs[started.number]
    assert kept["asked"] == {
        "resources": {"repositories": {"self": {"refName": "refs/heads/main"}}},
        "templateParameters": {"plants": "LYON*"},
    }
    job, stage = runs.parts(started.number)
    assert (job.kind, job.ending, job.started_at, job.parent) == ("Job", RunEnding.RUNNING, NOON, stage.id)
    assert (stage.kind, stage.name, stage.started_at) == ("Stage", "Deploy", None)
    kept |= {"state": "completed", "result": "failed"}
    assert runs.find(pipeline, started.number).ending is RunEnding.FAILED
    assert runs.parts(started.number)[0].ending is RunEnding.FAILED
    kept["result"] = "unknown"
    assert runs.find(pipeline, started.number).ending is RunEnding.UNKNOWN
    assert server.unknown == []


@pytest.mark.usefixtures("pipeline")
def test_approvals_are_found_and_decided(server: DevOpsServer, project: DevOpsProject) -> None:
    runs: PlatformApprovals = AzureDevOpsRuns(project)
    assert runs.waiting() == []
    asked = server.organisation.ask("prod-deployment")
    (found,) = runs.waiting()
    assert (found.id, found.minimum, found.created_at) == (asked["id"], 2, NOON)
    assert found.votes == {"id-1": "pending", "id-2": "pending"}
    once = runs.decide(found.id, PlatformVote.APPROVED, "looks well")
    assert (once.status, once.votes) == ("pending", {"id-1": "approved", "id-2": "pending"})
    assert asked["steps"][0]["comment"] == "looks well"
    assert runs.decide(found.id, PlatformVote.APPROVED, "").status == "approved"
    assert runs.waiting() == []
    with pytest.raises(Unavailable, match=r"409: Approval .* is approved already"):
        runs.decide(found.id, PlatformVote.REJECTED, "too late")


def test_what_is_not_there_is_said_and_an_unknown_route_is_remembered(
    server: DevOpsServer, project: DevOpsProject
) -> None:
    with pytest.raises(BadInput, match="has no /Energy%20Forecasts/_apis/pipelines/9/runs"):
        AzureDevOpsRuns(project).start(9, "main")
    assert server.unknown == []
    with pytest.raises(BadInput):
        project.get("nothing/of/the/kind")
    assert [one.path for one in server.unknown] == [f"/acme/{PROJECT}/_apis/nothing/of/the/kind"]


def test_all_pages_of_a_list_are_read(server: DevOpsServer, project: DevOpsProject) -> None:
    installation = AzureDevOpsInstallation(project, "fleet")
    installation.found([])
    names = [f"e-{number}" for number in range(5)]
    for name in names:
        installation.create(Environment(name))
    server.exchanges.clear()
    assert installation.found([]) == [Environment(name) for name in names]
    pages = [one for one in server.exchanges if one.path.endswith("/environments")]
    assert [one.query.get("continuationToken") for one in pages] == [None, "2", "4"]


def test_a_busy_service_is_asked_again_when_it_says_and_given_up_in_the_end(
    server: DevOpsServer, project: DevOpsProject, clock: FixedClock
) -> None:
    server.fail("GET", "/environments", 429, headers={"Retry-After": "30"})
    assert list(project.listed("distributedtask/environments")) == []
    assert clock.slept == [timedelta(seconds=30)]
    server.fail("GET", "/environments", 503, times=5)
    with pytest.raises(Unavailable, match="with 503"):
        list(project.listed("distributedtask/environments"))


def test_pages_that_lead_in_a_circle_end(server: DevOpsServer, project: DevOpsProject) -> None:
    server.organisation.page = 0
    AzureDevOpsInstallation(project, "fleet").create(Environment("e"))
    with pytest.raises(Unavailable, match="without end"):
        list(project.listed("distributedtask/environments"))

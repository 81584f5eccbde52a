"""The pull request that this process checks, and new ones."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fleetcast.domain.ci import Ci, ci_of
from fleetcast.domain.errors import BadInput
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.domain.settings import Settings
    from fleetcast.domain.settings.github import GitHubSettings
    from fleetcast.ports.pull_request import PullRequest, PullRequests


def open_pull_request(variables: Mapping[str, str], clock: Clock | None = None) -> PullRequest:
    """Where fleetcast may comment.

    Args:
        variables: Of the process: an agent of CI says there what it builds.
        clock: Tells the time.

    Raises:
        BadInput: This is no agent, or it builds no pull request.
    """
    ci = ci_of(variables)
    if ci is None:
        raise BadInput(
            "no pull request to comment on: this is no agent of Azure Pipelines or GitHub Actions",
            fix="look with `fleetcast plan --format markdown`",
        )
    _check_httpx()
    if ci is Ci.AZURE_DEVOPS:
        from fleetcast.platforms.azuredevops.pull_request import AzureDevOpsPullRequest

        return AzureDevOpsPullRequest(variables, clock or SystemClock())
    from fleetcast.platforms.github.pull_request import GitHubPullRequest

    return GitHubPullRequest(variables, clock or SystemClock())


def open_pull_requests(
    settings: Settings, variables: Mapping[str, str], clock: Clock | None = None
) -> PullRequests:
    """Where fleetcast may ask for a branch to be merged: in Azure Repos where `azure_devops:` is set, else at
    GitHub, as `github:` or a runner's variables say.

    Args:
        settings: Of the fleet.
        variables: Of the process, tokens among them.
        clock: Tells the time.

    Raises:
        BadInput: Nothing says where, or there is no token.
    """
    _check_httpx()
    clock = clock or SystemClock()
    devops = settings.azure_devops
    if devops is not None:
        from fleetcast.platforms.azuredevops.project import open_project
        from fleetcast.platforms.azuredevops.pull_request import AzureDevOpsPullRequests

        return AzureDevOpsPullRequests(open_project(devops, variables, clock), devops.repository)
    from fleetcast.platforms.github.pull_request import GitHubPullRequests
    from fleetcast.platforms.github.repository import open_repository

    where = settings.github or _checked_out(variables)
    return GitHubPullRequests(open_repository(where, variables, clock))


def _checked_out(variables: Mapping[str, str]) -> GitHubSettings:
    """The repository that a runner of GitHub Actions works in."""
    from fleetcast.domain.settings.github import DEFAULT_GITHUB, GitHubSettings

    name = variables.get("GITHUB_REPOSITORY")
    if not name:
        raise BadInput(
            "nothing says where pull requests are opened",
            fix="write `azure_devops:` or `github:` into fleetcast.yaml, or set GITHUB_REPOSITORY to owner/name",
        )
    return GitHubSettings(name, variables.get("GITHUB_SERVER_URL") or DEFAULT_GITHUB)


def _check_httpx() -> None:
    if find_spec("httpx") is None:
        raise BadInput(
            "pull requests need httpx, which is not installed", fix="pip install 'fleetcast[azure]'"
        )

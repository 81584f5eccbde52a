"""The pull request that this process checks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fleetcast.domain.ci import Ci, ci_of
from fleetcast.domain.errors import BadInput
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.ports.pull_request import PullRequest


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
    if find_spec("httpx") is None:
        raise BadInput("commenting needs httpx, which is not installed", fix="pip install 'fleetcast[azure]'")
    if ci is Ci.AZURE_DEVOPS:
        from fleetcast.platforms.azuredevops.pull_request import AzureDevOpsPullRequest

        return AzureDevOpsPullRequest(variables, clock or SystemClock())
    from fleetcast.platforms.github.pull_request import GitHubPullRequest

    return GitHubPullRequest(variables, clock or SystemClock())

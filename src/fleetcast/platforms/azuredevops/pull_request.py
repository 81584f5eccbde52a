"""Pull requests of Azure Repos: comments of ours on the one that is built, and new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.platforms.azuredevops.project import DevOpsProject, document
from fleetcast.platforms.http.json_service import JsonService
from fleetcast.ports.clock import Clock
from fleetcast.ports.pull_request import MARK

VERSION = "7.1"
"""Of the API."""
_LONGEST = 4000
"""Letters that the description of a pull request has at most."""
_CUT = "\n…\n"
_NEEDED = (
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "BUILD_REPOSITORY_ID",
    "SYSTEM_PULLREQUEST_PULLREQUESTID",
    "SYSTEM_ACCESSTOKEN",
)


class AzureDevOpsPullRequest:
    """Comments on a pull request of Azure Repos."""

    def __init__(self, variables: Mapping[str, str], clock: Clock) -> None:
        """Find out which, from the variables of the agent.

        Raises:
            BadInput: The agent builds no pull request, or was not given a token.
        """
        lacking = [name for name in _NEEDED if not variables.get(name)]
        if lacking:
            raise BadInput(
                f"no pull request to comment on: the agent has no {', '.join(lacking)}",
                fix="run it for a pull request, with `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
            )
        collection, project, repository, number, token = (variables[name] for name in _NEEDED)
        self._threads = f"/{project}/_apis/git/repositories/{repository}/pullRequests/{number}/threads"
        headers = {"Authorization": f"Bearer {token}"}
        self._service = JsonService("Azure DevOps", collection.rstrip("/"), headers, clock)

    def comment(self, markdown: str) -> None:
        """Say something there; what was said before is replaced."""
        content = f"{MARK}\n{markdown}"
        held = next(self._ours(), None)
        if held is not None:
            thread, comment = held
            path = f"{self._threads}/{thread}/comments/{comment}"
            self._service.patch(path, {"content": content}, **{"api-version": VERSION})
            return
        said: Json = {
            "comments": [{"parentCommentId": 0, "content": content, "commentType": "text"}],
            "status": "closed",
        }
        self._service.post(self._threads, said, **{"api-version": VERSION})

    def _ours(self) -> Iterator[tuple[int, int]]:
        """The numbers of the threads and comments that fleetcast wrote."""
        found = self._service.get(self._threads, **{"api-version": VERSION})
        threads = found.get("value") if isinstance(found, Mapping) else None
        for thread in threads if isinstance(threads, list) else ():
            for comment in thread.get("comments") or ():
                if str(comment.get("content", "")).startswith(MARK):
                    yield int(thread["id"]), int(comment["id"])


@dataclass(frozen=True, slots=True)
class AzureDevOpsPullRequests:
    """Asks for branches to be merged; see `PullRequests`."""

    project: DevOpsProject
    repository: str

    def open(self, branch: str, base: str, title: str, markdown: str) -> str:
        """See `PullRequests`."""
        requests = f"git/repositories/{quote(self.repository, safe='')}/pullrequests"
        asked = {
            "searchCriteria.sourceRefName": f"refs/heads/{branch}",
            "searchCriteria.targetRefName": f"refs/heads/{base}",
            "searchCriteria.status": "active",
        }
        held = next(iter(self.project.listed(requests, **asked)), None)
        if held is None:
            body: Json = {
                "sourceRefName": f"refs/heads/{branch}",
                "targetRefName": f"refs/heads/{base}",
                "title": title,
                "description": _shortened(markdown),
            }
            held = document(self.project.post(requests, body))
        number = held.get("pullRequestId")
        if not isinstance(number, int):
            raise Unavailable("Azure DevOps does not say which pull request it opened", fix="look there")
        where = f"{self.project.path}/_git/{quote(self.repository, safe='')}/pullrequest/{number}"
        return f"{self.project.service.base}{where}"


def _shortened(markdown: str) -> str:
    """As many whole lines as fit."""
    if len(markdown) <= _LONGEST:
        return markdown
    return markdown[: markdown.rindex("\n", 0, _LONGEST - len(_CUT) + 1)] + _CUT

"""Pull requests of GitHub: a comment of ours on the one that is checked, and new ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.platforms.github.repository import GitHubRepository, document
from fleetcast.platforms.http.json_service import JsonService
from fleetcast.ports.clock import Clock
from fleetcast.ports.pull_request import MARK

_NEEDED = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")
_PULL = re.compile(r"refs/pull/([0-9]+)/")
_AT_ONCE, _MOST_PAGES = 100, 50


class GitHubPullRequest:
    """Comments on a pull request of GitHub."""

    def __init__(self, variables: Mapping[str, str], clock: Clock) -> None:
        """Find out which, from the variables of the runner.

        Raises:
            BadInput: The runner checks no pull request, or was not given a token.
        """
        lacking = [name for name in _NEEDED if not variables.get(name)]
        pull = _PULL.match(variables.get("GITHUB_REF", ""))
        if lacking or pull is None:
            what = ", ".join(lacking) or "reference of a pull request"
            raise BadInput(
                f"no pull request to comment on: the runner has no {what}",
                fix="run it on `pull_request`, with `env: {GITHUB_TOKEN: ${{ github.token }}}`",
            )
        self._repository = f"/repos/{variables['GITHUB_REPOSITORY']}"
        self._comments = f"{self._repository}/issues/{pull[1]}/comments"
        api, token = variables["GITHUB_API_URL"], variables["GITHUB_TOKEN"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        self._service = JsonService("GitHub", api.rstrip("/"), headers, clock)

    def comment(self, markdown: str) -> None:
        """Say something there; what was said before is replaced."""
        body = f"{MARK}\n{markdown}"
        held = next(self._ours(), None)
        if held is None:
            self._service.post(self._comments, {"body": body})
        else:
            self._service.patch(f"{self._repository}/issues/comments/{held}", {"body": body})

    def _ours(self) -> Iterator[int]:
        """The numbers of the comments that fleetcast wrote."""
        for page in range(1, _MOST_PAGES + 1):
            found = self._service.get(self._comments, per_page=str(_AT_ONCE), page=str(page))
            comments = found if isinstance(found, list) else []
            for comment in comments:
                if isinstance(comment, Mapping) and str(comment.get("body", "")).startswith(MARK):
                    yield int(str(comment["id"]))
            if len(comments) < _AT_ONCE:
                return


@dataclass(frozen=True, slots=True)
class GitHubPullRequests:
    """Asks for branches to be merged; see `PullRequests`."""

    repository: GitHubRepository

    def open(self, branch: str, base: str, title: str, markdown: str) -> str:
        """See `PullRequests`."""
        owner = self.repository.name.partition("/")[0]
        asked = {"head": f"{owner}:{branch}", "base": base, "state": "open"}
        held = next(self.repository.listed("pulls", **asked), None)
        if held is None:
            body: Json = {"title": title, "head": branch, "base": base, "body": markdown}
            held = document(self.repository.post("pulls", body))
        url = held.get("html_url")
        if not isinstance(url, str):
            raise Unavailable("GitHub does not say which pull request it opened", fix="look there")
        return url

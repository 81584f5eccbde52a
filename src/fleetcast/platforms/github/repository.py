"""One repository of GitHub: its address, the version of the API, and lists that come page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings.github import GitHubSettings
from fleetcast.platforms.http.documents import Document
from fleetcast.platforms.http.json_service import JsonService
from fleetcast.ports.clock import Clock

VERSION = "2022-11-28"
"""Of the API."""
TOKEN = "GITHUB_TOKEN"  # noqa: S105  # the name of a variable
"""Where the token is."""
_AT_ONCE, _MOST_PAGES = "30", 1_000
"""More variables than that are never given at once."""


@dataclass(frozen=True, slots=True)
class GitHubRepository:
    """Asks about one repository."""

    service: JsonService
    name: str
    """As `owner/name`."""

    def get(self, path: str = "") -> Document:
        """Read one thing of the repository; without a path, the repository itself."""
        return document(self.service.get(self._path(path)))

    def get_above(self, path: str) -> Document:
        """Read something that belongs to no repository."""
        return document(self.service.get(path))

    def listed(self, path: str, inside: str = "", **query: str) -> Iterator[Document]:
        """Read a list of the repository, all pages of it.

        Args:
            path: Of what.
            inside: The field of the answer that holds the list; empty: the answer is the list.
            query: Which ones.

        Raises:
            Unavailable: A page is no list, or there is always one more.
        """
        for page in range(1, _MOST_PAGES + 1):
            found, link = self.service.get_page(
                self._path(path), "link", **query, per_page=_AT_ONCE, page=str(page)
            )
            held = found.get(inside) if inside and isinstance(found, Mapping) else found
            if not isinstance(held, list):
                raise _nonsense()
            yield from map(document, held)
            if 'rel="next"' not in link:
                return
        raise Unavailable(f"GitHub gives pages of {path} without end", fix="try again later")

    def post(self, path: str, body: Json) -> Json:
        """Make something in the repository."""
        return self.service.post(self._path(path), body)

    def put(self, path: str, body: Json = None) -> Json:
        """Replace something in the repository."""
        return self.service.put(self._path(path), body)

    def patch(self, path: str, body: Json) -> Json:
        """Change something in the repository."""
        return self.service.patch(self._path(path), body)

    def delete(self, path: str) -> None:
        """Remove something from the repository."""
        self.service.delete(self._path(path))

    def _path(self, path: str) -> str:
        return f"/repos/{self.name}/{path}" if path else f"/repos/{self.name}"


def open_repository(settings: GitHubSettings, variables: Mapping[str, str], clock: Clock) -> GitHubRepository:
    """Open a repository with the token that the environment holds.

    Raises:
        BadInput: It holds none.
    """
    token = variables.get(TOKEN)
    if not token:
        raise BadInput(
            "no token for GitHub",
            fix=f"set {TOKEN} to a fine-grained personal access token for the repository, or one of a GitHub App",
        )
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": VERSION,
    }
    return GitHubRepository(JsonService("GitHub", settings.api, headers, clock), settings.repository)


def document(found: Json) -> Document:
    """Something that has fields.

    Raises:
        Unavailable: It has none.
    """
    if not isinstance(found, Mapping):
        raise _nonsense()
    return found


def _nonsense() -> Unavailable:
    return Unavailable("GitHub answers with something else than it describes", fix="check `github.url`")

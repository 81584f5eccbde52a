"""One project of Azure DevOps: its address, versions of its API, and lists that come page by page."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings
from fleetcast.platforms.http.documents import Document
from fleetcast.platforms.http.json_service import JsonService
from fleetcast.ports.clock import Clock

VERSION = "7.1"
"""Of the API."""
PREVIEW = "7.1-preview.1"
"""Of checks and permissions to use, which have no other."""
AGENT_TOKEN, PERSONAL_TOKEN = "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"  # names of variables
"""Where tokens are: of an agent or of Entra ID, and one that a person made (as the Azure CLI takes it)."""
_NEXT = "x-ms-continuationtoken"
_MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class DevOpsProject:
    """Asks about one project."""

    service: JsonService
    """Up to the organisation."""
    path: str
    """Of the project, below it."""

    def get(self, path: str, version: str = VERSION, **query: str) -> Document:
        """Read one thing of the project."""
        return document(self.service.get(f"{self.path}/_apis/{path}", **query, **_version(version)))

    def listed(self, path: str, **query: str) -> Iterator[Document]:
        """Read a list of the project, all pages of it.

        Raises:
            Unavailable: A page is no list, or leads to itself.
        """
        token, seen = "", {""}
        for _ in range(_MOST_PAGES):
            more = {"continuationToken": token} if token else {}
            page, token = self.service.get_page(
                f"{self.path}/_apis/{path}", _NEXT, **query, **more, **_version(VERSION)
            )
            yield from listed(page)
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
        raise Unavailable(f"Azure DevOps gives pages of {path} without end", fix="try again later")

    def post(self, path: str, body: Json, version: str = VERSION, **query: str) -> Json:
        """Make something in the project."""
        return self.service.post(f"{self.path}/_apis/{path}", body, **query, **_version(version))

    def put(self, path: str, body: Json) -> Document:
        """Replace something in the project."""
        return document(self.service.put(f"{self.path}/_apis/{path}", body, **_version(VERSION)))

    def patch(self, path: str, body: Json, version: str = VERSION) -> Json:
        """Change something in the project."""
        return self.service.patch(f"{self.path}/_apis/{path}", body, **_version(version))

    def post_above(self, path: str, body: Json) -> Document:
        """Make something that belongs to the organisation."""
        return document(self.service.post(f"/_apis/{path}", body, **_version(VERSION)))

    def put_above(self, path: str, body: Json, **query: str) -> Document:
        """Replace something that belongs to the organisation."""
        return document(self.service.put(f"/_apis/{path}", body, **query, **_version(VERSION)))


def open_project(settings: AzureDevOpsSettings, variables: Mapping[str, str], clock: Clock) -> DevOpsProject:
    """Open a project with the token that the environment holds.

    Raises:
        BadInput: It holds none.
    """
    bearer, personal = variables.get(AGENT_TOKEN), variables.get(PERSONAL_TOKEN)
    if personal:
        shown = f"Basic {base64.b64encode(f':{personal}'.encode()).decode()}"
    elif bearer:
        shown = f"Bearer {bearer}"
    else:
        raise BadInput(
            "no token for Azure DevOps",
            fix=f"set {PERSONAL_TOKEN} to a personal access token, or {AGENT_TOKEN} to one of an agent or Entra ID",
        )
    base = f"{settings.url.rstrip('/')}/{quote(settings.organisation, safe='')}"
    service = JsonService("Azure DevOps", base, {"Authorization": shown}, clock)
    return DevOpsProject(service, f"/{quote(settings.project, safe='')}")


def listed(found: Json) -> Iterator[Document]:
    """What is in a list.

    Raises:
        Unavailable: It is none.
    """
    values = found.get("value") if isinstance(found, Mapping) else None
    if not isinstance(values, list):
        raise _nonsense()
    return map(document, values)


def document(found: Json) -> Document:
    """Something that has fields.

    Raises:
        Unavailable: It has none.
    """
    if not isinstance(found, Mapping):
        raise _nonsense()
    return found


def _version(version: str) -> Mapping[str, str]:
    return {"api-version": version}


def _nonsense() -> Unavailable:
    return Unavailable(
        "Azure DevOps answers with something else than it describes", fix="check `azure_devops.url`"
    )

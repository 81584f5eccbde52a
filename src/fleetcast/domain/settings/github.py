"""Where the fleet repository and its workflows are in GitHub, and what only people know of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.azure_devops import checked_uuid, is_private_address

DEFAULT_GITHUB = "https://github.com"
IDENTITIES = ("dev", "test", "prod", "rollback")
"""As whom workflows sign in to Azure: `prod` is the client id that they know as PROD_CLIENT_ID."""
MOST_APPROVALS = 10
MOST_ENVIRONMENT_REVIEWERS = 6
LONGEST_WAIT = timedelta(days=30)
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_OF_GITHUB = "GITHUB_"
_CLOUD, _TENANT_CLOUD = "github.com", ".ghe.com"


class Weakness(StrEnum):
    """What GitHub cannot enforce, and people may accept."""

    ONE_REVIEWER = "one-reviewer"
    """Any one of its reviewers opens an environment."""


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """One repository."""

    repository: str
    """As `owner/name`."""
    url: str = DEFAULT_GITHUB
    """Where people see it, without the repository."""
    tenant: str = ""
    """Of Azure, by its id in lower case; empty: workflows do not sign in."""
    subscription: str = ""
    """Of Azure; empty: that of `azure`."""
    identities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Client ids of applications or managed identities, by whom they stand for (see `IDENTITIES`)."""
    reviewers: Mapping[Gate, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """People by their names, teams as `owner/team`, in small letters."""
    wait: Mapping[Gate, timedelta] = field(default_factory=lambda: MappingProxyType({}))
    """How long jobs wait on an environment besides; where nothing is said, what is there stays."""
    approvals: int = 1
    """How many must agree to a pull request."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """More variables of the repository; never secrets."""
    accepts: frozenset[Weakness] = frozenset()
    """What people know that GitHub cannot enforce, and accept."""

    def __post_init__(self) -> None:
        checked_repository(self.repository)
        checked_github_url(self.url)
        checked_approvals(self.approvals)
        for gate, names in self.reviewers.items():
            if len(names) > MOST_ENVIRONMENT_REVIEWERS:
                raise BadInput(
                    f"{gate} has {len(names)} reviewers, and GitHub takes {MOST_ENVIRONMENT_REVIEWERS}",
                    fix="name a team in their place: owner/team",
                )
            for name in names:
                checked_reviewer(name)
        for length in self.wait.values():
            checked_wait(length)
        for name in self.variables:
            checked_variable(name)
        for who, client in self.identities.items():
            if who not in IDENTITIES:
                raise BadInput(f"unknown identity {who[:60]!r}", fix=f"write one of {', '.join(IDENTITIES)}")
            checked_uuid(client)

    @property
    def owner(self) -> str:
        """Who the repository belongs to."""
        return self.repository.partition("/")[0]

    @property
    def is_cloud(self) -> bool:
        """Whether this is github.com."""
        return self._host == _CLOUD

    @property
    def api(self) -> str:
        """The address of the REST API."""
        parts = urlsplit(self.url)
        if self._host == _CLOUD or self._host.endswith(_TENANT_CLOUD):
            return f"{parts.scheme}://api.{parts.netloc}"
        return f"{self.url.rstrip('/')}/api/v3"

    @property
    def issuer(self) -> str:
        """Who signs the tokens that jobs sign in with."""
        if self.is_cloud:
            return "https://token.actions.githubusercontent.com"
        if self._host.endswith(_TENANT_CLOUD):
            return f"https://token.actions.{self._host}"
        return f"{self.url.rstrip('/')}/_services/token"

    @property
    def for_gh(self) -> str:
        """The repository as the command line of GitHub names it."""
        return self.repository if self.is_cloud else f"{urlsplit(self.url).netloc}/{self.repository}"

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""


def checked_repository(text: str) -> str:
    """Return a repository of GitHub.

    Raises:
        BadInput: It is none, but a name alone or an address.
    """
    if _REPOSITORY.fullmatch(text) is None or text.endswith((".git", "/.", "/..")):
        raise BadInput(f"{text[:60]!r} is no repository of GitHub", fix="write it as owner/name")
    return text


def checked_github_url(text: str) -> str:
    """Return the address of GitHub.

    Raises:
        BadInput: It is none, or one that everybody on the way can read.
    """
    if not is_private_address(text) or urlsplit(text).path.strip("/"):
        raise BadInput(
            f"{text[:60]!r} is no address of GitHub", fix=f"write it without the repository: {DEFAULT_GITHUB}"
        )
    return text


def checked_reviewer(text: str) -> str:
    """Return somebody who opens environments, in small letters.

    Raises:
        BadInput: It is neither a name nor a team with its owner.
    """
    if _REVIEWER.fullmatch(text) is None:
        raise BadInput(
            f"{text[:60]!r} is nobody in GitHub", fix="write a name, or a team as owner/team, without @"
        )
    return text.lower()


def checked_wait(length: timedelta) -> timedelta:
    """Return how long jobs wait on an environment.

    Raises:
        BadInput: It is no number of whole minutes, or more than 30 days.
    """
    if length > LONGEST_WAIT or length % timedelta(minutes=1):
        raise BadInput("GitHub waits for whole minutes, for 30 days at most", fix="write 10min, 2h or 1d")
    return length


def checked_variable(name: str) -> str:
    """Return the name of a variable.

    Raises:
        BadInput: GitHub takes no such name.
    """
    if _VARIABLE.fullmatch(name) is None or name.startswith(_OF_GITHUB):
        raise BadInput(
            f"{name[:60]!r} is no name of a variable",
            fix="write capitals, digits and _, and do not begin with GITHUB_",
        )
    return name


def checked_approvals(number: int) -> int:
    """Return how many must agree to a pull request.

    Raises:
        BadInput: Nobody, or more than GitHub takes.
    """
    if not 1 <= number <= MOST_APPROVALS:
        raise BadInput(f"approvals {number} is out of range", fix=f"write 1 to {MOST_APPROVALS}")
    return number

"""Where the fleet repository and its pipelines are in Azure DevOps, and what only people know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit
from uuid import UUID

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import Gate

DEFAULT_URL = "https://dev.azure.com"
DEFAULT_SECRETS = ("databaseUrl", "signingKey")
"""What the pipelines hand to commands."""
MOST_REVIEWERS = 10
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class AzureIdentity:
    """As whom a service connection acts, and where; ids in lower case."""

    tenant: str
    subscription: str
    subscription_name: str
    client_id: str
    """Of the application or managed identity."""

    def __post_init__(self) -> None:
        for name in ("tenant", "subscription", "client_id"):
            object.__setattr__(self, name, checked_uuid(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class LinkedVault:
    """The Key Vault with what no file may hold."""

    name: str
    connection: str = "mlops-dev"
    """The service connection that reads it."""
    secrets: tuple[str, ...] = DEFAULT_SECRETS

    def __post_init__(self) -> None:
        if not self.secrets:
            raise BadInput("a Key Vault without secrets", fix=f"name them: {', '.join(DEFAULT_SECRETS)}")


@dataclass(frozen=True, slots=True)
class AzureDevOpsSettings:
    """One project of one organisation."""

    organisation: str
    project: str
    repository: str
    vault: LinkedVault
    url: str = DEFAULT_URL
    """Without the organisation."""
    connections: Mapping[str, AzureIdentity] = field(default_factory=lambda: MappingProxyType({}))
    """By the names that the pipelines know them by."""
    approvers: Mapping[Gate, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Identities of Azure DevOps (people and groups), by their ids in lower case."""
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """More variables, by the group that holds them; never secrets."""
    reviewers: int = 1
    """How many must agree to a pull request."""

    def __post_init__(self) -> None:
        for what in ("organisation", "project", "repository"):
            checked_name(what, getattr(self, what))
        checked_url(self.url)
        checked_reviewers(self.reviewers)


def checked_uuid(text: str) -> str:
    """Read an id as Azure writes them.

    Raises:
        BadInput: It is none.
    """
    try:
        return str(UUID(text))
    except ValueError:
        raise BadInput(
            f"{text[:60]!r} is no id of Azure",
            fix="write the id (a UUID), not the name: 5f1c0d6e-2f4b-4b52-9f0c-7d1c3a9e8b10",
        ) from None


def checked_name(what: str, text: str) -> str:
    """Return a name of Azure DevOps.

    Raises:
        BadInput: It is none, but a path, an address or empty.
    """
    if not text or len(text) > _LONGEST or not text.isprintable() or set(text) & set("/\\?#%:*<>|\"'"):
        raise BadInput(
            f"{text[:60]!r} is no {what} of Azure DevOps", fix="write its name alone, not its address"
        )
    return text


def checked_url(text: str) -> str:
    """Return the address of Azure DevOps.

    Raises:
        BadInput: It is none, or one that everybody on the way can read.
    """
    if not is_private_address(text):
        raise BadInput(
            f"{text[:60]!r} is no address of Azure DevOps",
            fix=f"write it without the organisation: {DEFAULT_URL}",
        )
    return text


def is_private_address(text: str) -> bool:
    """Whether a text is an address of a service that nobody on the way can read, without a name or a password in it."""
    parts = urlsplit(text)
    is_private = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return is_private and bool(parts.hostname) and not (parts.query or parts.fragment or "@" in parts.netloc)


def checked_reviewers(number: int) -> int:
    """Return how many must agree to a pull request.

    Raises:
        BadInput: Nobody, or more than Azure DevOps takes.
    """
    if not 1 <= number <= MOST_REVIEWERS:
        raise BadInput(f"reviewers {number} is out of range", fix=f"write 1 to {MOST_REVIEWERS}")
    return number

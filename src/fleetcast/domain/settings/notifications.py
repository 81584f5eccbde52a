"""Who is told what, by which way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_ADDRESS = re.compile(r"[^\s@<>,;\"\\()\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class ChannelKind(StrEnum):
    """By what a channel reaches people."""

    TEAMS = "teams"
    """A webhook of a workflow in Microsoft Teams."""
    EMAIL = "email"
    AZURE_DEVOPS = "azure-devops"
    """The run of Azure DevOps that fleetcast works in: its log, its summary and its timeline."""
    APPRISE = "apprise"
    """Whatever the library Apprise reaches: Slack, PagerDuty, a pager …"""


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    """From the first byte on."""
    NONE = "none"
    """In the clear, which everybody on the way can read: for a relay on this machine."""


@dataclass(frozen=True, slots=True)
class TeamsChannel:
    """A chat or a channel of Teams, by the webhook of a workflow."""

    name: str
    url_variable: str
    """Environment variable with the address, which is a secret; never a setting."""
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: a room that is open to whoever is in it."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_variable(self.url_variable)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.TEAMS


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Mail to a few addresses."""

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    """Empty: the server asks for none."""
    password_variable: str = ""
    """Environment variable with the user's password; never a setting. Empty where there is no user."""
    security: Security = Security.STARTTLS
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever reads there."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        if not _HOST.fullmatch(self.host):
            raise BadInput(f"{self.host[:60]!r} is no host", fix="write its name alone: smtp.example.com")
        if not 1 <= self.port <= 65535:
            raise BadInput(f"port {self.port} does not exist", fix="write 1 to 65535; 587 is usual")
        if not self.to:
            raise BadInput("nobody is written to", fix="write at least one address below `to`")
        for address in (self.sender, *self.to):
            checked_address(address)
        if self.user and (not self.user.isprintable() or len(self.user) > 200):
            raise BadInput("this is no user of a mail server", fix="write up to 200 printable letters")
        if bool(self.user) != bool(self.password_variable):
            raise BadInput(
                "a user and a password belong together", fix="write both `user` and `password`, or neither"
            )
        if self.password_variable:
            checked_variable(self.password_variable)
            if self.security is Security.NONE:
                raise BadInput(
                    "a password would be sent in the clear",
                    fix="write `security: starttls` or `security: tls`, or leave out user and password",
                )

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.EMAIL


@dataclass(frozen=True, slots=True)
class AzureDevOpsChannel:
    """The run of Azure DevOps that fleetcast works in; elsewhere it reaches nobody."""

    name: str
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever looks at the run."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.AZURE_DEVOPS


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """Whatever one URL of Apprise reaches."""

    name: str
    url_variable: str
    """Environment variable with the URL, which holds secrets; never a setting."""
    people: tuple[str, ...] = ()
    """Names of the people and groups that it reaches; empty: whoever is there."""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_variable(self.url_variable)

    @property
    def kind(self) -> ChannelKind:
        """By what it reaches people."""
        return ChannelKind.APPRISE


ChannelSettings = TeamsChannel | EmailChannel | AzureDevOpsChannel | AppriseChannel


def checked_variable(name: str) -> str:
    """The name of an environment variable; raises `BadInput`, which does not repeat what may be a secret."""
    if not _VARIABLE.fullmatch(name):
        raise BadInput(
            "this is no name of an environment variable",
            fix="write letters, digits and _, no digit first: OPERATORS_TEAMS_URL",
        )
    return name


def checked_address(address: str) -> str:
    """A plain mail address; raises `BadInput`."""
    if not address.isprintable() or not _ADDRESS.fullmatch(address) or ".." in address:
        raise BadInput(f"{address[:80]!r} is no mail address", fix="write it alone: operators@example.com")
    return address

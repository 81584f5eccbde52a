"""One-time links: whoever opens one may set a password, once, and for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest

LINK_PREFIX = "fcl"


class LinkPurpose(StrEnum):
    """What a link is for."""

    FIRST_ADMIN = "first-admin"
    """Becoming the one who may give roles, as nobody who can sign in may."""
    SET_PASSWORD = "set-password"  # noqa: S105  # a purpose
    """Choosing a password, the first or another one."""


class LinkEnd(StrEnum):
    """Why a link opens nothing any more."""

    USED = "used"
    REPLACED = "replaced"
    """A later link, or a password that was set, took its place."""


LIFE: Mapping[LinkPurpose, timedelta] = MappingProxyType(
    {LinkPurpose.FIRST_ADMIN: timedelta(hours=1), LinkPurpose.SET_PASSWORD: timedelta(hours=24)}
)


@dataclass(frozen=True, slots=True)
class Link:
    """What is kept of a link: everything but its secret."""

    number: int
    """Given by the account book, counted from 1; 0 before."""
    purpose: LinkPurpose
    person: str
    """The id of the one who sets a password; empty for the first admin, who need be on no record yet."""
    secret: Digest
    """SHA-256 of 32 random bytes."""
    made_by: str
    made_at: datetime
    ended_at: datetime | None = None
    end: LinkEnd | None = None

    def __post_init__(self) -> None:
        if bool(self.person) != (self.purpose is LinkPurpose.SET_PASSWORD):
            raise BadInput(f"a link to {self.purpose.value} for {self.person!r}", fix="make a new link")
        if (self.ended_at is None) != (self.end is None):
            raise BadInput("a link ends at a moment and for a reason", fix="make a new link")

    @property
    def kept(self) -> Digest:
        """Of all that makes it worth something, as `Token.kept`."""
        return digest_of(
            {
                "purpose": self.purpose.value,
                "person": self.person,
                "secret": self.secret.hex,
                "made_at": plain(self.made_at),
            }
        )

    @property
    def expires_at(self) -> datetime:
        """From when on it opens nothing."""
        return self.made_at + LIFE[self.purpose]

    def opens(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.end is None and now < self.expires_at

    def ended(self, why: LinkEnd, at: datetime) -> Link:
        """The same after its end."""
        return replace(self, ended_at=at, end=why)

"""Sign-in sessions: who somebody is, shown once and believed until it ends."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.audit import Actor, Proof, Standing
from fleetcast.domain.canonical import Json, digest_of, plain
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import Directory, Person
from fleetcast.domain.role import Role
from fleetcast.domain.shown import Shown

SESSION_PREFIX = "fcs"
LONGEST_SESSION = timedelta(hours=12)
LONGEST_IDLE = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=1)
"""How often use is noted, so that not every page is a change of the database."""


class SessionEnd(StrEnum):
    """Why a session says nothing any more."""

    SIGNED_OUT = "signed out"
    PASSWORD = "password changed"  # noqa: S105  # a reason, not a secret
    RIGHTS = "rights changed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SignInSession:
    """What is kept of a session: everything but its secret."""

    number: int
    """Given by the session book, counted from 1; 0 before."""
    person: str
    """The id of the one who signed in."""
    proof: Proof
    """By what they showed it."""
    secret: Digest
    """SHA-256 of 32 random bytes."""
    rights: Digest
    """Of what the person was given when they signed in: with other rights they sign in anew."""
    made_at: datetime
    used_at: datetime
    """Noted once a minute at most."""
    ended_at: datetime | None = None
    end: SessionEnd | None = None
    roles: tuple[Role, ...] = ()
    """What an identity provider gave at this sign-in, in the order of `Role`."""
    groups_left_out: bool = False
    """Whether the provider's token left out groups that roles depend on, so that none came from them."""

    def __post_init__(self) -> None:
        if (self.ended_at is None) != (self.end is None):
            raise BadInput("a session ends at a moment and for a reason", fix="sign in again")

    @property
    def kept(self) -> Digest:
        """Of all that makes it worth something, as `Token.kept`."""
        said: dict[str, Json] = {
            "person": self.person,
            "proof": plain(self.proof),
            "secret": self.secret.hex,
            "rights": self.rights.hex,
            "made_at": plain(self.made_at),
        }
        # Sessions that began before these were kept have the digest that they had.
        if self.roles:
            said["roles"] = plain(self.roles)
        if self.groups_left_out:
            said["groups_left_out"] = True
        return digest_of(said)

    @property
    def expires_at(self) -> datetime:
        """When it ends if nobody uses it any more."""
        return min(self.made_at + LONGEST_SESSION, self.used_at + LONGEST_IDLE)

    def over(self, now: datetime, directory: Directory) -> SessionEnd | None:
        """Why it says nothing any more at a moment, by the record of that moment; None while it does."""
        if self.end is not None:
            return self.end
        if now >= self.expires_at:
            return SessionEnd.EXPIRED
        person = directory.person(self.person)
        if person is None or person.disabled or rights_of(directory, person) != self.rights:
            return SessionEnd.RIGHTS
        return None

    def ended(self, why: SessionEnd, at: datetime) -> SignInSession:
        """The same after its end."""
        return replace(self, ended_at=at, end=why)

    def actor(self, person: Person) -> Actor:
        """Who acts in it."""
        return Actor(person.name, Standing.VERIFIED, self.proof, person.id)


def begun(directory: Directory, person: Person, proof: Proof, secret: Digest, now: datetime) -> SignInSession:
    """A session that begins now, without its number."""
    return SignInSession(0, person.id, proof, secret, rights_of(directory, person), now, now)


def begun_at_provider(
    directory: Directory, person: Person, shown: Shown, secret: Digest, now: datetime
) -> SignInSession:
    """The same of somebody whom a provider has shown.

    Args:
        directory: With what the provider gave.
        person: Whom the identity belongs to.
        shown: What the provider says.
        secret: Of the session.
        now: Aware UTC.
    """
    roles = tuple(role for role in Role if role in shown.roles)
    new = begun(directory, person, shown.proof, secret, now)
    return replace(new, roles=roles, groups_left_out=shown.groups_left_out)


def rights_of(directory: Directory, person: Person) -> Digest:
    """Of all that decides what somebody may do: roles, groups, identities, and whether they may act at all."""
    groups = frozenset(group.name for group in directory.groups if person.id in group.members)
    return digest_of(
        {
            "grants": plain(directory.grants_of(person)),
            "groups": plain(groups),
            "identities": plain(frozenset(person.identities)),
            "disabled": person.disabled,
        }
    )


def csrf_of(secret: str) -> str:
    """What forms of a session carry: known to whoever knows the session's secret, and telling nothing of it."""
    return hmac.new(secret.encode(), b"fleetcast csrf", hashlib.sha256).hexdigest()


def csrf_fits(secret: str, shown: str) -> bool:
    """Whether a form came from a page of this session; takes as long whatever the answer."""
    return hmac.compare_digest(csrf_of(secret).encode(), shown.encode(errors="replace"))

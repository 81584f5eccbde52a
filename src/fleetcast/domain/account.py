"""Local accounts: what a password must be, and who can look after a fleet by signing in."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from fleetcast.domain.audit import Means
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.people import Directory, Kind, Person, folded
from fleetcast.domain.place import EVERYWHERE
from fleetcast.domain.role import Role

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000
_LONGEST_HASH = 500


class PasswordRefused(BadInput):
    """A password that nobody may choose; the text never holds it."""


@dataclass(frozen=True, slots=True)
class Account:
    """By what a person on record signs in here: a password, of which only a hash is kept."""

    person: str
    """The id of the one whose it is."""
    password: str = field(repr=False)
    """Its hash, as whoever makes them writes it down; nothing else looks into it."""
    set_at: datetime
    times: int = 1
    """How often one was set: it tells one password from another, whatever hash of it is kept."""

    def __post_init__(self) -> None:
        checked_id("person", self.person)
        kept = self.password
        if not kept or len(kept) > _LONGEST_HASH or not kept.isascii() or not kept.isprintable():
            raise BadInput("this is no hash of a password", fix="let the person set a new password")

    @property
    def kept(self) -> Digest:
        """Of all that makes it worth something, as `Token.kept`."""
        return digest_of({"person": self.person, "password": self.password, "times": self.times})

    def same_password(self, other: Account | None) -> bool:
        """Whether this is the same account, with the same password, under whatever hash."""
        return other is not None and (self.person, self.times) == (other.person, other.times)


def newly_set(person: str, hashed: str, at: datetime, before: Account | None) -> Account:
    """The account of somebody who has just set a password, the first or another one."""
    return Account(person, hashed, at, 1 if before is None else before.times + 1)


def readable(password: str) -> str | None:
    """A password in the one form in which it is hashed and compared; None for text that no password can be.

    The same signs can be written in several ways, and keyboards differ in which one they send (NIST SP 800-63B).
    """
    if len(password) > LONGEST_PASSWORD:
        return None
    normal = unicodedata.normalize("NFKC", password)
    try:
        normal.encode()
    except UnicodeEncodeError:
        return None
    return normal


def checked_password(password: str, person: Person) -> str:
    """Return a password that somebody may choose, in the form in which it is hashed.

    Long is what matters: no kinds of signs are asked for, and blanks are fine (NIST SP 800-63B).

    Raises:
        PasswordRefused: It is too short, too long, or what everybody would try first: a name of this person.
    """
    normal = readable(password)
    if normal is None:
        raise PasswordRefused(
            "this password is too long or holds signs that cannot be written down",
            fix=f"choose one of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} characters",
        )
    if len(normal) < SHORTEST_PASSWORD:
        raise PasswordRefused(
            f"this password has fewer than {SHORTEST_PASSWORD} characters",
            fix="choose a longer one: several words that do not belong together are easy to keep in mind",
        )
    if folded(normal.strip()) in {folded(name) for name in (person.name, person.full_name, *person.aliases)}:
        raise PasswordRefused(
            "this password is the name of its owner", fix="choose one that nobody would guess"
        )
    return normal


def can_look_after(directory: Directory, accounts: Collection[str]) -> bool:
    """Whether somebody who can sign in may give roles: an admin everywhere with an account, here or at a provider.

    Args:
        directory: Who is on record.
        accounts: Ids of those who have a password here.
    """
    return any(
        is_admin(directory, person)
        and (person.id in accounts or any(identity.means is Means.OIDC for identity in person.identities))
        for person in directory.people
    )


def is_admin(directory: Directory, person: Person) -> bool:
    """Whether somebody may give roles, everywhere, and is a human who is not disabled."""
    return (
        person.kind is Kind.HUMAN
        and not person.disabled
        and any(
            grant.role is Role.ADMIN and grant.scope == EVERYWHERE for grant in directory.grants_of(person)
        )
    )

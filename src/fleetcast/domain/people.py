"""Who people are, by what they show it, and what they may do: nothing that nobody granted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fleetcast.domain.audit import Actor, Proof
from fleetcast.domain.canonical import LATER
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.gate import ANYONE
from fleetcast.domain.given import check_line
from fleetcast.domain.identity import checked_id
from fleetcast.domain.place import EVERYWHERE, Scope
from fleetcast.domain.role import RIGHTS, Right, Role

_LONGEST_NAME = 200


class Kind(StrEnum):
    """What stands behind a name."""

    HUMAN = "human"
    SERVICE = "service"
    """A program: it counts at a gate only where the gate names it."""


class Denied(FleetcastError):
    """Somebody who may not do this."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts: a human or a service account."""

    id: str
    """Given once, and never to anybody else."""
    name: str
    """What others call them; gates name people so. Unique, whatever the case of its letters."""
    kind: Kind = Kind.HUMAN
    full_name: str = ""
    aliases: tuple[str, ...] = ()
    """Further names of the same human, so that they count once."""
    identities: tuple[Proof, ...] = ()
    """What proves that it is them, without a secret: system users and accounts at identity providers."""
    disabled: bool = False

    def __post_init__(self) -> None:
        checked_id("person", self.id)
        for name in (self.name, *self.aliases):
            checked_name(name)
        if len({folded(name) for name in (self.name, *self.aliases)}) <= len(self.aliases):
            raise BadInput(f"{self.name} has a name twice", fix="name each alias once")
        check_line(self.full_name, f"the full name of {self.name}", _LONGEST_NAME)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Group:
    """People under one name, which gates and roles can name instead of each of them."""

    name: str
    members: frozenset[str] = frozenset()
    """Ids of people."""

    def __post_init__(self) -> None:
        checked_name(self.name)


class Origin(StrEnum):
    """Who gave a role."""

    FLEET = "fleet"
    """An admin of this fleet."""
    PROVIDER = "provider"
    """The identity provider, when the person last signed in there: each sign-in gives and takes them anew."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a person or a group has somewhere."""

    to: str
    """The id of a person, or the name of a group."""
    role: Role
    scope: Scope = EVERYWHERE
    origin: Origin = field(default=Origin.FLEET, metadata=LATER)

    def __str__(self) -> str:
        by = " (by the identity provider)" if self.origin is Origin.PROVIDER else ""
        return f"{self.role.value}, {self.scope}{by}"


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody who is on record, and what they were given.

    As long as nobody is on record, whoever can reach the database may do everything that does not ask for somebody
    who is signed in: a fleet on one person's machine. From the first person on, nothing is allowed that was not
    granted.
    """

    people: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()
    grants: frozenset[Grant] = frozenset()
    is_demo: bool = False
    """Whether `fleetcast demo` made the database: there, and nowhere else, asserted people count as verified."""

    @property
    def is_open(self) -> bool:
        """Whether nobody is on record yet."""
        return not self.people

    def person(self, person_id: str) -> Person | None:
        """Who has this id."""
        return next((person for person in self.people if person.id == person_id), None)

    def named(self, name: str) -> Person | None:
        """Who goes by this name or alias, whatever the case of its letters."""
        wanted = folded(name)
        return next(
            (one for one in self.people if wanted in map(folded, (one.name, *one.aliases))),
            None,
        )

    def group(self, name: str) -> Group | None:
        """The group of this name."""
        return next((group for group in self.groups if folded(group.name) == folded(name)), None)

    def showing(self, proof: Proof) -> Person | None:
        """Whom an identity belongs to."""
        return next((person for person in self.people if proof in person.identities), None)

    def humans_and_services(self, names: Iterable[str]) -> frozenset[str]:
        """The ids of everybody whom these names of people and groups mean; unknown names mean nobody."""
        found: set[str] = set()
        for name in names:
            if (person := self.named(name)) is not None:
                found.add(person.id)
            elif (group := self.group(name)) is not None:
                found |= group.members
        return frozenset(found)

    def recognised(self, actor: Actor) -> Actor:
        """The same actor with the person on record whose identity it shows; unchanged where there is none."""
        person = self.showing(actor.proof) if actor.proof is not None and not actor.person else None
        return actor if person is None else replace(actor, name=person.name, person=person.id)

    def grants_of(self, person: Person) -> frozenset[Grant]:
        """What a person has, by themselves or through a group."""
        mine = {person.id, *(group.name for group in self.groups if person.id in group.members)}
        return frozenset(grant for grant in self.grants if grant.to in mine)

    def given_by_provider(self, person: Person) -> frozenset[Grant]:
        """What an identity provider gave somebody when they last signed in there."""
        mine = (grant for grant in self.grants if grant.to == person.id)
        return frozenset(grant for grant in mine if grant.origin is Origin.PROVIDER)

    def shown_by_provider(self, person: Person, roles: Iterable[Role]) -> Directory:
        """The same after a provider gave somebody these roles, in place of all that it gave them before."""
        given = {Grant(person.id, role, origin=Origin.PROVIDER) for role in roles}
        return replace(self, grants=self.grants - self.given_by_provider(person) | given)

    def grants_of_actor(self, actor: Actor) -> frozenset[Grant]:
        """What somebody has who acts; nothing for those on no record."""
        person = self.person(actor.person)
        return frozenset() if person is None else self.grants_of(person)

    def may(self, actor: Actor, right: Right, place: Scope = EVERYWHERE) -> bool:
        """Whether somebody has a right at a place."""
        if self.is_open:
            return True
        person = self.person(actor.person)
        if person is None or person.disabled:
            return False
        return any(
            right in RIGHTS[grant.role] and grant.scope.covers(place) for grant in self.grants_of(person)
        )

    def require(self, actor: Actor, right: Right, place: Scope = EVERYWHERE) -> None:
        """Make sure that somebody has a right at a place.

        Raises:
            Denied: They have not, or nobody knows them.
        """
        if self.may(actor, right, place):
            return
        person = self.person(actor.person)
        if person is None:
            shown = f" ({actor.proof.detail})" if actor.proof is not None else ""
            raise Denied(
                f"{actor}{shown} is not on record in this fleet",
                fix="sign in with `fleetcast login` or a token, or ask an admin for `fleetcast people add`",
            )
        if person.disabled:
            raise Denied(f"{actor} is disabled", fix="ask an admin of this fleet")
        where = "" if place == EVERYWHERE else f" ({place})"
        roles = " or ".join(role.value for role in Role if right in RIGHTS[role])
        raise Denied(
            f"{actor} may not {right.value} here{where}",
            fix=f"ask an admin for the role {roles}: `fleetcast people grant {actor} …`",
        )


OPEN = Directory()
"""With nobody on record."""


def checked_name(name: str) -> str:
    """Return a name that people and groups can have.

    Raises:
        BadInput: It is empty, too long, means anyone, or holds signs that cannot be shown or that stand for others.
    """
    check_line(name, f"the name {name[:40]!r}", _LONGEST_NAME)
    odd = name != name.strip() or not name
    if odd or name == ANYONE or unicodedata.normalize("NFKC", name) != name:
        raise BadInput(f"{name[:80]!r} is not a person's name", fix="write the name people sign in with")
    return name


def folded(name: str) -> str:
    """A name without the differences that nobody hears: case, and ways to write the same sign."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())

"""Who is on record, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fleetcast.domain.audit import Proof
from fleetcast.domain.errors import BadInput
from fleetcast.domain.people import Directory, Grant, Group, Kind, Origin, Person, folded
from fleetcast.domain.place import EVERYWHERE, Scope
from fleetcast.domain.role import Right, Role
from fleetcast.ports.platform import Control


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to put on record."""

    name: str
    kind: Kind = Kind.HUMAN
    full_name: str = ""
    aliases: tuple[str, ...] = ()
    identities: tuple[Proof, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManagePeople:
    """Put people on record, and give and take roles; all but looking asks for the right to."""

    control: Control
    new_id: Callable[[], str]
    """Gives an id that nobody has, or had."""

    def __call__(self) -> Directory:
        """Everybody on record.

        Raises:
            Denied: Whoever asks may not look.
        """
        self.control.require(Right.VIEW)
        return self.control.people.directory()

    def add(self, new: NewPerson, roles: Sequence[tuple[Role, Scope]] = ()) -> Directory:
        """Put somebody on record. The first one to do so becomes an admin with every role, by what they show now.

        Raises:
            Denied: Whoever asks may not.
            BadInput: The name or an identity is somebody else's, or there is no such group.
        """
        self.control.require(Right.MANAGE)
        directory = self.control.people.directory()
        person = Person(self.new_id(), new.name, new.kind, new.full_name, new.aliases, new.identities)
        people, grants = [person], [Grant(person.id, role, scope) for role, scope in roles]
        if directory.is_open:
            founder, given = self._founder()
            if folded(person.name) == folded(founder.name):
                shown = dict.fromkeys((*person.identities, *founder.identities))
                people = [replace(person, identities=tuple(shown))]
                given = [replace(grant, to=person.id) for grant in given]
            else:
                people = [founder, person]
            grants = [*given, *grants]
        groups = [
            replace(group, members=group.members | {person.id})
            for group in (directory.group(name) or Group(name) for name in new.groups)
        ]
        self.control.people.add(people, grants, groups, first=directory.is_open)
        return self.control.people.directory()

    def disable(self, name: str) -> Directory:
        """Let somebody act no more; what they decided and did not take effect yet no longer counts.

        Raises:
            Denied: Whoever asks may not.
            BadInput: Nobody has this name, or they are the last admin.
        """
        self.control.require(Right.MANAGE)
        directory = self.control.people.directory()
        person = _known(directory, name)
        disabled = replace(person, disabled=True)
        others = replace(
            directory,
            people=tuple(disabled if one.id == person.id else one for one in directory.people),
        )
        _check_admin(others)
        self.control.people.change(disabled)
        return self.control.people.directory()

    def enable(self, name: str) -> Directory:
        """Let somebody act again who was disabled."""
        self.control.require(Right.MANAGE)
        person = _known(self.control.people.directory(), name)
        self.control.people.change(replace(person, disabled=False))
        return self.control.people.directory()

    def identify(self, name: str, identities: Sequence[Proof]) -> Directory:
        """Add what proves that it is somebody."""
        self.control.require(Right.MANAGE)
        person = _known(self.control.people.directory(), name)
        known = dict.fromkeys((*person.identities, *identities))
        self.control.people.change(replace(person, identities=tuple(known)))
        return self.control.people.directory()

    def grant(self, name: str, role: Role, scope: Scope = EVERYWHERE) -> Directory:
        """Give a role to a person or a group.

        Raises:
            Denied: Whoever asks may not.
            BadInput: Nobody has this name.
        """
        self.control.require(Right.MANAGE)
        directory = self.control.people.directory()
        self.control.people.grant([Grant(_holder(directory, name), role, scope)])
        return self.control.people.directory()

    def revoke(self, name: str, role: Role, scope: Scope = EVERYWHERE) -> Directory:
        """Take a role from a person or a group; one that a provider gave comes back when they sign in there again.

        Raises:
            Denied: Whoever asks may not.
            BadInput: They do not have it so, or nobody could give roles any more.
        """
        self.control.require(Right.MANAGE)
        directory = self.control.people.directory()
        wanted = Grant(_holder(directory, name), role, scope)
        gone = {wanted, replace(wanted, origin=Origin.PROVIDER)} & directory.grants
        if not gone:
            has = ", ".join(sorted(str(one) for one in directory.grants if one.to == wanted.to)) or "no role"
            raise BadInput(
                f"{name} has {has}, not {wanted}", fix="name the role and the place as they are given"
            )
        _check_admin(replace(directory, grants=directory.grants - gone))
        self.control.people.revoke(sorted(gone, key=str))
        return self.control.people.directory()

    def group(self, name: str, members: Sequence[str]) -> Directory:
        """Make a group of these people, or give it these members."""
        self.control.require(Right.MANAGE)
        directory = self.control.people.directory()
        people = frozenset(_known(directory, member).id for member in members)
        before = directory.group(name) or Group(name)
        after = replace(before, members=people)
        others = (*(one for one in directory.groups if one.name != after.name), after)
        _check_admin(replace(directory, groups=others))
        self.control.people.put_group(after)
        return self.control.people.directory()

    def _founder(self) -> tuple[Person, list[Grant]]:
        actor = self.control.actor
        proofs = () if actor.proof is None else (actor.proof,)
        founder = Person(self.new_id(), actor.name, identities=proofs)
        return founder, [Grant(founder.id, role) for role in Role]


def _known(directory: Directory, name: str) -> Person:
    person = directory.named(name)
    if person is None:
        raise BadInput(f"nobody on record is called {name}", fix="see `fleetcast people list`")
    return person


def _holder(directory: Directory, name: str) -> str:
    if (group := directory.group(name)) is not None:
        return group.name
    return _known(directory, name).id


def _check_admin(directory: Directory) -> None:
    """Make sure that somebody can still give roles, whatever a provider says tomorrow."""
    admin = {(Role.ADMIN, EVERYWHERE, Origin.FLEET)}
    for person in directory.people:
        given = {(grant.role, grant.scope, grant.origin) for grant in directory.grants_of(person)}
        if not person.disabled and given & admin:
            return
    raise BadInput(
        "nobody could give roles any more", fix="make somebody else an admin first: `fleetcast people grant`"
    )

"""Who people are and what they may do, kept on every platform; and the tokens by which programs show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fleetcast.domain.people import Directory, Grant, Group, Person
from fleetcast.domain.token import Token


class PeopleBook(Protocol):
    """Keeps everybody on record; each change and its audit entry are one transaction, on the disk when it returns."""

    def directory(self) -> Directory:
        """Everybody who is on record now."""
        ...

    def add(
        self,
        people: Sequence[Person],
        grants: Sequence[Grant] = (),
        groups: Sequence[Group] = (),
        *,
        first: bool,
    ) -> None:
        """Put people on record with what they are given and the groups that they join, all or nothing.

        Args:
            people: Of ids that nobody has.
            grants: Roles that are given at once.
            groups: Groups, whole, that are made or get other members.
            first: Whether nobody was on record when this was decided.

        Raises:
            BadInput: A name, an alias or an identity is somebody else's, or a group's; or somebody came first.
        """
        ...

    def change(self, person: Person) -> None:
        """Write a person down anew, by their id.

        Raises:
            BadInput: As `add`.
            HistoryLost: Nobody has this id.
        """
        ...

    def put_group(self, group: Group) -> None:
        """Make a group, or give it other members.

        Raises:
            BadInput: A person has its name, or a member is on no record.
        """
        ...

    def grant(self, grants: Sequence[Grant]) -> None:
        """Give roles; what is given already stays as it is."""
        ...

    def revoke(self, grants: Sequence[Grant]) -> None:
        """Take roles back; what nobody has stays as it is."""
        ...


class TokenBook(Protocol):
    """Keeps tokens without their secrets."""

    def issue(self, token: Token) -> Token:
        """Keep a new token; gives it with its number."""
        ...

    def find(self, number: int) -> Token | None:
        """The token of this number."""
        ...

    def listed(self) -> Sequence[Token]:
        """All of them, oldest first."""
        ...

    def revoke(self, number: int) -> Token:
        """End a token; one that has ended stays as it is.

        Raises:
            BadInput: There is no such token.
        """
        ...

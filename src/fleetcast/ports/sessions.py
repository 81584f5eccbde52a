"""What signing in needs: accounts and one-time links, sessions, and how often somebody tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fleetcast.domain.account import Account
from fleetcast.domain.attempts import Limit
from fleetcast.domain.link import Link
from fleetcast.domain.people import Directory, Grant, Person
from fleetcast.domain.session import SessionEnd, SignInSession


@dataclass(frozen=True, slots=True)
class Known:
    """What a decision about signing in is made by, inside the transaction that carries it out."""

    directory: Directory
    accounts: Mapping[str, Account]
    """By the id of the person."""


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """What using a link does."""

    account: Account
    add: Person | None = None
    """Somebody to put on record."""
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What signing in does."""

    session: SignInSession
    grants: frozenset[Grant] | None = None
    """All that an identity provider gives its person, in place of all that it gave before; None: nobody asked it."""


class AccountBook(Protocol):
    """Keeps accounts and one-time links; each change and its audit entries are one transaction."""

    def find(self, person: str) -> Account | None:
        """The account of this person."""
        ...

    def known(self) -> Known:
        """Who is on record, and who has an account."""
        ...

    def set_password(self, before: Account, after: Account) -> None:
        """Change a password; ends all sessions of its owner, and the links by which they could set another.

        Raises:
            Denied: The account is not as it was seen before; nothing changed.
        """
        ...

    def rehash(self, before: Account, after: Account) -> bool:
        """Keep a better hash of the same password, unless the account is another by now; whether it was kept."""
        ...

    def make_link(self, deciding: Callable[[Known], Link]) -> Link:
        """Keep a new link; gives it with its number. Earlier ones for the same person open nothing any more.

        Args:
            deciding: Called within the transaction; what it raises ends it, and nothing changed.
        """
        ...

    def find_link(self, number: int) -> Link | None:
        """The link of this number."""
        ...

    def use_link(self, number: int, deciding: Callable[[Link, Known], PasswordSet]) -> PasswordSet:
        """Set the password that a link is for, all or nothing; the link is used then. As `set_password` besides.

        Args:
            number: Of the link.
            deciding: Called within the transaction with the link as it stands there; what it raises ends it, and
                nothing changed.

        Raises:
            HistoryLost: There is no such link.
            BadInput: The person to add has a name or identity of somebody else.
        """
        ...


class SessionBook(Protocol):
    """Keeps sign-in sessions without their secrets; each change and its audit entry are one transaction.

    Whoever changes roles, groups or people ends the sessions of those whose rights are others then, in the same
    transaction.
    """

    def begin(self, deciding: Callable[[Known], SignedIn]) -> SignInSession:
        """Keep a new session; gives it with its number. Those of the same person that expired are ended.

        What a provider gives and takes is written in the name of whom it has shown; sessions that had other rights end.

        Args:
            deciding: Called within the transaction; what it raises ends it, and nothing changed.
        """
        ...

    def find(self, number: int) -> SignInSession | None:
        """The session of this number."""
        ...

    def note_use(self, number: int) -> None:
        """Note that a session was used now; one that has ended stays as it is."""
        ...

    def end(self, number: int, why: SessionEnd) -> None:
        """End a session; one that has ended stays as it is, and so does one that never was."""
        ...


class AttemptBook(Protocol):
    """Counts who tried to sign in; the counts are on the disk before an attempt is made."""

    def begin(self, limits: Mapping[str, Limit]) -> timedelta:
        """Count one more attempt under each of these keys, or say how long to wait; none: it was counted.

        Whoever has to wait is not counted, so trying during a pause does not make it longer.
        """
        ...

    def succeeded(self, forgotten: str, taken_back: str | None = None) -> None:
        """Forget all attempts under one key, and take the last one back under another, if there is one."""
        ...

    def refused(self, person: Person | None, address: str) -> None:
        """Write into the audit log that a sign-in was refused, or that it was one of too many to list each.

        Args:
            person: Whose name was typed; None: nobody's. What was typed is on no record.
            address: From where.
        """
        ...

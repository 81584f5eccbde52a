"""Making, listing and ending tokens, and recognising who shows one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.domain.audit import Actor, Means, Proof
from fleetcast.domain.errors import BadInput
from fleetcast.domain.people import Denied, Directory, Kind
from fleetcast.domain.role import Right
from fleetcast.domain.token import NO_SECRET, Token, TokenState, fits, new_secret, parsed, written
from fleetcast.ports.approvals import AuditLog
from fleetcast.ports.clock import Clock
from fleetcast.ports.people import PeopleBook, TokenBook
from fleetcast.ports.platform import Control
from fleetcast.workflows.credentials import vouched

_TOKEN = "token "  # noqa: S105  # how a proof names one


def token_number(proof: Proof | None) -> int | None:
    """The number of the token by which somebody is known; None where it is by something else."""
    return (
        int(proof.detail.removeprefix(_TOKEN)) if proof is not None and proof.means is Means.TOKEN else None
    )


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: the only moment at which its secret is known."""

    token: Token
    text: str
    """What its owner keeps; never logged, stored or shown again."""

    def __repr__(self) -> str:
        return f"NewToken({self.token.number})"


@dataclass(frozen=True, slots=True)
class ManageTokens:
    """Make and end tokens: everybody for themselves, an admin for service accounts as well."""

    control: Control
    clock: Clock
    random: Callable[[int], str]
    """URL-safe text of so many random bytes."""

    def create(
        self, purpose: str, life: timedelta, *, only: Collection[Right] = (), of: str | None = None
    ) -> NewToken:
        """Make a token.

        Args:
            purpose: What for, in a few words.
            life: After this it says nothing any more.
            only: What it reaches to at most; empty: all that its person may.
            of: The service account that it is for; None: whoever asks.

        Raises:
            Denied: Whoever asks is on no record, or may not make one for somebody else.
            BadInput: Nobody has this name, or a person would get a token from somebody else.
        """
        directory = self.control.people.directory()
        person = self._person(directory, of)
        secret, digest = new_secret(self.random)
        actor, now = self.control.actor, self.clock.now()
        reach = frozenset(only) & self.control.only if self.control.only and only else frozenset(only)
        token = Token(
            number=0,
            person=person,
            secret=digest,
            standing=actor.standing,
            only=reach or self.control.only,
            purpose=purpose,
            made_by=actor.name,
            made_at=now,
            expires_at=now + life,
        )
        kept = self.control.tokens.issue(token)
        return NewToken(kept, written(kept.number, secret))

    def listed(self) -> Sequence[Token]:
        """One's own tokens; an admin sees all."""
        self.control.require(Right.VIEW)
        everything = self.control.tokens.listed()
        if self.control.may(Right.MANAGE):
            return everything
        return [token for token in everything if token.person == self.control.actor.person]

    def revoke(self, number: int) -> Token:
        """End a token: one's own, or as an admin anybody's.

        Raises:
            Denied: It is somebody else's.
            BadInput: There is no such token.
        """
        token = self.control.tokens.find(number)
        if token is None or not token.person or token.person != self.control.actor.person:
            self.control.require(Right.MANAGE)
        return self.control.tokens.revoke(number)

    def _person(self, directory: Directory, of: str | None) -> str:
        actor = self.control.actor
        if of is None:
            self.control.require(Right.VIEW)
            if directory.person(actor.person) is None:
                raise Denied(
                    f"{actor} is on no record, and a token acts for somebody who is",
                    fix="put them on record first: `fleetcast people add`",
                )
            return actor.person
        self.control.require(Right.MANAGE)
        person = directory.named(of)
        if person is None:
            raise BadInput(f"nobody on record is called {of}", fix="see `fleetcast people list`")
        if person.kind is not Kind.SERVICE and person.id != actor.person:
            raise BadInput(
                f"{of} is a person: who has their token could act as them",
                fix="let them sign in and make it themselves, or make a service account",
            )
        return person.id


@dataclass(frozen=True, slots=True)
class ByToken:
    """Who acts with a token, and what it reaches to at most."""

    actor: Actor
    only: frozenset[Right] = frozenset()
    until: datetime | None = None
    """When the token expires; None: no token was shown."""


@dataclass(frozen=True, slots=True)
class RecogniseToken:
    """Find out for whom somebody acts who shows a token."""

    people: PeopleBook
    tokens: TokenBook
    audit: AuditLog
    clock: Clock

    def __call__(self, text: str) -> ByToken:
        """Look a token up; the answer is the same for one that never was, is over, or whose person is disabled.

        Raises:
            Denied: It says nothing, or not any more.
        """
        number, secret = parsed(text) or (0, "")
        token = self.tokens.find(number) if number else None
        right = fits(secret, NO_SECRET if token is None else token.secret)
        person = self.people.directory().person(token.person) if token is not None else None
        if (
            token is None
            or not right
            or person is None
            or person.disabled
            or token.state(self.clock.now()) is not TokenState.VALID
            or not vouched(self.audit, f"token {token.number}", token.kept)
        ):
            raise Denied("this token is not valid", fix="make a new one with `fleetcast token create`")
        proof = Proof(Means.TOKEN, f"{_TOKEN}{token.number}")
        return ByToken(Actor(person.name, token.standing, proof, person.id), token.only, token.expires_at)

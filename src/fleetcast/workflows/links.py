"""One-time links: for the first admin, and for everybody who is to choose a password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetcast.domain.account import can_look_after, checked_password, is_admin, newly_set
from fleetcast.domain.attempts import key_of_name
from fleetcast.domain.audit import Standing
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.link import LINK_PREFIX, Link, LinkPurpose
from fleetcast.domain.people import Denied, Directory, Grant, Kind, Person
from fleetcast.domain.role import Right, Role
from fleetcast.domain.token import NO_SECRET, fits, new_secret, parsed, written
from fleetcast.ports.clock import Clock
from fleetcast.ports.passwords import Passwords
from fleetcast.ports.platform import Control
from fleetcast.ports.sessions import Known, PasswordSet
from fleetcast.workflows.credentials import vouched


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made: the only moment at which its secret is known."""

    link: Link
    secret: str
    """What the address holds that is handed to its user; never logged, stored or shown again."""

    def __repr__(self) -> str:
        return f"NewLink({self.link.number})"


@dataclass(frozen=True, slots=True)
class OpenFirstAdminLink:
    """Make the link by which the first admin gets an account.

    Asks for no right: whoever starts the server of a fleet that nobody can look after by signing in makes one.
    """

    control: Control
    clock: Clock
    random: Callable[[int], str]
    """URL-safe text of so many random bytes."""

    def __call__(self) -> NewLink | None:
        """Make a link; None where somebody can look after the fleet by signing in."""
        secret, digest = new_secret(self.random)

        def deciding(known: Known) -> Link:
            _check_nobody_looks_after(known)
            return _link(self.control, LinkPurpose.FIRST_ADMIN, "", digest, self.clock)

        try:
            made = self.control.accounts.make_link(deciding)
        except LinkSaysNothing:
            return None
        return NewLink(made, written(made.number, secret, LINK_PREFIX))


@dataclass(frozen=True, slots=True)
class InvitePerson:
    """Make a link by which somebody on record chooses a password, the first or another one."""

    control: Control
    clock: Clock
    random: Callable[[int], str]
    """URL-safe text of so many random bytes."""

    def __call__(self, name: str) -> NewLink:
        """Make it; earlier ones for the same person open nothing any more.

        Args:
            name: Of the person.

        Raises:
            Denied: Whoever asks may not, or is not signed in: they could make themselves verified.
            BadInput: Nobody has this name, or no human who may act.
        """
        self.control.require(Right.MANAGE)
        actor = self.control.actor
        if actor.standing is not Standing.VERIFIED:
            raise Denied(
                f"{actor} is not signed in, and who sets a password by a link is believed",
                fix="sign in, or start the server: it prints a link for the first admin",
            )
        secret, digest = new_secret(self.random)

        def deciding(known: Known) -> Link:
            self.control.require_in(known.directory, Right.MANAGE)
            person = known.directory.named(name)
            if person is None:
                raise BadInput(f"nobody on record is called {name}", fix="see `fleetcast people list`")
            if person.kind is not Kind.HUMAN:
                raise BadInput(
                    f"{name} is a service account, which does not sign in",
                    fix=f"make a token: `fleetcast token create --of {name}`",
                )
            if person.disabled:
                raise BadInput(f"{name} is disabled", fix=f"`fleetcast people enable {name}` first")
            return _link(self.control, LinkPurpose.SET_PASSWORD, person.id, digest, self.clock)

        made = self.control.accounts.make_link(deciding)
        return NewLink(made, written(made.number, secret, LINK_PREFIX))


class LinkSaysNothing(Denied):
    """A link that never was, was used, has expired or was replaced, or that nobody needs any more."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a page shows to whoever opened a link."""

    purpose: LinkPurpose
    name: str
    """Whose password is set; empty for the first admin, who says what they are called."""


@dataclass(frozen=True, slots=True)
class UseLink:
    """Set a password by a one-time link; asks for no right, as the link is what shows who may."""

    control: Control
    passwords: Passwords
    clock: Clock
    new_id: Callable[[], str]
    """Gives an id that nobody has, or had."""

    def look(self, secret: str) -> OpenedLink:
        """What a link is for; it can still be used afterwards.

        Raises:
            LinkSaysNothing: It opens nothing, or not any more.
        """
        link, known = self._opened(secret), self.control.accounts.known()
        person = _check_needed(link, known, self.clock)
        return OpenedLink(link.purpose, "" if person is None else person.name)

    def __call__(self, secret: str, password: str, name: str = "") -> Person:
        """Set a password, and for the first admin the name; the link is used then, whoever else tries at once.

        Args:
            secret: As the link holds it.
            password: The one to set.
            name: What the first admin is called; left out for everybody else.

        Returns:
            Who can sign in now.

        Raises:
            LinkSaysNothing: It opens nothing, or not any more.
            PasswordRefused: Nobody may choose this password.
            BadInput: The name is none, or belongs to somebody who is no admin.
        """
        link, known = self._opened(secret), self.control.accounts.known()
        shown = _check_needed(link, known, self.clock)
        new_id = self.new_id()
        owner = shown or _first_admin(known.directory, name, new_id)
        kept = self.passwords.hashed(checked_password(password, owner))

        def deciding(held: Link, known: Known) -> PasswordSet:
            person = _check_needed(held, known, self.clock)
            account = newly_set(owner.id, kept, self.clock.now(), known.accounts.get(owner.id))
            if person is not None:
                return PasswordSet(account)
            first = _first_admin(known.directory, name, new_id)
            if first.id != owner.id:
                raise _says_nothing()
            if known.directory.person(first.id) is not None:
                return PasswordSet(account)
            roles = tuple(Role) if known.directory.is_open else (Role.ADMIN,)
            return PasswordSet(account, first, tuple(Grant(first.id, role) for role in roles))

        self.control.accounts.use_link(link.number, deciding)
        # Whoever waits because others guessed need not wait any more.
        self.control.attempts.succeeded(key_of_name(owner.name))
        return owner

    def _opened(self, secret: str) -> Link:
        number, said = parsed(secret, LINK_PREFIX) or (0, "")
        link = self.control.accounts.find_link(number) if number else None
        right = fits(said, NO_SECRET if link is None else link.secret)
        if link is None or not right or not vouched(self.control.audit, f"link {link.number}", link.kept):
            raise _says_nothing()
        return link


def _check_needed(link: Link, known: Known, clock: Clock) -> Person | None:
    """The person on record whose password a link sets, None for the first admin; if it opens anything."""
    if not link.opens(clock.now()):
        raise _says_nothing()
    if link.purpose is LinkPurpose.FIRST_ADMIN:
        _check_nobody_looks_after(known)
        return None
    person = known.directory.person(link.person)
    if person is None or person.disabled or person.kind is not Kind.HUMAN:
        raise _says_nothing()
    return person


def _check_nobody_looks_after(known: Known) -> None:
    if can_look_after(known.directory, known.accounts.keys()):
        raise _says_nothing()


def _first_admin(directory: Directory, name: str, new_id: str) -> Person:
    """Who becomes the first admin by this name: somebody new, or an admin on record without an account.

    Raises:
        BadInput: It is the name of somebody who is no admin, or of a group.
    """
    person = directory.named(name)
    if person is not None and is_admin(directory, person):
        return person
    if person is not None or directory.group(name) is not None:
        raise BadInput(f"the name {name} is taken", fix="choose another")
    return Person(new_id, name)


def _link(control: Control, purpose: LinkPurpose, person: str, digest: Digest, clock: Clock) -> Link:
    return Link(0, purpose, person, digest, control.actor.name, clock.now())


def _says_nothing() -> LinkSaysNothing:
    return LinkSaysNothing(
        "this link was used, has expired, or was replaced by a later one",
        fix="ask an admin of this fleet for another; for the first admin, start the server anew",
    )

"""Signing in and out: who somebody is, shown by a password or by a provider, and believed until the session ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil

from fleetcast.domain.account import Account, PasswordRefused, checked_password, newly_set, readable
from fleetcast.domain.attempts import key_of_address, key_of_name, limits_of, network_of
from fleetcast.domain.audit import Actor, Means, Proof, about_account
from fleetcast.domain.identity import Digest
from fleetcast.domain.people import Denied, Directory, Kind, Person
from fleetcast.domain.session import (
    NOTED_EVERY,
    SESSION_PREFIX,
    SessionEnd,
    SignInSession,
    begun,
    begun_at_provider,
    csrf_fits,
    csrf_of,
)
from fleetcast.domain.shown import Shown, SignInRefused, left_out
from fleetcast.domain.token import NO_SECRET, fits, new_secret, parsed, written
from fleetcast.domain.wording import counted
from fleetcast.ports.clock import Clock
from fleetcast.ports.passwords import Passwords
from fleetcast.ports.platform import Control
from fleetcast.ports.sessions import Known, SignedIn
from fleetcast.workflows.credentials import vouched

Random = Callable[[int], str]
"""URL-safe text of so many random bytes."""


class NotSignedIn(Denied):
    """A name and a password by which nobody signs in, or an identity that belongs to nobody."""


class TooManyAttempts(Denied):
    """Somebody who has to wait before the next attempt, whether the name is anybody's or not."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        seconds = counted(ceil(wait.total_seconds()), "second")
        super().__init__(
            "too many attempts to sign in with this name or from this address",
            fix=f"wait {seconds}, or ask an admin of this fleet for a link to set a new password",
        )


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that just began: the only moment at which its secret is known."""

    session: SignInSession
    actor: Actor
    secret: str
    """What a browser keeps in its cookie; never logged, stored or shown again."""

    def __repr__(self) -> str:
        return f"NewSession({self.session.number})"

    @property
    def csrf(self) -> str:
        """What the forms of this session carry."""
        return csrf_of(self.secret)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Begin a session for somebody who knows the password of an account.

    The answer is the same, and takes as long, for a name that nobody has, somebody without an account or disabled,
    and a wrong password.
    """

    control: Control
    passwords: Passwords
    clock: Clock
    random: Random

    def __call__(self, name: str, password: str, address: str = "") -> NewSession:
        """Sign in.

        Args:
            name: The person's name or an alias, in whatever case.
            password: As it was typed.
            address: The IP address it comes from, as far as known.

        Raises:
            NotSignedIn: They do not go together.
            TooManyAttempts: There were too many; this one was not looked at.
        """
        attempts = self.control.attempts
        if wait := attempts.begin(limits_of(name, address)):
            raise TooManyAttempts(wait)
        known = self.control.accounts.known()
        person = known.directory.named(name)
        account = known.accounts.get(person.id) if person is not None else None
        typed = readable(password)
        right = self.passwords.fits(typed, None if account is None else account.password)
        if not right or not typed or person is None or account is None or not _may_sign_in(person):
            raise self._refused(person, address)
        if not vouched(self.control.audit, about_account(person.id), account.kept):
            raise self._refused(person, address)
        session = self._begin(person, account, address)
        attempts.succeeded(key_of_name(name), key_of_address(address))
        self._rehash(account, typed)
        return session

    def _begin(self, person: Person, account: Account, address: str) -> NewSession:
        proof = Proof(Means.PASSWORD, person.name)

        def still(known: Known, secret: Digest) -> tuple[SignedIn, Person]:
            same = account.same_password(known.accounts.get(person.id))
            now_known = _signing_in(known.directory.person(person.id) if same else None)
            new = begun(known.directory, now_known, proof, secret, self.clock.now())
            return SignedIn(new), now_known

        try:
            return _begin(self.control, still, self.random)
        except NotSignedIn:
            # Disabled, or with another password, since it was looked up.
            raise self._refused(person, address) from None

    def _refused(self, person: Person | None, address: str) -> NotSignedIn:
        self.control.attempts.refused(person, network_of(address))
        return _not_signed_in()

    def _rehash(self, account: Account, typed: str) -> None:
        if self.passwords.outdated(account.password):
            better = replace(account, password=self.passwords.hashed(typed))
            self.control.accounts.rehash(account, better)


@dataclass(frozen=True, slots=True)
class SignInBy:
    """Begin a session for somebody whom a provider has shown, which whoever calls this has checked.

    The roles that the provider gives now take the place of those that it gave before.
    """

    control: Control
    clock: Clock
    random: Random

    def __call__(self, shown: Shown, address: str = "") -> NewSession:
        """Sign in.

        Args:
            shown: What the provider says; its identity is the one that the record of people holds.
            address: The IP address it comes from, as far as known.

        Raises:
            NotSignedIn: It belongs to nobody, to somebody who is disabled, or is no identity of a provider.
            SignInRefused: The provider left out their groups, and without these they have no role.
        """

        def deciding(known: Known, secret: Digest) -> tuple[SignedIn, Person]:
            person = _signing_in(_showing(known.directory, shown.proof))
            directory = known.directory.shown_by_provider(person, shown.roles)
            if shown.groups_left_out and not directory.grants_of(person):
                raise left_out("groups")
            new = begun_at_provider(directory, person, shown, secret, self.clock.now())
            return SignedIn(new, directory.given_by_provider(person)), person

        try:
            return _begin(self.control, deciding, self.random)
        except (NotSignedIn, SignInRefused) as refused:
            directory = self.control.people.directory()
            person = directory.showing(shown.proof)
            if person is not None and isinstance(refused, SignInRefused):
                # Nobody says any more that they have what their groups gave them before.
                self.control.people.revoke(sorted(directory.given_by_provider(person), key=str))
            self.control.attempts.refused(person, network_of(address))
            raise


@dataclass(frozen=True, slots=True)
class BySession:
    """Who acts in a session."""

    actor: Actor
    session: SignInSession
    secret: str
    """Never logged, stored or shown."""

    def __repr__(self) -> str:
        return f"BySession({self.session.number}, {self.actor})"

    @property
    def csrf(self) -> str:
        """What the forms of this session carry."""
        return csrf_of(self.secret)

    def sent(self, csrf: str) -> bool:
        """Whether a form came from a page of this session."""
        return csrf_fits(self.secret, csrf)


@dataclass(frozen=True, slots=True)
class RecogniseSession:
    """Find out who acts in a session, by its secret."""

    control: Control
    clock: Clock

    def __call__(self, secret: str) -> BySession:
        """Look a session up, and note that it was used.

        The answer is the same for one that never was, is over, or whose person has other rights now.

        Raises:
            Denied: It says nothing, or not any more.
        """
        found = _held(self.control, secret)
        if found is None or not vouched(self.control.audit, f"session {found.number}", found.kept):
            raise _session_over()
        now, directory = self.clock.now(), self.control.people.directory()
        person = directory.person(found.person)
        why = found.over(now, directory)
        if why is not None or person is None:
            if found.end is None and why is not None:
                self.control.sessions.end(found.number, why)
            raise _session_over()
        if now - found.used_at >= NOTED_EVERY:
            self.control.sessions.note_use(found.number)
        return BySession(found.actor(person), found, secret)


@dataclass(frozen=True, slots=True)
class SignOut:
    """End a session, by its secret."""

    control: Control
    clock: Clock

    def __call__(self, secret: str) -> None:
        """Sign out; whoever shows the secret of no session has nothing to end."""
        found = _held(self.control, secret)
        if found is not None:
            over = found.over(self.clock.now(), self.control.people.directory())
            self.control.sessions.end(found.number, over or SessionEnd.SIGNED_OUT)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Let somebody who is signed in choose another password; all their sessions end."""

    control: Control
    """In the name of the one whose password it is."""
    passwords: Passwords
    clock: Clock

    def __call__(self, old: str, new: str, address: str = "") -> None:
        """Change it.

        Args:
            old: The present one: a browser that was left open is not enough.
            new: The other one.
            address: The IP address it comes from, as far as known.

        Raises:
            PasswordRefused: Nobody may choose the new one.
            NotSignedIn: The old one is wrong, or there is none.
            TooManyAttempts: There were too many; this one was not looked at.
            Denied: They are not signed in by a password.
        """
        actor, known = self.control.actor, self.control.accounts.known()
        person = known.directory.person(actor.person)
        if person is None or actor.proof is None or actor.proof.means is not Means.PASSWORD:
            raise Denied("only who has signed in with a password changes it", fix="sign in with it first")
        chosen = checked_password(new, person)
        if wait := self.control.attempts.begin(limits_of(person.name, address)):
            raise TooManyAttempts(wait)
        account = known.accounts.get(person.id)
        right = self.passwords.fits(readable(old), None if account is None else account.password)
        if not right or account is None or not _may_sign_in(person):
            self.control.attempts.refused(person, network_of(address))
            raise _not_signed_in()
        self.control.attempts.succeeded(key_of_name(person.name), key_of_address(address))
        if chosen == readable(old):
            raise PasswordRefused("this is the password that you have", fix="choose another")
        hashed = self.passwords.hashed(chosen)
        self.control.accounts.set_password(account, newly_set(person.id, hashed, self.clock.now(), account))


def _begin(
    control: Control,
    who: Callable[[Known, Digest], tuple[SignedIn, Person]],
    random: Random,
) -> NewSession:
    """Begin a session for whom the record shows at that moment; what `who` raises ends it."""
    secret, digest = new_secret(random)
    people: list[Person] = []

    def deciding(known: Known) -> SignedIn:
        signed_in, person = who(known, digest)
        people[:] = [person]
        return signed_in

    session = control.sessions.begin(deciding)
    return NewSession(session, session.actor(people[0]), written(session.number, secret, SESSION_PREFIX))


def _signing_in(person: Person | None) -> Person:
    """Somebody who may sign in.

    Raises:
        NotSignedIn: It is nobody, or they may not.
    """
    if person is None or not _may_sign_in(person):
        raise _not_signed_in()
    return person


def _held(control: Control, secret: str) -> SignInSession | None:
    """The session that a secret opens, ended or not."""
    number, said = parsed(secret, SESSION_PREFIX) or (0, "")
    found = control.sessions.find(number) if number else None
    kept: Digest = NO_SECRET if found is None else found.secret
    return found if fits(said, kept) else None


def _showing(directory: Directory, proof: Proof) -> Person | None:
    return directory.showing(proof) if proof.means is Means.OIDC else None


def _may_sign_in(person: Person) -> bool:
    return person.kind is Kind.HUMAN and not person.disabled


def _not_signed_in() -> NotSignedIn:
    return NotSignedIn(
        "nobody signs in like this", fix="check name and password, or ask an admin of this fleet"
    )


def _session_over() -> Denied:
    return Denied("this session has ended", fix="sign in again")

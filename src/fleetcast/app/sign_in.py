"""The door at which people sign in: opened once by a process that serves them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from fleetcast.app.people import new_person_id, whoami
from fleetcast.domain.audit import Actor
from fleetcast.domain.errors import BadInput
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.app.desk import Desk
    from fleetcast.domain.settings import Settings
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.ports.identity_provider import IdentityProvider
    from fleetcast.ports.passwords import Passwords
    from fleetcast.ports.platform import Control
    from fleetcast.workflows.links import OpenFirstAdminLink, UseLink
    from fleetcast.workflows.sign_in import ChangePassword, RecogniseSession, SignIn, SignInBy, SignOut


@dataclass(frozen=True, slots=True)
class SignInDoor:
    """How somebody becomes an actor whom a process believes; threads may share it.

    What happens before anybody is known is written in the name of the process's own user. Who has signed in then works
    with a desk: `desk.as_(recognised.actor)`.
    """

    control: Control
    """In the name of the process's own user."""
    database: ControlDatabase
    lease: timedelta
    passwords: Passwords
    clock: Clock
    provider: IdentityProvider | None = None
    """At which people may sign in as well."""
    provider_name: str = ""
    """What a page calls it."""

    @property
    def signing_in(self) -> SignIn:
        """With a name and a password."""
        from fleetcast.workflows.sign_in import SignIn

        return SignIn(self.control, self.passwords, self.clock, token_urlsafe)

    @property
    def signing_in_by(self) -> SignInBy:
        """With an identity that a provider has shown."""
        from fleetcast.workflows.sign_in import SignInBy

        return SignInBy(self.control, self.clock, token_urlsafe)

    @property
    def recognising(self) -> RecogniseSession:
        """Who acts in a session."""
        from fleetcast.workflows.sign_in import RecogniseSession

        return RecogniseSession(self.control, self.clock)

    @property
    def signing_out(self) -> SignOut:
        """Ending a session."""
        from fleetcast.workflows.sign_in import SignOut

        return SignOut(self.control, self.clock)

    @property
    def opening_first_admin_link(self) -> OpenFirstAdminLink:
        """The link to print when the process begins, if nobody can look after the fleet by signing in."""
        from fleetcast.workflows.links import OpenFirstAdminLink

        return OpenFirstAdminLink(self.control, self.clock, token_urlsafe)

    @property
    def using_link(self) -> UseLink:
        """Setting a password by a one-time link."""
        from fleetcast.workflows.links import UseLink

        return UseLink(self.control, self.passwords, self.clock, new_person_id)

    def changing_password_of(self, actor: Actor) -> ChangePassword:
        """Another password for somebody who is signed in."""
        from fleetcast.workflows.sign_in import ChangePassword

        return ChangePassword(_control(self.database, actor, self.lease), self.passwords, self.clock)


def open_sign_in(directory: Path, clock: Clock | None = None) -> SignInDoor:
    """Open the door of a fleet; reads `fleetcast.yaml` alone.

    Raises:
        InvalidFleet: `fleetcast.yaml` is missing or has mistakes.
        BadInput: What a server needs is not installed, or another version of fleetcast made the database.
        Unavailable: The database does not answer, or there is too little memory.
    """
    from fleetcast.app.database import open_database_in
    from fleetcast.config.settings_reader import load_settings

    clock = clock or SystemClock()
    settings = load_settings(directory)
    database = open_database_in(directory / settings.platform.state, clock, settings.signing)
    return door_at(database, settings, clock)


def sign_in_at(desk: Desk) -> SignInDoor:
    """The door of a fleet that is open already; errors as of `open_sign_in`."""
    return door_at(desk.database, desk.fleet.settings, desk.clock)


def door_at(database: ControlDatabase, settings: Settings, clock: Clock) -> SignInDoor:
    """The door of a control database that is open already.

    Raises:
        BadInput: What a server needs is not installed, or the provider's client secret is empty.
        Unavailable: There is too little memory.
    """
    try:
        from fleetcast.platforms.passwords.argon2 import Argon2Passwords
    except ModuleNotFoundError as error:
        raise BadInput(
            "passwords need a library that is not installed", fix="pip install 'fleetcast[web]'"
        ) from error
    lease, oidc = settings.platform.lease, settings.sign_in.oidc
    control = _control(database, whoami(), lease)
    if oidc is None:
        return SignInDoor(control, database, lease, Argon2Passwords(), clock)
    from fleetcast.platforms.oidc.opening import open_identity_provider

    provider = open_identity_provider(oidc, os.environ, clock)
    return SignInDoor(control, database, lease, Argon2Passwords(), clock, provider, oidc.shown_name)


def _control(database: ControlDatabase, actor: Actor, lease: timedelta) -> Control:
    from fleetcast.platforms.control.opening import control
    from fleetcast.platforms.database.session import Session

    return control(Session(database, actor), lease)

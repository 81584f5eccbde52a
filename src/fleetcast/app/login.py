"""Signing in from a command line, for the commands that come after."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.kept_logins import logins, place_of
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.login import Login
from fleetcast.domain.people import Denied
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.app.sign_in import SignInDoor
    from fleetcast.domain.canonical import Json
    from fleetcast.workflows.sign_in import NewSession

_SHORTEST_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class CodeToType:
    """What a person does in a browser, wherever that is."""

    page: str
    """Where they go."""
    code: str
    """What they type there."""
    page_with_code: str = ""
    """The same page with the code filled in, where there is one."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is signed in now."""

    name: str
    groups_left_out: bool = False
    """Whether the identity provider left out groups that roles depend on, as they were too many for a token."""


Tell = Callable[[CodeToType], None]


def log_in_with_password(directory: Path, name: str, password: str) -> LoggedIn:
    """Sign in to a fleet on this machine by an account of it.

    Raises:
        NotSignedIn: Name and password do not go together.
        TooManyAttempts: There were too many.
        BadInput: What signing in needs is not installed; and as `open_sign_in`.
    """
    from fleetcast.app.sign_in import open_sign_in

    return _kept_session(directory, open_sign_in(directory).signing_in(name, password))


def log_in_at_provider(directory: Path, tell: Tell) -> LoggedIn:
    """Sign in to a fleet on this machine at its identity provider, in a browser on any machine.

    Args:
        directory: The fleet repository.
        tell: Shows what to do; called once, before this waits.

    Raises:
        BadInput: The fleet declares no provider; and as `open_sign_in`.
        SignInRefused: The person refused or took too long, or the provider has no such sign-in.
        NotSignedIn: The identity is on nobody's record.
        Unavailable: The provider does not answer.
    """
    from fleetcast.app.sign_in import open_sign_in

    door = open_sign_in(directory)
    if door.provider is None:
        raise BadInput(
            "this fleet has no identity provider",
            fix="`fleetcast login NAME` for an account of it, or declare sign_in.oidc in fleetcast.yaml",
        )
    return _kept_session(directory, _shown_at_provider(door, tell))


def log_in_at_server(text: str, tell: Tell, clock: Clock | None = None) -> LoggedIn:
    """Sign in at a server, in a browser: there by a password or at its identity provider, as one usually does.

    Args:
        text: Its address.
        tell: Shows what to do; called once, before this waits.
        clock: Waits.

    Raises:
        BadInput: It is no address of a server.
        Denied: The person refused, or took too long.
        Unavailable: It does not answer.
    """
    from fleetcast.platforms.remote.server import Server, server_url

    clock = clock or SystemClock()
    url = server_url(text)
    server = Server(url, None, clock)
    begun = server.change("/login", {"from": _machine()})
    try:
        code, device = str(begun["user_code"]), str(begun["device_code"])
        interval = timedelta(seconds=float(str(begun["interval_seconds"])))
        ends_at = clock.now() + timedelta(seconds=float(str(begun["expires_in_seconds"])))
    except (LookupError, ValueError, OverflowError) as error:
        raise _strange(url) from error
    tell(CodeToType(f"{url}/login", code))
    while clock.now() < ends_at:
        clock.sleep(max(_SHORTEST_INTERVAL, interval))
        answered = server.change("/login/token", {"device_code": device})
        if answered.get("state") != "pending":
            login = _login(url, answered)
            logins().keep(login)
            return LoggedIn(login.name)
    raise Denied("nobody has agreed in time", fix="`fleetcast login` again")


def log_out(login: Login) -> None:
    """End a login, on this machine and wherever it was believed.

    Raises:
        Unavailable: The server or the database does not answer; here it is forgotten all the same.
    """
    logins().forget(login.place)
    if login.is_at_server:
        from fleetcast.platforms.remote.server import Server

        try:
            Server(login.place, login.secret, SystemClock()).change("/logout", {})
        except Denied:
            return  # it said nothing any more
    else:
        from fleetcast.app.sign_in import open_sign_in

        open_sign_in(Path(login.place)).signing_out(login.secret)


def _shown_at_provider(door: SignInDoor, tell: Tell) -> NewSession:
    assert door.provider is not None  # noqa: S101  # asked before
    attempt = door.provider.begin_device()
    tell(CodeToType(attempt.page, attempt.user_code, attempt.page_with_code))
    shown = door.provider.wait(attempt)
    return door.signing_in_by(shown)


def _login(url: str, answered: Mapping[str, Json]) -> Login:
    name, token = answered.get("name"), answered.get("token")
    if not isinstance(name, str) or not isinstance(token, str):
        raise _strange(url)
    return Login(url, name, token)


def _kept_session(directory: Path, began: NewSession) -> LoggedIn:
    logins().keep(Login(place_of(directory), began.actor.name, began.secret))
    return LoggedIn(began.actor.name, began.session.groups_left_out)


def _machine() -> str:
    return f"uid {os.getuid()} on {os.uname().nodename}"


def _strange(url: str) -> Unavailable:
    return Unavailable(f"{url} does not answer as fleetcast does", fix="see that it is a `fleetcast web`")

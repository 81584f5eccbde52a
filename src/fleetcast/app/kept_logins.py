"""As whom this user has signed in, for which fleet: what commands look up before they act."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.ports.served import URL_VARIABLE

if TYPE_CHECKING:
    from fleetcast.domain.login import Login
    from fleetcast.platforms.files.logins import Logins


def place_of(directory: Path) -> str:
    """What a login to a fleet on this machine is kept under."""
    return str(directory.resolve())


def place_asked(directory: Path, environment: Mapping[str, str]) -> str:
    """What a login is kept under for the fleet that commands ask: a server's address, or a folder here.

    Raises:
        BadInput: The variable is no address of a server.
    """
    text = environment.get(URL_VARIABLE)
    if text is None:
        return place_of(directory)
    from fleetcast.platforms.remote.server import server_url

    return server_url(text)


def kept_secret(place: str) -> str | None:
    """The secret of who has signed in for a fleet; None: nobody has.

    Raises:
        BadInput: What is kept cannot be read, or others could have read it.
        Unavailable: The disk does not answer.
    """
    kept = kept_login(place)
    return None if kept is None else kept.secret


def kept_login(place: str) -> Login | None:
    """As whom somebody has signed in for a fleet; errors as of `kept_secret`."""
    try:
        kept = logins()
    except BadInput:
        return None  # a user without a home has nowhere to keep one
    return kept.find(place)


def logins() -> Logins:
    """The logins of this user.

    Raises:
        BadInput: They have no home to keep any in.
    """
    from fleetcast.platforms.files.logins import Logins
    from fleetcast.platforms.signing.user_state import user_state

    return Logins(user_state(os.environ))

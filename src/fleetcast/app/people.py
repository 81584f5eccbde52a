"""Who acts."""

from __future__ import annotations

import logging
import os
import pwd
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from fleetcast.domain.audit import Actor, Means, Proof, Standing
from fleetcast.domain.errors import BadInput
from fleetcast.domain.people import Denied
from fleetcast.ports.served import URL_VARIABLE

if TYPE_CHECKING:
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.workflows.tokens import ByToken

_log = logging.getLogger("fleetcast.steps")

TOKEN_VARIABLE = "FLEETCAST_TOKEN"  # noqa: S105  # the name of a variable
"""Where a program or a command line says by which token it acts."""


def whoami() -> Actor:
    """The operating system's user: an asserted identity.

    The kernel says which user the process runs as, and the machine's user database what that user is called; no
    variable of the environment is asked, for anybody can set those.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"uid-{number}"
    return Actor(name, Standing.ASSERTED, Proof(Means.SYSTEM_USER, f"uid {number} on {os.uname().nodename}"))


def whoever(database: ControlDatabase, lease: timedelta, directory: Path) -> ByToken:
    """Who acts in this process: the one whose token it was given, else who has signed in, else the machine's user.

    Args:
        database: The control database.
        lease: Of the fleet's settings.
        directory: The fleet repository, for which somebody may have signed in.

    Raises:
        Denied: The token or the login says nothing, or not any more.
        BadInput: The process was told to ask a server, or what is kept of the login cannot be read.
    """
    acts = _whoever(database, lease, directory)
    _log.debug("acts as %s", acts.actor)
    return acts


def _whoever(database: ControlDatabase, lease: timedelta, directory: Path) -> ByToken:
    from fleetcast.app.kept_logins import kept_secret, place_of
    from fleetcast.platforms.control.opening import control
    from fleetcast.platforms.database.session import Session
    from fleetcast.workflows.tokens import ByToken, RecogniseToken

    if URL_VARIABLE in os.environ:
        raise BadInput(
            f"{URL_VARIABLE} names a server, and this is done where the fleet repository is",
            fix=f"unset {URL_VARIABLE} for this command, or do it at the server",
        )
    me = whoami()
    books = control(Session(database, me), lease)
    text = os.environ.get(TOKEN_VARIABLE)
    if text is not None:
        return RecogniseToken(books.people, books.tokens, books.audit, database.clock)(text)
    secret = kept_secret(place_of(directory))
    if secret is None:
        return ByToken(books.people.directory().recognised(me))
    from fleetcast.workflows.sign_in import RecogniseSession

    try:
        return ByToken(RecogniseSession(books, database.clock)(secret).actor)
    except Denied as over:
        raise Denied(
            str(over), fix="`fleetcast login` again, or `fleetcast logout` to act as the machine's user"
        ) from over


def new_person_id() -> str:
    """An id that nobody has, or had."""
    return f"p-{token_hex(8)}"

"""Who acts."""

from __future__ import annotations

import os
import pwd
from datetime import timedelta
from secrets import token_hex
from typing import TYPE_CHECKING

from fleetcast.domain.audit import Actor, Means, Proof, Standing

if TYPE_CHECKING:
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.workflows.tokens import ByToken

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


def whoever(database: ControlDatabase, lease: timedelta) -> ByToken:
    """Who acts in this process: the one whose token it was given, else the operating system's user.

    Raises:
        Denied: The token says nothing, or not any more.
    """
    from fleetcast.platforms.control.opening import control
    from fleetcast.platforms.database.session import Session
    from fleetcast.workflows.tokens import ByToken, RecogniseToken

    me = whoami()
    books = control(Session(database, me), lease)
    text = os.environ.get(TOKEN_VARIABLE)
    if text is None:
        return ByToken(books.people.directory().recognised(me))
    return RecogniseToken(books.people, books.tokens, books.audit, database.clock)(text)


def new_person_id() -> str:
    """An id that nobody has, or had."""
    return f"p-{token_hex(8)}"

"""The mark by which a demo is told from a fleet that matters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.people import whoami
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from fleetcast.platforms.database.control import ControlDatabase


def begin_demo(directory: Path, clock: Clock | None = None) -> bool:
    """Say in the control database of a new fleet, as the first thing that is ever written there, that it is a demo's.

    In a demo, people who are only asserted count where a gate asks for verified ones. Nothing else makes a demo: no
    setting, no variable, and no entry that is written later.

    Returns:
        Whether it is one now; not where the log has begun already.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        Unavailable: The database does not answer.
    """
    from fleetcast.app.database import open_database_in
    from fleetcast.config.settings_reader import load_settings

    settings = load_settings(directory)
    state = directory / settings.platform.state
    return mark_as_demo(open_database_in(state, clock or SystemClock(), settings.signing))


def mark_as_demo(database: ControlDatabase) -> bool:
    """The same for a database that is open.

    Raises:
        Unavailable: The database does not answer.
    """
    from fleetcast.domain import happened
    from fleetcast.platforms.database.session import Session

    session = Session(database, whoami())

    def write(connection: Connection) -> bool:
        if database.end_of_log(connection).number:
            return False
        session.audit(connection, [happened.demo_began()])
        return True

    return session.change(write)

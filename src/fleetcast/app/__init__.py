"""Joins workflows to the platform they run on: the only place that knows both.

A command opens as little as it needs: `open_readings` a table, `open_editing` the circuit files, `open_books` the
control database, and `open_fleet` everything. A process that serves many people opens a `Desk` once.
"""

from fleetcast.app.adoption import open_adoption
from fleetcast.app.asking import Asking, open_asking
from fleetcast.app.books import OpenBooks, open_books
from fleetcast.app.circuits import open_editing
from fleetcast.app.database import (
    DatabaseBackup,
    DatabaseCopy,
    DatabaseRestored,
    DatabaseState,
    accept_loss,
    back_up_database,
    copy_own_database,
    look_at_database,
    open_database,
    open_own_database,
    restore_database,
    upgrade_database,
)
from fleetcast.app.demo import begin_demo
from fleetcast.app.desk import Desk, open_desk, open_dummy, open_fleet
from fleetcast.app.fleet import OpenFleet, state_of
from fleetcast.app.keys import look_at_keys, rotate_key
from fleetcast.app.people import whoami
from fleetcast.app.readings import OpenReadings, OwnReadings, open_own_readings, open_readings
from fleetcast.app.service import Service
from fleetcast.app.serving import OpenServing, open_serving
from fleetcast.app.sign_in import SignInDoor, open_sign_in, sign_in_at
from fleetcast.app.tables import open_own_table, open_table

__all__ = [
    "Asking",
    "DatabaseBackup",
    "DatabaseCopy",
    "DatabaseRestored",
    "DatabaseState",
    "Desk",
    "OpenBooks",
    "OpenFleet",
    "OpenReadings",
    "OpenServing",
    "OwnReadings",
    "Service",
    "SignInDoor",
    "accept_loss",
    "back_up_database",
    "begin_demo",
    "copy_own_database",
    "look_at_database",
    "look_at_keys",
    "open_adoption",
    "open_asking",
    "open_books",
    "open_database",
    "open_desk",
    "open_dummy",
    "open_editing",
    "open_fleet",
    "open_own_database",
    "open_own_readings",
    "open_own_table",
    "open_readings",
    "open_serving",
    "open_sign_in",
    "open_table",
    "restore_database",
    "rotate_key",
    "sign_in_at",
    "state_of",
    "upgrade_database",
    "whoami",
]

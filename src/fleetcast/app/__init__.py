"""Joins workflows to the platform they run on: the only place that knows both.

A command opens as little as it needs: `open_readings` a table, `open_editing` the circuit files, `open_books` the
control database, and `open_fleet` everything. A process that serves many people opens a `Desk` once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetcast.app.adoption import open_adoption
    from fleetcast.app.asking import Asking, open_asking
    from fleetcast.app.books import OpenBooks, open_books
    from fleetcast.app.checking import CheckedRepository, check_repository
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
    from fleetcast.app.desk import Desk, open_desk, open_fleet
    from fleetcast.app.diagnosing import open_diagnosis
    from fleetcast.app.dummy import Dummy, open_dummy
    from fleetcast.app.fleet import OpenFleet, state_of
    from fleetcast.app.keys import look_at_keys, rotate_key
    from fleetcast.app.new_fleet import FleetBegun, begin_fleet
    from fleetcast.app.opening import open_controller, open_platform
    from fleetcast.app.people import whoami
    from fleetcast.app.pull_request import open_pull_request, open_pull_requests
    from fleetcast.app.readings import OpenReadings, OwnReadings, open_own_readings, open_readings
    from fleetcast.app.service import Service
    from fleetcast.app.serving import OpenServing, open_serving
    from fleetcast.app.setting_up import open_azure_devops_set_up, open_azure_set_up, open_github_set_up
    from fleetcast.app.sign_in import SignInDoor, open_sign_in, sign_in_at
    from fleetcast.app.tables import open_own_table, open_table
    from fleetcast.app.telling import OpenTelling, open_telling

__all__ = [
    "Asking",
    "CheckedRepository",
    "DatabaseBackup",
    "DatabaseCopy",
    "DatabaseRestored",
    "DatabaseState",
    "Desk",
    "Dummy",
    "FleetBegun",
    "OpenBooks",
    "OpenFleet",
    "OpenReadings",
    "OpenServing",
    "OpenTelling",
    "OwnReadings",
    "Service",
    "SignInDoor",
    "accept_loss",
    "back_up_database",
    "begin_demo",
    "begin_fleet",
    "check_repository",
    "copy_own_database",
    "look_at_database",
    "look_at_keys",
    "open_adoption",
    "open_asking",
    "open_azure_devops_set_up",
    "open_azure_set_up",
    "open_books",
    "open_controller",
    "open_database",
    "open_desk",
    "open_diagnosis",
    "open_dummy",
    "open_editing",
    "open_fleet",
    "open_github_set_up",
    "open_own_database",
    "open_own_readings",
    "open_own_table",
    "open_platform",
    "open_pull_request",
    "open_pull_requests",
    "open_readings",
    "open_serving",
    "open_sign_in",
    "open_table",
    "open_telling",
    "restore_database",
    "rotate_key",
    "sign_in_at",
    "state_of",
    "upgrade_database",
    "whoami",
]

_WHERE = {
    "open_adoption": "adoption",
    "Asking": "asking",
    "open_asking": "asking",
    "OpenBooks": "books",
    "open_books": "books",
    "CheckedRepository": "checking",
    "check_repository": "checking",
    "open_editing": "circuits",
    "DatabaseBackup": "database",
    "DatabaseCopy": "database",
    "DatabaseRestored": "database",
    "DatabaseState": "database",
    "accept_loss": "database",
    "back_up_database": "database",
    "copy_own_database": "database",
    "look_at_database": "database",
    "open_database": "database",
    "open_own_database": "database",
    "restore_database": "database",
    "upgrade_database": "database",
    "begin_demo": "demo",
    "Desk": "desk",
    "open_desk": "desk",
    "open_diagnosis": "diagnosing",
    "Dummy": "dummy",
    "open_dummy": "dummy",
    "open_fleet": "desk",
    "OpenFleet": "fleet",
    "state_of": "fleet",
    "look_at_keys": "keys",
    "rotate_key": "keys",
    "FleetBegun": "new_fleet",
    "begin_fleet": "new_fleet",
    "open_controller": "opening",
    "open_platform": "opening",
    "whoami": "people",
    "open_pull_request": "pull_request",
    "open_pull_requests": "pull_request",
    "OpenReadings": "readings",
    "OwnReadings": "readings",
    "open_own_readings": "readings",
    "open_readings": "readings",
    "Service": "service",
    "OpenServing": "serving",
    "open_serving": "serving",
    "open_azure_devops_set_up": "setting_up",
    "open_azure_set_up": "setting_up",
    "open_github_set_up": "setting_up",
    "SignInDoor": "sign_in",
    "open_sign_in": "sign_in",
    "sign_in_at": "sign_in",
    "OpenTelling": "telling",
    "open_telling": "telling",
    "open_own_table": "tables",
    "open_table": "tables",
}
"""The module of each: a command waits for no more of them than it asks for."""


def __getattr__(name: str) -> object:
    """Import what is asked for, and remember it."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found

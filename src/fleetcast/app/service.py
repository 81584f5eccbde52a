"""One fleet for a process that serves many people for long: one database, and the repository as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from fleetcast.app.books import OpenBooks
from fleetcast.app.database import open_database_in
from fleetcast.app.desk import Desk, open_desk
from fleetcast.app.people import whoami
from fleetcast.domain.token import digest_of_secret
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fleetcast.app.fleet import OpenFleet
    from fleetcast.app.sign_in import SignInDoor
    from fleetcast.config.settings_reader import SettingsReading
    from fleetcast.domain.identity import Digest
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.workflows.tokens import ByToken

_SETTINGS = "fleetcast.yaml"
_MOST_KNOWN = 10_000
"""Tokens that are remembered."""
Stamp = tuple[tuple[str, int, int], ...]
"""Files with when they were written and how long they are: equal as long as nobody wrote one."""


@dataclass(slots=True)
class _Declared:
    """What the repository declares, read anew once one of its files was written."""

    stamp: Stamp
    settings: SettingsReading


@dataclass(frozen=True, slots=True)
class _Known:
    """Whom a token acts for, by what the audit log had said of people so far."""

    count: int
    until: datetime
    by: ByToken


class Service:
    """A fleet as long as a process serves it. Threads may share it; what it gives is for one request of one person.

    The control database is one for everybody. A commit that comes while the process runs is noticed: files are read
    again once one of them was written. Where they have mistakes then, what needs them says so, and the rest goes on.
    """

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        """Open the control database of a fleet.

        Raises:
            InvalidFleet: `fleetcast.yaml` is missing or has mistakes.
            BadInput: There is no such directory, the platform does not outlive a command, or another version of
                fleetcast made the database.
            Unavailable: The database does not answer.
        """
        from fleetcast.app.platforms import lasting_door

        self.directory = directory
        self.clock = clock or SystemClock()
        self._lock = Lock()
        self._desk: tuple[Stamp, Desk] | None = None
        self._declared = self._read_settings()
        reading = self._declared.settings
        lasting_door(reading.settings.platform.kind, reading.setting("platform", "kind"))
        self.database: ControlDatabase = open_database_in(self._state(), self.clock, reading.settings.signing)
        self._taken = False
        self._known: dict[Digest, _Known] = {}

    def books(self, by: ByToken) -> OpenBooks:
        """Requests, runs, people and the audit log in one person's name; needs `fleetcast.yaml` alone.

        Raises:
            InvalidFleet: `fleetcast.yaml` has mistakes now.
        """
        from fleetcast.app.platforms import Ground, lasting_door
        from fleetcast.platforms.control.opening import control
        from fleetcast.platforms.database.session import Session

        settings = self._settings().settings
        lease = settings.platform.lease
        if not self._taken:
            control(Session(self.database, whoami()), lease).policies.take_first(settings.gates)
            self._taken = True
        session = Session(self.database, by.actor)
        state = self.directory / settings.platform.state
        opening = lasting_door(settings.platform.kind, None)
        ground = Ground(self.directory, state, {}, settings, self.clock)
        return OpenBooks(
            control(session, lease, by.only),
            settings.gates,
            settings.notifications,
            settings.schedules,
            self.clock,
            state,
            lambda: opening.open(ground)(session),
        )

    def fleet(self, by: ByToken) -> OpenFleet:
        """The whole fleet in one person's name, as it is declared now.

        Raises:
            InvalidFleet: The repository has mistakes now; all of them are named.
        """
        with self._lock:
            if self._desk is None or self._desk[0] != self._stamp_of(self._desk[1]):
                begun = self.clock.now().timestamp() * 1e9
                desk = open_desk(self.directory, self.clock, self.database)
                stamp = self._stamp_of(desk)
                while_reading = any(written >= begun for _, written, _ in stamp)
                self._desk = () if while_reading else stamp, desk
            return self._desk[1].as_(by.actor, by.only)

    def recognise(self, token: str) -> ByToken:
        """For whom somebody acts who shows a token.

        Raises:
            Denied: It says nothing, or not any more.
            Unavailable: The database does not answer.
        """
        from fleetcast.platforms.control.opening import control
        from fleetcast.platforms.database.session import Session
        from fleetcast.workflows.tokens import RecogniseToken

        secret, count = digest_of_secret(token), self.database.read(self.database.people.count)
        known = self._known.get(secret)
        if known is not None and known.count == count and self.clock.now() < known.until:
            return known.by
        kept = control(Session(self.database, whoami()), self._declared.settings.settings.platform.lease)
        found = RecogniseToken(kept.people, kept.tokens, kept.audit, self.clock)(token)
        if count is not None and found.until is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[secret] = _Known(count, found.until, found)
        return found

    def sign_in(self) -> SignInDoor:
        """The door at which people sign in, as `fleetcast.yaml` declares it now; opened once by whoever serves it.

        Raises:
            InvalidFleet: `fleetcast.yaml` has mistakes now.
            BadInput: What a server needs is not installed, or the provider's client secret is empty.
            Unavailable: There is too little memory.
        """
        from fleetcast.app.sign_in import door_at

        return door_at(self.database, self._settings().settings, self.clock)

    def check(self) -> None:
        """Ask the control database for an answer.

        Raises:
            Unavailable: It gives none.
        """
        self.database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())

    def _state(self) -> Path:
        return self.directory / self._declared.settings.settings.platform.state

    def _settings(self) -> SettingsReading:
        with self._lock:
            if self._declared.stamp != self._stamp([_SETTINGS]):
                self._declared = self._read_settings()
            return self._declared.settings

    def _read_settings(self) -> _Declared:
        from fleetcast.config.settings_reader import read_settings_file

        stamp = self._stamp([_SETTINGS])
        return _Declared(stamp, read_settings_file(self.directory))

    def _stamp_of(self, desk: Desk) -> Stamp:
        """Of everything that was read, and of the folders where more of it may appear."""
        folders = {str(folder) for file in desk.files for folder in Path(file).parents}
        return self._stamp(sorted({*desk.files, *folders, "config/circuits"} - {"."}))

    def _stamp(self, names: Iterable[str]) -> Stamp:
        return tuple((name, *_written(self.directory / name)) for name in names)


def _written(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size

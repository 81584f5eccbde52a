"""The control database: where a transaction begins, and how a lost connection is outlived."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.audit import GENESIS, Mark
from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.domain.errors import BadInput, FleetcastError, HistoryLost, NotVouched, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Seal, seal_in_words
from fleetcast.platforms.database.backend import Backend, Fate
from fleetcast.platforms.database.marks import first_digest, holds, last_mark, seal_of
from fleetcast.platforms.database.people_memory import PeopleMemory
from fleetcast.ports.checkpoints import Checkpoints
from fleetcast.ports.clock import Clock
from fleetcast.ports.signing import Sealing

PATIENCE = timedelta(minutes=2)
"""How long a program that has reached the database before waits for it to come back."""
FIRST_PATIENCE = timedelta(seconds=5)
"""How long it waits for the first answer."""
_PAUSE = timedelta(milliseconds=200)

T = TypeVar("T")
Work = Callable[[Connection], T]


class ConnectionLost(Unavailable):
    """The database went away before the end; the transaction can be tried again."""


class OutcomeUnknown(Unavailable):
    """The database went away while a change was being committed, and nothing tells whether it was."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"whether the last change to the control database at {address} was kept is not known: {why}"
        )
        self.fix = "run it again: it looks at what is there, and does what is missing"


class ControlDatabase:
    """Runs transactions, for everybody in this process; who acts is the `Session`'s.

    Where the connection is lost, a transaction is tried again from its beginning, so it must have no effect
    outside the database; one that was committed unseen is not repeated. The database's connections are closed
    when nobody holds this object any more.
    """

    def __init__(
        self, backend: Backend, *, clock: Clock, sealing: Sealing, checkpoints: Checkpoints | None = None
    ) -> None:
        self.backend = backend
        weakref.finalize(self, backend.engine.dispose)
        self.clock = clock
        self.sealing = sealing
        self.checkpoints = checkpoints
        """None: nothing is kept of it elsewhere, as of a database that is gone with this process."""
        self.people = PeopleMemory()
        self._vouched = Mark(0, GENESIS)
        self._patience = FIRST_PATIENCE
        self._remembered: Mark | None = None

    @property
    def place(self) -> str:
        """What checkpoints know the database by: its address, wherever this process was started."""
        return self.backend.address if self.backend.shared else str(Path(self.backend.address).resolve())

    def read(self, work: Work[T]) -> T:
        """Run `work` on a consistent view.

        Raises:
            Unavailable: The database does not answer, is locked, or is damaged.
        """

        def once(connection: Connection) -> T:
            self.backend.begin_reading(connection)
            return work(connection)

        return self._patiently(lambda: self._connected(once))

    def change(self, work: Work[T], *, patience: timedelta | None = None) -> T:
        """Run `work` in a transaction that alone may write from its beginning; undone on any error.

        Args:
            work: Is handed the connection.
            patience: How long to wait for a database that is away; None: as usual.

        Raises:
            OutcomeUnknown: The database went away at the very end, and cannot tell what it kept.
            Unavailable: The database is locked, read-only or damaged, or the disk is full; nothing changed.
        """
        return self._patiently(lambda: self._changed(work), patience)

    def remember(self, mark: Mark) -> None:
        """Note that the audit log came this far: nobody in this process goes on where that is not true any more."""
        if self._remembered is None or mark.number > self._remembered.number:
            self._remembered = self._vouched = mark
        if self.backend.witness is not None:
            self.backend.witness.note(mark)

    def checkpoint(self, seal: Seal) -> None:
        """Remember elsewhere how far the log has come, unless what is remembered there is not true any more."""
        if self.checkpoints is None:
            return
        try:
            held = self.checkpoints.latest(self.place)
        except FleetcastError:  # far away: what was written is written, and the next checkpoint covers it
            return

        def first_if_true(connection: Connection) -> Digest | None:
            beginning = first_digest(connection)
            true = held is None or (held.first == beginning and holds(connection, held.seal.mark))
            return beginning if true else None

        first = self.read(first_if_true)
        if first is not None:
            with suppress(FleetcastError):  # the same
                self.checkpoints.put(self.place, Checkpoint(first, seal))

    def accept(self, mark: Mark) -> None:
        """Take this for the end of the history, although more was remembered."""
        if self.checkpoints is not None:
            self.checkpoints.forget(self.place)
        self._remembered = mark
        if self.backend.witness is not None:
            self.backend.witness.put(mark)

    def end_of_log(self, connection: Connection) -> Mark:
        """The last entry of the audit log, after seeing that somebody who is trusted vouches for it.

        Whoever chains another entry to it vouches for all before: what was typed into the table must not gain by that.

        Raises:
            NotVouched: Nobody does.
        """
        mark = last_mark(connection)
        if mark is None:
            return Mark(0, GENESIS)
        if mark != self._vouched:
            if wrong := seal_in_words(self.sealing.verdict(mark, seal_of(connection, mark.number))):
                raise NotVouched(mark.number, wrong)
            self._vouched = mark
        return mark

    def check_remembered(self, connection: Connection) -> None:
        """Make sure that the audit log still holds what this process has written there.

        Raises:
            HistoryLost: It does not.
        """
        mark = self._remembered
        if mark is not None and not holds(connection, mark):
            raise HistoryLost(f"entry {mark.number} of the audit log, which this process has written")

    def _changed(self, work: Work[T]) -> T:
        ticket: str | None = None
        result: T

        def once(connection: Connection) -> T:
            nonlocal ticket, result
            held = self.backend.begin_changing(connection)
            result = work(connection)
            ticket = held
            connection.commit()
            return result

        try:
            return self._connected(once)
        except ConnectionLost:
            if ticket is not None and self._landed(ticket):
                return result
            raise

    def _landed(self, ticket: str) -> bool:
        """Whether a transaction was committed although the connection was lost at its very end."""

        def asked() -> Fate:
            fate = self._connected(lambda connection: self.backend.fate(connection, ticket))
            if fate is Fate.OPEN:
                raise ConnectionLost("it has not ended yet")
            return fate

        try:
            fate = self._patiently(asked)
        except FleetcastError as error:
            raise OutcomeUnknown(self.backend.address, str(error)) from error
        if fate is Fate.UNKNOWN:
            raise OutcomeUnknown(self.backend.address, "the server was started anew in that moment")
        return fate is Fate.COMMITTED

    def _connected(self, work: Work[T]) -> T:
        with self._translated(), self.backend.engine.connect() as connection:
            result = work(connection)
        self._patience = PATIENCE
        return result

    def _patiently(self, attempt: Callable[[], T], patience: timedelta | None = None) -> T:
        waited = timedelta(0)
        pause = _PAUSE
        while True:
            try:
                return attempt()
            except ConnectionLost:
                if waited >= (self._patience if patience is None else patience):
                    raise
            self.clock.sleep(pause)
            waited += pause
            pause = min(2 * pause, 10 * _PAUSE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OverflowError as error:
            raise BadInput(
                "a number is larger than any that the control database numbers things by",
                fix="name one that is listed",
            ) from error
        except sa.exc.DBAPIError as error:
            said = self.backend.explain(error)
            if self.backend.is_lost(error):
                raise ConnectionLost(str(said), fix=said.fix) from error
            raise said from error

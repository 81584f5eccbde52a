"""Leases: who may do what only one may do, for as long as they are alive.

No lease is timed by a clock that somebody sets: on a server it ends by the server's, in a file of one machine by the
machine's clock since its boot. One that no clock here can judge is watched: whoever does not renew it for its length
is dead. Its token rises with every new holder, and every change that a holder makes checks, in the same transaction,
that its token is still the newest: what a process writes that stood still while another took over is refused
(fencing; M. Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult, Row

from fleetcast.domain.errors import FleetcastError, HistoryLost
from fleetcast.domain.lease import Holding, Place, holding
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.backend import Backend
from fleetcast.platforms.database.columns import TORN, amount, whole_number
from fleetcast.platforms.database.control import FIRST_PATIENCE, ControlDatabase
from fleetcast.platforms.database.session import Fence, Session, met
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from fleetcast.stored.form import unreadable

_leases = schema.leases
_LOOK_AGAIN = timedelta(milliseconds=200)
_RENEWALS = 3
"""How often a lease is renewed within its length."""
_LET_GO = 0.0
"""The end of a lease that its holder gave back."""


def place_of_this_process() -> Place:
    """What tells this machine, its boot and its space of process numbers from all others."""
    boot = processes = uptime = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        processes = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  # not a path
        uptime = os.readlink("/proc/self/ns/time")  # noqa: PTH115
    return Place(socket.gethostname().replace(" ", "-"), boot, processes, uptime)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a lease could not be taken."""

    holder: str
    standing: Holding
    sign: tuple[int, float]
    """The holder's last sign of life."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to be the only one who does `name`."""

    session: Session
    name: str
    length: timedelta
    """For how long a holder that shows no sign of life is waited for."""
    place: Callable[[], Place] = place_of_this_process

    @contextmanager
    def held(self, holder: str, timeout: timedelta) -> Iterator[None]:
        """Hold the lease for a `with` block, renewing it from a thread; within, all changes of the session are fenced.

        Raises:
            RunInProgress: Another process holds it and did not let go in time. Where nothing but watching tells
                whether it lives, that takes the length of the lease at most, whatever the timeout.
        """
        token = self._wait_for_it(holder, timeout)
        self.session.fence = Fence(self.name, token)
        over = threading.Event()
        renewing = threading.Thread(target=self._keep_renewing, args=(token, over), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()
            self.session.fence = None
            with suppress(FleetcastError):  # if the database is gone, the lease ends by itself
                self.session.change(
                    lambda connection: self._let_go(connection, token), patience=FIRST_PATIENCE
                )

    def _wait_for_it(self, holder: str, timeout: timedelta) -> int:
        waited = unchanged = timedelta(0)
        seen: _Refused | None = None
        while True:
            silent = seen if unchanged >= self.length else None
            taken = self.session.change(partial(self._take, holder=holder, silent=silent))
            if isinstance(taken, int):
                return taken
            watching = taken.standing is Holding.UNKNOWN and (seen is None or seen.sign == taken.sign)
            if waited >= timeout and not watching:
                raise RunInProgress(taken.holder)
            pause = _LOOK_AGAIN if watching else min(_LOOK_AGAIN, timeout - waited)
            self.session.clock.sleep(pause)
            waited += pause
            unchanged = unchanged + pause if watching else timedelta(0)
            seen = taken

    def _take(self, connection: Connection, holder: str, silent: _Refused | None) -> int | _Refused:
        """The new token; or who holds the lease.

        Args:
            connection: In a transaction that alone may write.
            holder: Who wants it.
            silent: How it stood for so long that its holder is dead, if nothing changed; None: nobody knows yet.
        """
        backend, here = self.session.database.backend, self.place()
        now = backend.now(connection)
        row = connection.execute(sa.select(_leases).where(_leases.c.name == self.name)).first()
        if row is not None:
            _check(row)
            found = _Refused(row.holder, _standing(row, here, backend, now), (row.token, row.expires_at))
            dead = silent is not None and silent.sign == found.sign and found.standing is Holding.UNKNOWN
            if found.standing is not Holding.FREE and not dead:
                return found
        values = {
            "token": row.token + 1 if row else 1,
            "holder": holder,
            "machine": str(here),
            "process": _process(os.getpid()),
            "expires_at": now + self.length.total_seconds(),
        }
        if row is None:
            connection.execute(sa.insert(_leases).values(name=self.name, **values))
        else:
            taking = sa.update(_leases).where(_leases.c.name == self.name).values(**values)
            met(connection.execute(taking), 1, f"the lease {self.name}")
        return int(values["token"])

    def _keep_renewing(self, token: int, over: threading.Event) -> None:
        """Until the work is over, or somebody else has the lease: then the next change says so."""
        pause = self.length.total_seconds() / _RENEWALS
        while not over.wait(pause):
            try:
                self.session.change(lambda connection: self._renew(connection, token), patience=timedelta(0))
            except (RunTakenOver, HistoryLost):
                return
            except (
                FleetcastError
            ):  # the database is away or busy: the next renewal, or the next change, will see
                continue

    def _renew(self, connection: Connection, token: int) -> None:
        expires_at = self.session.database.backend.now(connection) + self.length.total_seconds()
        met(self._update(connection, token, expires_at), 1, f"the lease {self.name}")

    def _let_go(self, connection: Connection, token: int) -> None:
        self._update(connection, token, _LET_GO)  # where somebody else has it by now, nothing is left to do

    def _update(self, connection: Connection, token: int, expires_at: float) -> CursorResult[Any]:
        ours = (_leases.c.name == self.name, _leases.c.token == token)
        return connection.execute(sa.update(_leases).where(*ours).values(expires_at=expires_at))


def _check(row: Row[Any]) -> None:
    """Refuse a lease that was changed outside fleetcast or torn."""
    number = row.process.partition(" ")[0] if isinstance(row.process, str) else ""
    try:
        whole_number(row.token)
        amount(row.expires_at)
        whole_number(int(number))
    except TORN as error:
        raise unreadable(f"leases {row.name}") from error


def holders(database: ControlDatabase) -> dict[str, str]:
    """Who holds which lease at this moment, or may do so."""

    def work(connection: Connection) -> dict[str, str]:
        now, here = database.backend.now(connection), place_of_this_process()
        return {
            row.name: row.holder
            for row in connection.execute(sa.select(_leases))
            if _standing(row, here, database.backend, now) is not Holding.FREE
        }

    return database.read(work)


def _standing(row: Row[Any], here: Place, backend: Backend, now: float) -> Holding:
    there = Place.read(row.machine)
    return holding(
        timedelta(seconds=row.expires_at - now),
        there=there,
        here=here,
        reach=backend.reach,
        ended=_ended(row.process) if here.sees(there) else None,
        let_go=row.expires_at == _LET_GO,
    )


def _process(number: int) -> str:
    """A process's number, with its beginning where the system tells, as numbers are used again; empty if it ended."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return str(number)
    state, begun = fields[0], fields[19]
    return "" if state == "Z" else f"{number} {begun}"


def _ended(process: str) -> bool:
    """Whether a process of this machine is gone."""
    return _process(int(process.partition(" ")[0])) != process

"""Leases: who may do what only one may do, for as long as they are alive.

A lease ends by the database's clock, never by a machine's. Its token rises with every new holder, and every change
that a holder makes checks, in the same transaction, that its token is still the newest: what a process writes
that stood still while another took over is refused (fencing; M. Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from fleetcast.domain.errors import FleetcastError
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, amount, whole_number
from fleetcast.platforms.database.control import FIRST_PATIENCE, ControlDatabase
from fleetcast.platforms.database.session import Fence, Session
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from fleetcast.stored.form import unreadable

_leases = schema.leases
_LOOK_AGAIN = timedelta(milliseconds=200)
_RENEWALS = 3
"""How often a lease is renewed within its length."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to be the only one who does `name`."""

    session: Session
    name: str
    length: timedelta
    """For how long a holder that shows no sign of life is waited for."""

    @contextmanager
    def held(self, holder: str, timeout: timedelta) -> Iterator[None]:
        """Hold the lease for a `with` block, renewing it from a thread; within, all changes of the session are fenced.

        Raises:
            RunInProgress: Another process holds it and did not let go in time.
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
        waited = timedelta(0)
        while True:
            taken = self.session.change(lambda connection: self._take(connection, holder))
            if isinstance(taken, int):
                return taken
            if waited >= timeout:
                raise RunInProgress(taken)
            pause = min(_LOOK_AGAIN, timeout - waited)
            self.session.clock.sleep(pause)
            waited += pause

    def _take(self, connection: Connection, holder: str) -> int | str:
        """The new token; or who holds the lease."""
        now = self._now(connection)
        row = connection.execute(sa.select(_leases).where(_leases.c.name == self.name)).first()
        if row is not None:
            _check(row)
        machine, process = _machine(), _process(os.getpid())
        if row is not None and row.expires_at > now and not (row.machine == machine and _ended(row.process)):
            return str(row.holder)
        values = {
            "token": row.token + 1 if row else 1,
            "holder": holder,
            "machine": machine,
            "process": process,
            "expires_at": now + self.length.total_seconds(),
        }
        if row is None:
            connection.execute(sa.insert(_leases).values(name=self.name, **values))
        else:
            connection.execute(sa.update(_leases).where(_leases.c.name == self.name).values(**values))
        return int(values["token"])

    def _keep_renewing(self, token: int, over: threading.Event) -> None:
        """Until the work is over, or somebody else has the lease: then the next change says so."""
        pause = self.length.total_seconds() / _RENEWALS
        while not over.wait(pause):
            try:
                self.session.change(lambda connection: self._renew(connection, token), patience=timedelta(0))
            except RunTakenOver:
                return
            except (
                FleetcastError
            ):  # the database is away or busy: the next renewal, or the next change, will see
                continue

    def _renew(self, connection: Connection, token: int) -> bool:
        expires_at = self._now(connection) + self.length.total_seconds()
        return self._update(connection, token, expires_at)

    def _let_go(self, connection: Connection, token: int) -> bool:
        return self._update(connection, token, 0.0)

    def _update(self, connection: Connection, token: int, expires_at: float) -> bool:
        ours = (_leases.c.name == self.name, _leases.c.token == token)
        return connection.execute(sa.update(_leases).where(*ours).values(expires_at=expires_at)).rowcount == 1

    def _now(self, connection: Connection) -> float:
        return float(connection.execute(sa.select(self.session.database.backend.now())).scalar_one())


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
    """Who holds which lease at this moment."""

    def work(connection: Connection) -> dict[str, str]:
        alive = sa.select(_leases.c.name, _leases.c.holder).where(
            _leases.c.expires_at > database.backend.now()
        )
        return {row.name: row.holder for row in connection.execute(alive)}

    return database.read(work)


def _machine() -> str:
    """What tells this machine, its boot and its space of process numbers from all others."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115  # not a path
    return " ".join(parts)


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

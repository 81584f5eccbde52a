"""Runs in the control database, and the lock that lets one process at a time run stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.run import Run, RunState
from fleetcast.pipeline.stored import RUN
from fleetcast.platforms.local import schema
from fleetcast.platforms.local.database import ControlDatabase
from fleetcast.ports.runs import RunInProgress

_runs = schema.runs


class LocalRunBook:
    """Keeps runs. The lock is the operating system's, so a killed process gives it up at once."""

    def __init__(self, database: ControlDatabase, lock: Path) -> None:
        self._database = database
        self._lock = lock

    @contextmanager
    def exclusive(self, holder: str, timeout: timedelta) -> Iterator[None]:
        """Be the only one who runs stages on this fleet."""
        lock = FileLock(self._lock, timeout=timeout.total_seconds())
        note = self._lock.with_suffix(".holder")
        try:
            lock.acquire()
        except Timeout:
            raise RunInProgress(_read(note) or "unknown process") from None
        except OSError as error:
            raise Unavailable(
                f"cannot lock {self._lock}: {error}", fix="make the state directory writable"
            ) from error
        try:
            with suppress(
                OSError
            ):  # only for those who are kept waiting; a full disk shows itself where it matters
                note.write_text(holder)
            yield
        finally:
            with suppress(OSError):
                note.unlink(missing_ok=True)
            lock.release()

    def begin(self, fleet: Digest, commit: str) -> Run:
        """Open a new run; runs that could have been continued are superseded by it."""
        with self._database.changing() as connection:
            for row in connection.execute(sa.select(_runs)).all():
                old = RUN.from_json(row.content)
                if old.state.can_continue:
                    self._write(connection, row.number, replace(old, state=RunState.SUPERSEDED))
            number = (
                int(
                    connection.execute(
                        sa.select(sa.func.coalesce(sa.func.max(_runs.c.number), 0))
                    ).scalar_one()
                )
                + 1
            )
            now, by = self._database.clock.now(), self._database.actor.name
            run = Run(f"run-{number:04d}", fleet, commit, by, now)
            connection.execute(
                sa.insert(_runs).values(number=number, state=run.state.value, content=RUN.to_json(run))
            )
        return run

    def save(self, run: Run) -> None:
        """Write a run back, with its stages."""
        with self._database.changing() as connection:
            self._write(connection, _number(run.id), run)

    def find(self, run_id: str) -> Run:
        """One run."""
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(_runs.c.content).where(_runs.c.number == _number(run_id))
            ).first()
        if row is None:
            raise BadInput(f"there is no run {run_id}", fix="see `fleetcast runs list`")
        return RUN.from_json(row.content)

    def listed(self) -> Sequence[Run]:
        """All runs, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(_runs.c.content).order_by(_runs.c.number.desc())).all()
        return [RUN.from_json(row.content) for row in rows]

    def _write(self, connection: sa.Connection, number: int, run: Run) -> None:
        connection.execute(
            sa.update(_runs)
            .where(_runs.c.number == number)
            .values(state=run.state.value, content=RUN.to_json(run))
        )


def _read(note: Path) -> str:
    """Who holds the lock; empty where they could not say, or have just let go."""
    try:
        return note.read_text()
    except OSError:
        return ""


def _number(run_id: str) -> int:
    text = run_id.removeprefix("run-")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadInput(f"{run_id!r} is not a run", fix="write it as `fleetcast runs list` shows it: run-0001")
    return int(text)

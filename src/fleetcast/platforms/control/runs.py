"""Runs in the control database, and the lease that lets one process at a time run stages."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.audit import about_job
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.run import Run, RunState
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.leases import Lease, holders
from fleetcast.platforms.database.session import Kept, Session, changes, chunks, met, reads
from fleetcast.stored.runs import RUN

_runs = schema.runs
_ALWAYS_TOLD = (RunState.FAILED, RunState.STILL_RUNNING)


class ControlRunBook(Kept):
    """Keeps runs, and the lease on running stages."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = Lease(session, "stages", lease)

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who runs stages on this fleet."""
        return self._lease.held(holder, timeout)

    def at_work(self) -> str | None:
        """Who runs stages on this fleet at this moment."""
        return holders(self.session.database).get(self._lease.name)

    @changes
    def begin(self, connection: Connection, fleet: Digest, commit: str) -> Run:
        """Open a new run; runs that could have been continued are superseded by it."""
        open_ones = _runs.c.state.in_([state.value for state in RunState if state.can_continue])
        for row in connection.execute(sa.select(_runs).where(open_ones)).all():
            old = _run(row.number, row.content)
            self._write(connection, row.number, replace(old, state=RunState.SUPERSEDED))
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_runs.c.number), 0))).scalar_one()
        number = int(last) + 1
        now, by = self.session.clock.now(), self.session.actor.name
        run = Run(f"run-{number:04d}", fleet, commit, by, now)
        connection.execute(
            sa.insert(_runs).values(number=number, state=run.state.value, content=RUN.to_json(run))
        )
        return run

    @changes
    def save(self, connection: Connection, run: Run) -> None:
        """Write a run back, with its stages."""
        number = _number(run.id)
        held = connection.execute(sa.select(_runs.c.content).where(_runs.c.number == number)).scalar()
        self._write(connection, number, run)
        before = None if held is None else _run(number, held).ended_at
        if run.ended_at in (None, before):
            return
        if run.state in _ALWAYS_TOLD or _trained(connection, run):
            self.session.audit(connection, [happened.run_ended(run)])

    @changes
    def note_training(self, connection: Connection, run: Run, jobs: int) -> None:
        """Note that a run asked for jobs."""
        self.session.audit(connection, [happened.training_began(run, jobs)])

    @changes
    def note_failed(self, connection: Connection, jobs: Sequence[TrainingJob]) -> None:
        """Note that jobs failed for good."""
        about = {about_job(job.id): job for job in jobs}
        for some in chunks(list(about)):
            query = sa.select(schema.audit.c.about).where(schema.audit.c.about.in_(some))
            for noted in connection.execute(query).scalars().all():
                about.pop(noted, None)
        self.session.audit(connection, [happened.job_failed(job) for job in about.values()])

    @reads
    def find(self, connection: Connection, run_id: str) -> Run:
        """One run."""
        row = connection.execute(
            sa.select(_runs.c.number, _runs.c.content).where(_runs.c.number == _number(run_id))
        ).first()
        if row is None:
            raise BadInput(f"there is no run {run_id}", fix="see `fleetcast runs list`")
        return _run(row.number, row.content)

    @reads
    def latest(self, connection: Connection) -> Run | None:
        """The newest run."""
        query = sa.select(_runs.c.number, _runs.c.content).order_by(_runs.c.number.desc()).limit(1)
        row = connection.execute(query).first()
        return None if row is None else _run(row.number, row.content)

    @reads
    def page(self, connection: Connection, *, before: int | None, count: int) -> Sequence[Run]:
        """The newest so many runs, or those before the one of this number."""
        query = sa.select(_runs.c.number, _runs.c.content)
        if before is not None:
            query = query.where(_runs.c.number < before)
        rows = connection.execute(query.order_by(_runs.c.number.desc()).limit(count))
        return [_run(row.number, row.content) for row in rows]

    @reads
    def listed(self, connection: Connection) -> Sequence[Run]:
        """All runs, newest first."""
        rows = connection.execute(
            sa.select(_runs.c.number, _runs.c.content).order_by(_runs.c.number.desc())
        ).all()
        return [_run(row.number, row.content) for row in rows]

    def _write(self, connection: Connection, number: int, run: Run) -> None:
        result = connection.execute(
            sa.update(_runs)
            .where(_runs.c.number == number)
            .values(state=run.state.value, content=RUN.to_json(run))
        )
        met(result, 1, run.id)


def _trained(connection: Connection, run: Run) -> bool:
    query = sa.select(schema.audit.c.number).where(schema.audit.c.about == run.id).limit(1)
    return connection.execute(query).first() is not None


def _run(number: int, content: str) -> Run:
    return RUN.from_json(content, f"runs {number}")


def _number(run_id: str) -> int:
    text = run_id.removeprefix("run-")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadInput(f"{run_id!r} is not a run", fix="write it as `fleetcast runs list` shows it: run-0001")
    return int(text)

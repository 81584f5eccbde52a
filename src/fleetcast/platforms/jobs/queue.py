"""Training jobs in the control database: submitted once, found again after a crash, whatever runs them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobState, TrainingJob
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, amount, last_position
from fleetcast.platforms.database.session import Kept, Session, changes, chunks, met, reads
from fleetcast.ports.jobs import JobUnknown
from fleetcast.stored.form import RESTORE, unreadable
from fleetcast.stored.jobs import COMPONENT, TRAINING_JOB

_jobs = schema.jobs


class JobQueue(Kept):
    """How every job stands; the half of a `JobService` that is the same on each platform."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._components: dict[str, TrainingComponent] = {}

    @changes
    def insert(
        self, connection: Connection, jobs: Sequence[TrainingJob], component: TrainingComponent
    ) -> Sequence[TrainingJob]:
        """Write jobs down, all or none; gives those that were not known."""
        known: set[str] = set()
        for some in chunks([job.id for job in jobs]):
            known |= set(connection.execute(sa.select(_jobs.c.id).where(_jobs.c.id.in_(some))).scalars())
        new = [job for job in jobs if job.id not in known]
        if not new:
            return new
        table = schema.components_run
        digest = component.digest.hex
        if connection.execute(sa.select(table.c.digest).where(table.c.digest == digest)).first() is None:
            connection.execute(sa.insert(table).values(digest=digest, content=COMPONENT.to_json(component)))
        last = last_position(connection, _jobs, _jobs.c.id)
        connection.execute(
            sa.insert(_jobs), [_row(job) | {"position": last + i} for i, job in enumerate(new, start=1)]
        )
        return new

    @reads
    def jobs_for(
        self, connection: Connection, hashes: Collection[Digest]
    ) -> Mapping[Digest, Sequence[TrainingJob]]:
        """All attempts at these training hashes, first attempt first."""
        found: defaultdict[Digest, list[TrainingJob]] = defaultdict(list)
        for some in chunks([digest.hex for digest in hashes]):
            query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.training_hash.in_(some))
            for row in connection.execute(query.order_by(_jobs.c.position)):
                job = _job(row.id, row.content)
                found[job.task.training_hash].append(job)
        return dict(found)

    def failing(self, hashes: Collection[Digest]) -> Mapping[Digest, Sequence[TrainingJob]]:
        """All attempts at those of the training hashes at which one failed."""
        failed = self._failed_at()
        wanted = [digest for digest in hashes if digest.hex in failed] if failed else []
        return self.jobs_for(wanted) if wanted else {}

    @reads
    def _failed_at(self, connection: Connection) -> frozenset[str]:
        query = sa.select(_jobs.c.training_hash).where(_jobs.c.state == JobState.FAILED.value).distinct()
        return frozenset(connection.execute(query).scalars())

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        """End the unfinished jobs at other training hashes."""
        now = self.session.clock.now()
        left = [job.abandoned(now) for job in self.unfinished() if job.task.training_hash not in wanted]
        if left:
            self.update(left)
        return left

    def void(self, lost: Mapping[str, str]) -> None:
        """Let completed jobs count as failed."""
        completed = [job for job in self.named(list(lost)) if job.state is JobState.COMPLETED] if lost else []
        if completed:
            now = self.session.clock.now()
            self.update([job.voided(lost[job.id], now) for job in completed])

    def give_up(self, ids: Collection[str]) -> None:
        """Let completed jobs count as abandoned."""
        completed = [job for job in self.named(list(ids)) if job.state is JobState.COMPLETED] if ids else []
        if completed:
            now = self.session.clock.now()
            self.update([job.given_up(now) for job in completed])

    @reads
    def unfinished(self, connection: Connection) -> list[TrainingJob]:
        """Jobs that have not ended, in the order in which they were submitted."""
        ended = [state.value for state in JobState if state.final]
        query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.state.not_in(ended))
        found = [_job(row.id, row.content) for row in connection.execute(query.order_by(_jobs.c.position))]
        return [job for job in found if not job.state.final]

    @reads
    def named(self, connection: Connection, names: Sequence[str]) -> list[TrainingJob]:
        """Some jobs by their ids; one that is not known is left out."""
        found = []
        for some in chunks(names):
            query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.id.in_(some))
            found += [_job(row.id, row.content) for row in connection.execute(query)]
        return found

    def check_known(self, job_id: str) -> None:
        """Make sure that a job is on record; raises `JobUnknown`."""
        if not self.named([job_id]):
            raise JobUnknown(job_id)

    @reads
    def median_seconds(self, connection: Connection) -> Mapping[str, float]:
        """How long completed jobs took, by model family; of the latest few hundred."""
        query = (
            sa.select(_jobs.c.id, _jobs.c.family, _jobs.c.seconds)
            .where(_jobs.c.state == JobState.COMPLETED.value, _jobs.c.seconds.is_not(None))
            .order_by(_jobs.c.position.desc())
            .limit(500)
        )
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for row in connection.execute(query):
            try:
                seconds[row.family].append(amount(row.seconds))
            except TORN as error:
                raise unreadable(f"jobs {row.id}") from error
        return {family: statistics.median(values) for family, values in seconds.items()}

    def component(self, digest: Digest) -> TrainingComponent:
        """What a job is run by.

        Raises:
            BadInput: It is not on record any more.
        """
        if digest.hex not in self._components:
            self._components[digest.hex] = self._find_component(digest)
        return self._components[digest.hex]

    @reads
    def _find_component(self, connection: Connection, digest: Digest) -> TrainingComponent:
        table = schema.components_run
        row = connection.execute(sa.select(table.c.content).where(table.c.digest == digest.hex)).first()
        if row is None:
            raise BadInput(f"components_run {digest.hex} is not there any more", fix=RESTORE)
        return COMPONENT.from_json(row.content, f"components_run {digest.hex}")

    @changes
    def update(self, connection: Connection, jobs: Sequence[TrainingJob]) -> None:
        """Write down how jobs stand now."""
        new: dict[str, object] = {
            name: sa.bindparam(f"new_{name}") for name in ("state", "seconds", "content")
        }
        result = connection.execute(
            sa.update(_jobs).where(_jobs.c.id == sa.bindparam("job_id")).values(new),
            [
                {
                    "job_id": job.id,
                    "new_state": job.state.value,
                    "new_seconds": job.seconds,
                    "new_content": TRAINING_JOB.to_json(job),
                }
                for job in jobs
            ],
        )
        met(
            result,
            len(jobs),
            f"all of the jobs {jobs[0].id} … {jobs[-1].id}" if len(jobs) > 1 else f"the job {jobs[0].id}",
        )


def _row(job: TrainingJob) -> dict[str, object]:
    return {
        "id": job.id,
        "training_hash": job.task.training_hash.hex,
        "state": job.state.value,
        "family": job.task.family,
        "seconds": job.seconds,
        "component": job.component_digest.hex,
        "content": TRAINING_JOB.to_json(job),
    }


def _job(key: str, content: str) -> TrainingJob:
    return TRAINING_JOB.from_json(content, f"jobs {key}")

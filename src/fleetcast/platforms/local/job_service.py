"""Training jobs in the control database, worked on by whichever process waits for them."""

from __future__ import annotations

import statistics
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobOutcome, JobState, TrainingJob
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, Session, changes, chunks, met, reads
from fleetcast.platforms.local.stores import Stores
from fleetcast.stored.form import RESTORE
from fleetcast.stored.jobs import COMPONENT, FIT_TASK, JOB_OUTCOME, TRAINING_JOB

if TYPE_CHECKING:
    from fleetcast.platforms.local.pool import WorkerPool
    from fleetcast.platforms.local.worker import Work, WorkDone

_jobs = schema.jobs


class LocalJobService(Kept):
    """Runs jobs in a pool of worker processes.

    Queued jobs are durable; the computing happens inside `wait`, in the process that holds the fleet's lock. A
    job is complete once its outcome file exists: a crash before that repeats the job, a crash after it does not.
    The workers, and what they train with, are loaded when the first job runs: most commands only ask.
    """

    def __init__(
        self,
        session: Session,
        folder: Path,
        stores: Stores,
        *,
        workers: int,
        max_parallel: int,
    ) -> None:
        super().__init__(session)
        self._folder = folder
        self._stores = stores
        self._frozen = stores.frozen()
        self._max_parallel = max_parallel
        self._workers = workers
        self._started_pool: WorkerPool | None = None
        self._queue: deque[TrainingJob] = deque()
        self._asked: frozenset[Digest] = frozenset()
        self._running: dict[str, TrainingJob] = {}
        self._components: dict[str, TrainingComponent] = {}

    def check(self, component: TrainingComponent) -> None:
        """Make sure that the component's steps can run on this machine."""
        from fleetcast.pipeline.steps import check_steps

        check_steps(component)

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        """Queue jobs, all or none; a job whose id is known is left as it is."""
        new = self._insert(jobs, component)
        self._queue.extend(job for job in new if job.task.training_hash in self._asked)

    @changes
    def _insert(
        self, connection: Connection, jobs: Sequence[TrainingJob], component: TrainingComponent
    ) -> Sequence[TrainingJob]:
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
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(_jobs.c.position), 0))).scalar_one()
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

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        """Let jobs at these hashes go on until some of them changed or the time is over."""
        asked = frozenset(hashes)
        if asked != self._asked:
            self._load_queue(asked)
        started, ended = self._dispatch()
        for done in self._pool.finished(timeout.total_seconds()) if self._pool.busy and not ended else ():
            ended.append(self._ended(self._running.pop(done.job_id), done))
        more_started, more_ended = self._dispatch()
        ended += more_ended
        self._record([*started, *more_started], ended)
        return ended

    @reads
    def median_seconds(self, connection: Connection) -> Mapping[str, float]:
        """How long completed jobs took, by model family; of the latest few hundred."""
        query = (
            sa.select(_jobs.c.family, _jobs.c.seconds)
            .where(_jobs.c.state == JobState.COMPLETED.value, _jobs.c.seconds.is_not(None))
            .order_by(_jobs.c.position.desc())
            .limit(500)
        )
        seconds: defaultdict[str, list[float]] = defaultdict(list)
        for row in connection.execute(query):
            seconds[row.family].append(row.seconds)
        return {family: statistics.median(values) for family, values in seconds.items()}

    def close(self) -> None:
        """End the workers; unfinished jobs stay queued."""
        if self._started_pool is not None:
            self._started_pool.close()
        self._queue.clear()
        self._asked = frozenset()
        self._running.clear()

    def log(self, job_id: str) -> Path:
        """Where a job's log is."""
        return self._folder / job_id / "log.txt"

    @property
    def _pool(self) -> WorkerPool:
        if self._started_pool is None:
            from fleetcast.platforms.local.pool import WorkerPool

            self._started_pool = WorkerPool(self._workers)
        return self._started_pool

    def _dispatch(self) -> tuple[list[TrainingJob], list[TrainingJob]]:
        """Start jobs while workers are free; give those started, and those found complete already."""
        queue = self._queue
        started: list[TrainingJob] = []
        ended: list[TrainingJob] = []
        batches = {job.batch for job in self._running.values()}
        while queue and self._pool.free:
            if queue[0].batch not in batches and len(batches) >= self._max_parallel:
                break
            # Whatever cannot be read leaves its job in the queue.
            job = queue[0].started(self.session.clock.now())
            outcome = self._earlier_outcome(job)
            if outcome is not None:
                queue.popleft()
                ended.append(job.completed(outcome, self.session.clock.now()))
                continue
            self._pool.start(self._work(job))
            queue.popleft()
            batches.add(job.batch)
            self._running[job.id] = job
            started.append(job)
        return started, ended

    @reads
    def _load_queue(self, connection: Connection, asked: frozenset[Digest]) -> None:
        """Queue the unfinished jobs that are asked for; others stay in the database."""
        unfinished = (JobState.QUEUED.value, JobState.RUNNING.value)
        query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.state.in_(unfinished))
        found = [_job(row.id, row.content) for row in connection.execute(query.order_by(_jobs.c.position))]
        self._queue = deque(
            job for job in found if job.task.training_hash in asked and job.id not in self._running
        )
        self._asked = asked

    def _earlier_outcome(self, job: TrainingJob) -> JobOutcome | None:
        from fleetcast.platforms.local.worker import outcome_file

        path = outcome_file(self._folder / job.id)
        return JOB_OUTCOME.from_json(path.read_bytes(), str(path)) if path.is_file() else None

    def _work(self, job: TrainingJob) -> Work:
        from fleetcast.pipeline.steps import JobFiles
        from fleetcast.platforms.local.worker import Work

        component = self._component(job.component_digest)
        folder = self._folder / job.id
        files = JobFiles(
            folder.resolve(), (folder / "task.json").resolve(), self._frozen.file(job.fingerprint).resolve()
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files.task.write_text(FIT_TASK.to_json(job.task))
        except OSError as error:
            raise Unavailable(
                f"cannot write {files.task}: {error}", fix="check the disk's space and rights"
            ) from error
        return Work(job.id, files, component, self._stores, component.timeout.total_seconds())

    def _component(self, digest: Digest) -> TrainingComponent:
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

    def _ended(self, job: TrainingJob, done: WorkDone) -> TrainingJob:
        now = self.session.clock.now()
        return job.completed(done.outcome, now) if done.outcome else job.failed(done.error, now)

    def _record(self, started: Sequence[TrainingJob], ended: Sequence[TrainingJob]) -> None:
        over = {job.id for job in ended}
        changed = [*(job for job in started if job.id not in over), *ended]
        if changed:
            self._update(changed)

    @changes
    def _update(self, connection: Connection, jobs: Sequence[TrainingJob]) -> None:
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

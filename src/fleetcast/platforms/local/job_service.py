"""Training jobs in the control database, worked on by whichever process waits for them."""

from __future__ import annotations

import os
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
from fleetcast.platforms.database.columns import TORN, amount, last_position
from fleetcast.platforms.database.session import Kept, Session, changes, chunks, met, reads
from fleetcast.platforms.files.torn import set_aside, whole_file
from fleetcast.platforms.local.stores import Stores
from fleetcast.stored.durable import make_folder, write_in_one_move
from fleetcast.stored.form import RESTORE, Unreadable, unreadable
from fleetcast.stored.jobs import COMPONENT, FIT_TASK, JOB_OUTCOME, TRAINING_JOB

if TYPE_CHECKING:
    from fleetcast.pipeline.steps import JobFiles
    from fleetcast.platforms.local.pool import WorkerPool
    from fleetcast.platforms.local.worker import Work, WorkDone

_jobs = schema.jobs


class LocalJobService(Kept):
    """Runs jobs in a pool of worker processes.

    Queued jobs are durable; the computing happens inside `wait`, in the process that holds the fleet's lock. A
    job is complete once its outcome file exists: a crash before that repeats the job, a crash after it does not.
    A torn outcome is set aside, and the job repeated.
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
        self._torn: list[str] = []

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

    def set_aside(self) -> Sequence[str]:
        """The torn files that were set aside since this was last asked."""
        told, self._torn = self._torn, []
        return told

    def abandon(self, wanted: Collection[Digest]) -> Sequence[TrainingJob]:
        """End the unfinished jobs at other training hashes."""
        now = self.session.clock.now()
        left = [job.abandoned(now) for job in self._unfinished() if job.task.training_hash not in wanted]
        if left:
            self._update(left)
        return left

    def void(self, lost: Mapping[str, str]) -> None:
        """Let completed jobs count as failed."""
        completed = (
            [job for job in self._named(list(lost)) if job.state is JobState.COMPLETED] if lost else []
        )
        if completed:
            now = self.session.clock.now()
            self._update([job.voided(lost[job.id], now) for job in completed])

    @reads
    def _unfinished(self, connection: Connection) -> list[TrainingJob]:
        return _unfinished(connection)

    @reads
    def _named(self, connection: Connection, names: Sequence[str]) -> list[TrainingJob]:
        found = []
        for some in chunks(names):
            query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.id.in_(some))
            found += [_job(row.id, row.content) for row in connection.execute(query)]
        return found

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
        self._queue = deque(
            job
            for job in _unfinished(connection)
            if job.task.training_hash in asked and job.id not in self._running
        )
        self._asked = asked

    def _earlier_outcome(self, job: TrainingJob) -> JobOutcome | None:
        from fleetcast.platforms.local.worker import outcome_file

        path = outcome_file(self._folder / job.id)
        if not os.path.lexists(path):
            return None
        try:
            return JOB_OUTCOME.from_json(whole_file(path), str(path))
        except Unreadable as error:
            aside = set_aside(path)
            self._torn.append(f"{error}; it is kept as {aside.name}, and {job.id} is done again")
            return None

    def _work(self, job: TrainingJob) -> Work:
        from fleetcast.pipeline.steps import JobFiles
        from fleetcast.platforms.local.worker import Work

        component = self._component(job.component_digest)
        folder = self._folder / job.id
        files = JobFiles(
            folder.resolve(), (folder / "task.json").resolve(), self._frozen.file(job.fingerprint).resolve()
        )
        try:
            self._make_way(files)
            make_folder(self._folder)
            # Its name is synced by the worker, with the outcome: meanwhile another job runs there, not here.
            folder.mkdir(exist_ok=True)
            write_in_one_move(files.task, FIT_TASK.to_json(job.task).encode())
        except OSError as error:
            raise Unavailable(
                f"cannot write {files.task}: {error}", fix="check the disk's space and rights"
            ) from error
        return Work(job.id, files, component, self._stores, component.timeout.total_seconds())

    def _make_way(self, files: JobFiles) -> None:
        """Set aside what stands where a job's folder and files belong and is of another kind."""
        places = [(files.folder, files.folder.is_dir())]
        places += [(path, path.is_file()) for path in (files.task, files.log)]
        for path, fits in places:
            if os.path.lexists(path) and not fits:
                self._torn.append(f"{path} was in the way; it is kept as {set_aside(path).name}")

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


def _unfinished(connection: Connection) -> list[TrainingJob]:
    """In the order in which they were submitted."""
    ended = [state.value for state in JobState if state.final]
    query = sa.select(_jobs.c.id, _jobs.c.content).where(_jobs.c.state.not_in(ended))
    found = [_job(row.id, row.content) for row in connection.execute(query.order_by(_jobs.c.position))]
    return [job for job in found if not job.state.final]


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

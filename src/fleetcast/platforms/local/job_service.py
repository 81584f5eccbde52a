"""Training jobs in the control database, worked on by whichever process waits for them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import JobOutcome, JobPage, TrainingJob
from fleetcast.domain.retention import KeptLog
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.files.job_log import LOG_FILE, kept_logs, log_text, logs_in, remove_log
from fleetcast.platforms.files.torn import set_aside, whole_file
from fleetcast.platforms.jobs.queue import JobQueue
from fleetcast.platforms.stores import Stores
from fleetcast.stored.durable import make_folder, write_in_one_move
from fleetcast.stored.form import Unreadable
from fleetcast.stored.jobs import FIT_TASK, JOB_OUTCOME

if TYPE_CHECKING:
    from fleetcast.pipeline.steps import JobFiles
    from fleetcast.platforms.jobs.pool import WorkerPool
    from fleetcast.platforms.jobs.worker import Work, WorkDone


class LocalJobService(JobQueue):
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
        self._torn: list[str] = []

    def check(self, component: TrainingComponent) -> None:
        """Make sure that the component's steps can run on this machine."""
        from fleetcast.pipeline.steps import check_steps

        check_steps(component)

    def submit(self, jobs: Sequence[TrainingJob], component: TrainingComponent) -> None:
        """Queue jobs, all or none; a job whose id is known is left as it is."""
        new = self.insert(jobs, component)
        self._queue.extend(job for job in new if job.task.training_hash in self._asked)

    def wait(self, hashes: Collection[Digest], timeout: timedelta) -> Sequence[TrainingJob]:
        """Let jobs at these hashes go on until some of them changed or the time is over."""
        asked = frozenset(hashes)
        if asked != self._asked:
            self._queue = deque(
                job
                for job in self.unfinished()
                if job.task.training_hash in asked and job.id not in self._running
            )
            self._asked = asked
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

    def close(self) -> None:
        """End the workers; unfinished jobs stay queued."""
        if self._started_pool is not None:
            self._started_pool.close()
        self._queue.clear()
        self._asked = frozenset()
        self._running.clear()

    def log(self, job_id: str) -> str | None:
        """What a job said."""
        self.check_known(job_id)
        return log_text(self._folder / job_id / LOG_FILE)

    def kept_logs(self) -> Sequence[KeptLog]:
        """What jobs said, in their folders."""
        return kept_logs(self._folder, self.named(list(logs_in(self._folder))))

    def remove_logs(self, ids: Collection[str]) -> None:
        """Remove what jobs said."""
        for job in self.named(list(ids)):
            remove_log(self._folder / job.id / LOG_FILE)

    def pages(self, run: str) -> Sequence[JobPage]:  # noqa: ARG002
        """None: jobs of this machine have no pages."""
        return ()

    @property
    def _pool(self) -> WorkerPool:
        if self._started_pool is None:
            from fleetcast.platforms.jobs.pool import WorkerPool

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

    def _earlier_outcome(self, job: TrainingJob) -> JobOutcome | None:
        from fleetcast.platforms.jobs.worker import outcome_file

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
        from fleetcast.platforms.jobs.worker import Work

        component = self.component(job.component_digest)
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

    def _ended(self, job: TrainingJob, done: WorkDone) -> TrainingJob:
        now = self.session.clock.now()
        return job.completed(done.outcome, now) if done.outcome else job.failed(done.error, now)

    def _record(self, started: Sequence[TrainingJob], ended: Sequence[TrainingJob]) -> None:
        over = {job.id for job in ended}
        changed = [*(job for job in started if job.id not in over), *ended]
        if changed:
            self.update(changed)

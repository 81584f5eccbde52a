"""A batch of jobs where a platform has started a container for them: folders in, folders out."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.job import JobBatch, TrainingJob
from fleetcast.domain.location import Location
from fleetcast.pipeline.steps import JobFiles, check_steps
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.platforms.jobs.pool import WorkerPool
from fleetcast.platforms.jobs.worker import Work, WorkDone
from fleetcast.platforms.stores import Stores
from fleetcast.stored.durable import write_durably
from fleetcast.stored.jobs import FIT_TASK, JOB_BATCH

BATCH_FILE = "batch.json"
ERROR_FILE = "error.txt"
"""Beside the log of a job that failed: why."""


@dataclass(frozen=True, slots=True)
class BatchFolders:
    """What a container is handed."""

    batch: Path
    """Holds `batch.json`."""
    rows: Path
    """Frozen rows, as `FrozenRows` lays them out."""
    output: Path
    """Gets `artifacts/`, as an object store lays them out, and `jobs/ID/` with an outcome or an error, and a log."""


def job_folder(job_id: str) -> str:
    """Where a job's outcome, error and log are, below the output."""
    return f"jobs/{job_id}"


def run_batch(folders: BatchFolders, workers: int) -> Iterator[tuple[TrainingJob, WorkDone]]:
    """Run every job of a batch, and give each as it ends; one that fails stops no other.

    Raises:
        BadInput: There is no batch that can be read, or a step's command is not in this container.
        Unavailable: The disk refuses.
    """
    batch = _read(folders.batch / BATCH_FILE)
    check_steps(batch.component)
    with tempfile.TemporaryDirectory(prefix="fleetcast-batch-") as scratch:
        stores = Stores(Path(scratch), Location(f"file://{folders.output.resolve()}"))
        pool, waiting = WorkerPool(workers), deque(batch.jobs)
        running: dict[str, TrainingJob] = {}
        try:
            while waiting or running:
                while waiting and pool.free:
                    job = waiting.popleft()
                    pool.start(_work(job, batch, folders, stores))
                    running[job.id] = job
                for done in pool.finished(batch.component.timeout.total_seconds()):
                    if done.error:
                        _write(folders.output / job_folder(done.job_id) / ERROR_FILE, done.error)
                    yield running.pop(done.job_id), done
        finally:
            pool.close()


def _work(job: TrainingJob, batch: JobBatch, folders: BatchFolders, stores: Stores) -> Work:
    folder = folders.output.resolve() / job_folder(job.id)
    files = JobFiles(
        folder, folder / "task.json", FileFrozenRows(folders.rows.resolve()).file(job.fingerprint)
    )
    _write(files.task, FIT_TASK.to_json(job.task))
    return Work(job.id, files, batch.component, stores, batch.component.timeout.total_seconds())


def _read(path: Path) -> JobBatch:
    try:
        return JOB_BATCH.from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise BadInput(
            f"cannot read {path}: {os.strerror(error.errno or 0)}", fix="give the folder of a batch"
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text.encode())
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error}", fix="check the disk's space and rights") from error

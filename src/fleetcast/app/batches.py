"""Running a batch of jobs where a platform has started a container for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def running_batch(batch: Path, rows: Path, output: Path, workers: int | None) -> Iterator[tuple[str, str]]:
    """Run every job of a batch; gives each one's id as it ends, and why it failed, or nothing.

    Args:
        batch: Folder with `batch.json`.
        rows: Frozen rows.
        output: Folder for models, outcomes and logs.
        workers: Jobs at the same time; None: as many as there are cores.

    Raises:
        FleetcastError: The batch cannot be read, a step's command is not here, or the disk refuses.
    """
    from fleetcast.platforms.cores import cores
    from fleetcast.platforms.jobs.batch import BatchFolders, run_batch

    for job, done in run_batch(BatchFolders(batch, rows, output), workers or cores()):
        yield job.id, done.error

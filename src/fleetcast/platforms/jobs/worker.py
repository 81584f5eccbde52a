"""What a worker process does: run jobs one after another until told to stop, or until its parent is gone."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.foreseen import foreseen
from fleetcast.domain.job import JobOutcome
from fleetcast.domain.secrets import without_secrets
from fleetcast.pipeline.ended import no_memory
from fleetcast.pipeline.fit import outcome_of
from fleetcast.pipeline.steps import JobFiles, run_steps
from fleetcast.platforms.stores import Stores
from fleetcast.stored.durable import sync, write_durably
from fleetcast.stored.jobs import JOB_OUTCOME


@dataclass(frozen=True, slots=True)
class Work:
    """One job, as a worker needs it."""

    job_id: str
    files: JobFiles
    component: TrainingComponent
    stores: Stores
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class WorkDone:
    """How a job ended: with an outcome, or with an error."""

    job_id: str
    outcome: JobOutcome | None = None
    error: str = ""


def outcome_file(folder: Path) -> Path:
    """Where a job's outcome is written; there once the job is complete, and never in part."""
    return folder / "outcome.json"


def work_until_told(pipe: Connection, environment: Mapping[str, str]) -> None:
    """Serve jobs from a pipe. Runs as the main function of a worker process.

    Args:
        pipe: Jobs come in, and how they ended goes out.
        environment: Of the process that started this one; that of the fork server may be older.
    """
    os.environ.clear()
    os.environ.update(environment)
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            work: Work = pipe.recv()
            pipe.send(_do(work))
        except (EOFError, OSError):  # the parent is gone, perhaps in the middle of a message
            return


def _do(work: Work) -> WorkDone:
    try:
        run_steps(work.component, work.files)
        outcome = outcome_of(work.files.model, work.stores.artifacts())
        write_durably(outcome_file(work.files.folder), JOB_OUTCOME.to_json(outcome).encode())
        sync(work.files.folder.parent)
    except FleetcastError as error:
        return WorkDone(work.job_id, error=f"{error}" + (f" ({error.fix})" if error.fix else ""))
    except MemoryError as error:
        return WorkDone(work.job_id, error=f"it {no_memory(error)}")
    except Exception as error:  # noqa: BLE001  # whatever a model does, its siblings go on; the log has the whole story
        with suppress(OSError), work.files.log.open("a", encoding="utf-8") as log:  # the disk may be full
            log.write(without_secrets(traceback.format_exc()))
        known = foreseen(error)
        said = f"{type(error).__name__}: {error}" if known is None else f"{known} ({known.fix})"
        return WorkDone(work.job_id, error=without_secrets(said))
    return WorkDone(work.job_id, outcome=outcome)


def _die_with_parent() -> None:
    """Take this worker, and whatever command it started, along when the parent process is killed."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)

"""What a job said, as a file in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.retention import KeptLog

LOG_FILE = "log.txt"
"""Its name in the job's folder."""


def log_text(path: Path) -> str | None:
    """What is written there so far; None if there is no file.

    Raises:
        Unavailable: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unavailable(
            f"cannot read {path}: {error.strerror}", fix="check the disk and its rights"
        ) from error


def logs_in(folder: Path) -> dict[str, int]:
    """The bytes of what jobs said, by the job's id; each in the job's folder below this one.

    Raises:
        Unavailable: The folder cannot be read.
    """
    found = {}
    try:
        for job in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError, NotADirectoryError):
                found[job.name] = (job / LOG_FILE).lstat().st_size
    except OSError as error:
        raise Unavailable(
            f"cannot read {folder}: {error.strerror}", fix="check the disk and its rights"
        ) from error
    return found


def remove_log(path: Path) -> None:
    """Remove what a job said, if it is kept.

    Raises:
        Unavailable: The disk refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise Unavailable(
            f"cannot remove {path}: {error.strerror}", fix="check the disk and its rights"
        ) from error


def kept_logs(folder: Path, jobs: Iterable[TrainingJob]) -> list[KeptLog]:
    """What jobs said that are on record, with when they ended; what belongs to no job is nobody's to judge."""
    sizes = logs_in(folder)
    return [
        KeptLog(job.id, job.ended_at if job.state.final else None, sizes[job.id])
        for job in jobs
        if job.id in sizes
    ]

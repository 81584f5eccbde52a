"""What a job said, as a file in its folder."""

from __future__ import annotations

from pathlib import Path

from fleetcast.domain.errors import Unavailable

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

"""What scheduled commands printed, as files: a folder for each duty, a file for each due instant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.retention import KeptLog

_NAME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{4}")


@dataclass(frozen=True, slots=True)
class PrintedFiles:
    """Files below a folder; whatever else lies there is nobody's business."""

    folder: Path

    def kept(self) -> Sequence[KeptLog]:
        """See `Printed`."""
        found = []
        try:
            for file in sorted(self.folder.glob("*/*.log")):
                due = _due(file.stem)
                if due is not None and file.is_file() and not file.is_symlink():
                    found.append(KeptLog(f"{file.parent.name}/{file.stem}", due, file.stat().st_size))
        except OSError as error:
            raise self._refused(error) from error
        return found

    def remove(self, names: Collection[str]) -> None:
        """See `Printed`."""
        try:
            for log in self.kept():
                if log.job in names:
                    (self.folder / f"{log.job}.log").unlink(missing_ok=True)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"what schedules printed below {self.folder} cannot be cleaned up: {error.strerror}",
            fix="check the disk, and who may write there",
        )


def _due(name: str) -> datetime | None:
    if _NAME.fullmatch(name):
        with suppress(ValueError):
            return datetime.strptime(name, "%Y-%m-%dT%H%M").replace(tzinfo=UTC)
    return None

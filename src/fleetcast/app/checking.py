"""Looking a fleet repository through before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fleetcast.config.check_pipelines import CommandComplaint, check_pipelines
from fleetcast.config.complaints import Complaints
from fleetcast.config.reader import load_fleet, read_fleet
from fleetcast.config.version_bumps import check_bumps
from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.fleet import Fleet
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.config.not_used_yet import UnusedSetting


@dataclass(frozen=True, slots=True)
class CheckedRepository:
    """A fleet repository without mistakes."""

    fleet: Fleet
    unused: tuple[UnusedSetting, ...]
    """What the settings write and nothing uses yet."""
    pipelines: int
    """How many pipelines of CI there are that run fleetcast."""


def check_repository(
    directory: Path, base: str | None, command: CommandComplaint, clock: Clock | None = None
) -> CheckedRepository:
    """Check everything that a fleet repository declares, and its pipelines.

    Args:
        directory: The fleet repository.
        base: A commit since which versions must have been bumped where content changed; None: nobody asks.
        command: Judges the words of a fleetcast command.
        clock: Tells the time.

    Raises:
        InvalidFleet: With every mistake that was found.
        BadInput: There is no such directory or commit.
    """
    now = (clock or SystemClock()).now()
    complaints = Complaints()
    reading = None
    try:
        reading = read_fleet(directory, now=now)
    except InvalidFleet as invalid:
        for one in invalid.complaints:
            complaints.add(one.file, one.line, one.what, one.fix)
    pipelines = check_pipelines(directory, complaints, command)
    if reading is not None and base is not None:
        from fleetcast.platforms.git.repository import export

        with TemporaryDirectory(prefix="fleetcast-") as folder:
            export(directory, base, Path(folder))
            before = _as_it_was(Path(folder), now=now)
        if before is not None:
            check_bumps(directory, before, reading.fleet, base, complaints)
    complaints.raise_any()
    assert reading is not None  # noqa: S101  # its mistakes would have ended this
    return CheckedRepository(reading.fleet, reading.unused, pipelines)


def _as_it_was(directory: Path, *, now: datetime) -> Fleet | None:
    """The fleet of an earlier commit; None where it had mistakes then: they are nobody's any more."""
    try:
        return load_fleet(directory, now=now)
    except InvalidFleet:
        return None

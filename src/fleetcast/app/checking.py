"""Looking a fleet repository through before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fleetcast.config.check_pipelines import CommandComplaint, check_pipelines
from fleetcast.config.complaints import Complaints
from fleetcast.config.reader import FleetReading, load_fleet, read_fleet
from fleetcast.config.version_bumps import check_bumps
from fleetcast.domain.errors import Complaint, InvalidFleet
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.since import differences
from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.config.layers import Origin
    from fleetcast.config.not_used_yet import UnusedSetting
    from fleetcast.workflows.check_data import DataFinding


class DataAsked(Enum):
    """Whether readings are looked at."""

    NO = "no"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class CheckedData:
    """What was found of the data of circuits that can be trained on it."""

    circuits: int
    """How many were looked at."""
    notes: tuple[Complaint, ...]
    """What they are trained in spite of, at the lines that decide it."""


@dataclass(frozen=True, slots=True)
class CheckedRepository:
    """A fleet repository without mistakes."""

    fleet: Fleet
    unused: tuple[UnusedSetting, ...]
    """What the settings write and nothing uses yet."""
    pipelines: int
    """How many pipelines of CI there are that run fleetcast."""
    data: CheckedData | None
    """None: nobody asked about data."""


def check_repository(
    directory: Path,
    base: str | None,
    command: CommandComplaint,
    data: DataAsked = DataAsked.NO,
    clock: Clock | None = None,
) -> CheckedRepository:
    """Check everything that a fleet repository declares, and its pipelines.

    Args:
        directory: The fleet repository.
        base: A commit since which versions must have been bumped where content changed; None: nobody asks.
        command: Judges the words of a fleetcast command.
        data: Whether to read what circuits are to be trained on: those that differ from `base`, else all. It is read
            only where the repository has no other mistakes.
        clock: Tells the time.

    Raises:
        InvalidFleet: With every mistake that was found.
        BadInput: There is no such directory or commit.
        Unavailable: A table of readings cannot be reached.
    """
    now = (clock or SystemClock()).now()
    complaints = Complaints()
    reading, before = None, None
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
    checked = None
    if data is DataAsked.YES:
        checked = _check_data(directory, before, reading, complaints)
        complaints.raise_any()
    return CheckedRepository(reading.fleet, reading.unused, pipelines, checked)


def _check_data(
    directory: Path, before: Fleet | None, reading: FleetReading, complaints: Complaints
) -> CheckedData:
    """Check the data of the circuits that are declared otherwise than before; of all where nothing is known of it."""
    from fleetcast.app.tables import DeclaredTables
    from fleetcast.platforms.cores import cores
    from fleetcast.workflows.check_data import CheckData

    fleet = reading.fleet
    circuits = fleet.circuits
    if before is not None:
        touched = {difference.key for difference in differences(before, fleet)}
        circuits = tuple(circuit for circuit in circuits if circuit.key in touched)
    found = CheckData(DeclaredTables(directory, fleet.settings), cores())(circuits)
    for one in found.blocked:
        place = _place(reading, one)
        complaints.add(place.file, place.line, one.says, one.fix)
    notes = Complaints()
    for one in found.notes:
        place = _place(reading, one)
        notes.add(place.file, place.line, one.says, one.fix)
    return CheckedData(found.circuits, notes.found)


def _place(reading: FleetReading, finding: DataFinding) -> Origin:
    """Where the setting is written that a finding is about; the window has two spellings."""
    from fleetcast.workflows.check_data import Concern

    if finding.concern is Concern.WINDOW:
        spelt = reading.stated(finding.key, "training_window")
        if spelt is not None:
            return spelt
    return reading.origin(finding.key, finding.concern.value)


def _as_it_was(directory: Path, *, now: datetime) -> Fleet | None:
    """The fleet of an earlier commit; None where it had mistakes then: they are nobody's any more."""
    try:
        return load_fleet(directory, now=now)
    except InvalidFleet:
        return None

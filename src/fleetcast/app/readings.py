"""What people do with the readings of one data source; no platform is opened for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.tables import open_own_table, open_table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fleetcast.ports.readings import ReadingsTable, TableVersion, WritableReadingsTable
    from fleetcast.workflows.ingest import Ingest
    from fleetcast.workflows.inspect_data import CheckQuality, ShowData
    from fleetcast.workflows.simulate import Simulate


@dataclass(frozen=True, slots=True)
class OpenReadings:
    """The table of one data source, whoever keeps it: to be looked at."""

    table: ReadingsTable

    @property
    def holdings(self) -> ShowData:
        """Which circuits have readings."""
        from fleetcast.workflows.inspect_data import ShowData

        return ShowData(self.table)

    @property
    def quality(self) -> CheckQuality:
        """Measuring the readings."""
        from fleetcast.workflows.inspect_data import CheckQuality

        return CheckQuality(self.table)

    def versions(self) -> Sequence[TableVersion]:
        """The versions of the table, newest first."""
        return self.table.versions()


@dataclass(frozen=True, slots=True)
class OwnReadings:
    """A table that fleetcast keeps itself: to be added to."""

    table: WritableReadingsTable
    directory: Path
    """The fleet repository."""

    @property
    def ingesting(self) -> Ingest:
        """Storing files of readings."""
        from fleetcast.platforms.files.readings_file import LocalReadingsFiles
        from fleetcast.workflows.ingest import Ingest

        return Ingest(LocalReadingsFiles(), self.table, self._declared)

    @property
    def simulating(self) -> Simulate:
        """Making readings up."""
        from fleetcast.workflows.simulate import Simulate

        return Simulate(self.table)

    def _declared(self) -> Collection[str]:
        """The sensors of all circuits; none where the fleet has mistakes, which `validate` names."""
        from datetime import UTC, datetime

        from fleetcast.config.reader import load_fleet
        from fleetcast.domain.errors import InvalidFleet

        try:
            fleet = load_fleet(self.directory, now=datetime.now(UTC))
        except InvalidFleet:
            return ()
        return {name for circuit in fleet.circuits for name in circuit.features}


def open_readings(directory: Path, source: str | None = None) -> OpenReadings:
    """The readings of a fleet; arguments and errors as of `open_table`."""
    return OpenReadings(open_table(directory, source))


def open_own_readings(directory: Path, source: str | None = None) -> OwnReadings:
    """The readings that fleetcast keeps itself; arguments and errors as of `open_own_table`."""
    return OwnReadings(open_own_table(directory, source), directory)

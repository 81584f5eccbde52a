"""Joins workflows to the platform they run on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetcast.ports.readings import ReadingsTable
    from fleetcast.workflows.ingest import Ingest


def open_table(directory: Path, source: str | None = None) -> ReadingsTable:
    """The readings table of a fleet.

    Args:
        directory: The fleet repository.
        source: Where the table lies, relative to the fleet; None: the one that fleetcast keeps itself.
    """
    from fleetcast.platforms.delta.table import DeltaReadingsTable

    return DeltaReadingsTable(directory / (source or ".fleetcast/readings"))


def open_ingest(directory: Path, source: str | None = None) -> Ingest:
    """Ingesting into the readings table of a fleet; arguments as in `open_table`."""
    from fleetcast.platforms.files.readings_file import LocalReadingsFiles
    from fleetcast.workflows.ingest import Ingest

    return Ingest(LocalReadingsFiles(), open_table(directory, source))

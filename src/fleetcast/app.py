"""Joins workflows to the platform they run on."""

from __future__ import annotations

from pathlib import Path

from fleetcast.ports.readings import ReadingsTable


def open_table(directory: Path, source: str | None = None) -> ReadingsTable:
    """The readings table of a fleet.

    Args:
        directory: The fleet repository.
        source: Where the table lies, relative to the fleet; None: the one that fleetcast keeps itself.
    """
    from fleetcast.platforms.delta.table import DeltaReadingsTable

    return DeltaReadingsTable(directory / (source or ".fleetcast/readings"))

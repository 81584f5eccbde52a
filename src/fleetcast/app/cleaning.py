"""Opening what retention removes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.app.tables import own_table
from fleetcast.domain.settings import OwnTable

if TYPE_CHECKING:
    from fleetcast.domain.settings import Settings
    from fleetcast.ports.readings import WritableReadingsTable


def own_tables(directory: Path, settings: Settings) -> Mapping[str, WritableReadingsTable]:
    """The tables of readings that the fleet keeps itself, by data source."""
    return {
        name: own_table(directory, source, settings.platform)
        for name, source in settings.data_sources.items()
        if isinstance(source, OwnTable)
    }

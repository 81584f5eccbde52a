"""Tables of readings: which data source is meant, and where its table is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import ExternalTable, OwnTable
from fleetcast.stored.durable import make_private_folder

if TYPE_CHECKING:
    from fleetcast.domain.settings import DataSource, PlatformSettings, Settings
    from fleetcast.ports.readings import ReadingsTable, WritableReadingsTable

_log = logging.getLogger("fleetcast.steps")


class DeclaredTables(Mapping[str, "ReadingsTable"]):
    """The tables of all data sources by name, each opened when it is first asked for."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self._opened: dict[str, ReadingsTable] = {}

    def __getitem__(self, name: str) -> ReadingsTable:
        if name not in self._opened:
            source = self._settings.data_sources[name]
            _log.debug("table of readings: %s", name)
            self._opened[name] = _table_at(self._directory, source, self._settings.platform)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings.data_sources)

    def __len__(self) -> int:
        return len(self._settings.data_sources)


def open_table(directory: Path, source: str | None = None) -> ReadingsTable:
    """The readings table of a fleet; outside of a fleet repository, the one it would have.

    Args:
        directory: The fleet repository.
        source: Name of the data source; None: the only one.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        BadInput: There is no such data source, or several and none is named.
    """
    from fleetcast.config.settings_reader import load_settings

    settings = load_settings(directory)
    return _table_at(directory, _chosen(settings.data_sources, source), settings.platform)


def open_own_table(directory: Path, source: str | None = None) -> WritableReadingsTable:
    """The table that fleetcast keeps itself; without a name the only one of that kind.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        BadInput: There is no such data source, or somebody else keeps it.
    """
    from fleetcast.config.settings_reader import load_settings

    settings = load_settings(directory)
    return own_table(directory, own_source(settings, source), settings.platform)


def own_source(settings: Settings, source: str | None = None) -> OwnTable:
    """The data source that fleetcast keeps itself; without a name the only one of that kind.

    Raises:
        BadInput: There is no such data source, or somebody else keeps it.
    """
    sources = settings.data_sources
    own = {name: held for name, held in sources.items() if isinstance(held, OwnTable)}
    chosen = _chosen(sources if source or not own else own, source)
    if not isinstance(chosen, OwnTable):
        raise BadInput(
            f"data source {chosen.name!r} is a table of somebody else's, which fleetcast only reads",
            fix="have its owner store the readings, or declare a data source with `kind: own` for yours",
        )
    return chosen


def _chosen(sources: Mapping[str, DataSource], source: str | None) -> DataSource:
    known = ", ".join(sources)
    if source is None and len(sources) > 1:
        raise BadInput("the fleet has several data sources", fix=f"choose one with --source: {known}")
    name = source or next(iter(sources))
    if name not in sources:
        raise BadInput(f"the fleet has no data source {name!r}", fix=f"it has {known}")
    return sources[name]


def _table_at(directory: Path, source: DataSource, settings: PlatformSettings) -> ReadingsTable:
    """The table of a data source, whoever keeps it."""
    match source:
        case ExternalTable():
            return _external_table(directory, source)
        case OwnTable():
            return _own_table_at(directory, source, settings)


def _external_table(directory: Path, source: ExternalTable) -> ReadingsTable:
    from fleetcast.domain.location import Location
    from fleetcast.platforms.delta.external import ExternalReadingsTable

    if "://" not in source.address:
        return ExternalReadingsTable(directory / source.address, source.mapping)
    from fleetcast.platforms.objects.store import delta_options

    location = Location(source.address)
    return ExternalReadingsTable(location.folder or location.uri, source.mapping, delta_options(location))


def own_table(directory: Path, source: OwnTable, settings: PlatformSettings) -> WritableReadingsTable:
    """An own table, to be written to."""
    if settings.storage is None and source.path.is_relative_to(settings.state):
        with suppress(OSError):  # who then cannot write there is told by the table
            make_private_folder(directory / settings.state)
    return _own_table_at(directory, source, settings)


def _own_table_at(directory: Path, source: OwnTable, settings: PlatformSettings) -> WritableReadingsTable:
    """An own table; one inside the state directory is in the storage, where there is one. Makes nothing."""
    from fleetcast.platforms.delta.table import DeltaReadingsTable

    if settings.storage is not None and source.path.is_relative_to(settings.state):
        from fleetcast.platforms.objects.store import delta_options

        location = settings.storage / str(source.path.relative_to(settings.state))
        return DeltaReadingsTable(location.folder or location.uri, delta_options(location))

    return DeltaReadingsTable(directory / source.path)

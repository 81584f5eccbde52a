"""Joins workflows to the platform they run on: the only place that knows both."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.config.reader import load_fleet, load_settings, read_fleet
from fleetcast.domain.audit import Actor
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.settings import DATABASE_URL_VARIABLE, ForeignTable, OwnTable, PlatformKind
from fleetcast.ports.clock import Clock, SystemClock
from fleetcast.ports.platform import Platform

if TYPE_CHECKING:
    from fleetcast.domain.revision import Revision
    from fleetcast.domain.settings import DataSource, PlatformSettings
    from fleetcast.platforms.database.backend import Backend
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.ports.model_sources import ModelSource
    from fleetcast.ports.readings import ReadingsTable, WritableReadingsTable
    from fleetcast.workflows.adopt import Adopt, Opened
    from fleetcast.workflows.decide import Decide
    from fleetcast.workflows.ingest import Ingest
    from fleetcast.workflows.plan import MakePlan
    from fleetcast.workflows.train import Train


@dataclass(frozen=True, slots=True)
class OpenFleet:
    """A fleet repository with the platform it runs on, ready for workflows."""

    directory: Path
    fleet: Fleet
    platform: Platform
    clock: Clock
    unused: tuple[UnusedSetting, ...] = ()
    """What the settings write and nothing uses yet."""

    @property
    def state(self) -> Path:
        """The folder in which the embedded platform keeps everything."""
        return state_of(self.directory, self.fleet)

    @property
    def planning(self) -> MakePlan:
        """Comparing what should be with what is."""
        from fleetcast.workflows.plan import MakePlan

        return MakePlan(self.platform, self.clock)

    @property
    def training(self) -> Train:
        """Running the eight stages."""
        from fleetcast.pipeline.runner import StageRunner
        from fleetcast.platforms.git.repository import commit_of
        from fleetcast.workflows.train import Train

        runner = StageRunner(self.platform, self.clock, self.state / "runs")
        return Train(runner, commit_of(self.directory))

    def since(self, revision: str) -> Revision:
        """What the fleet repository declares differently from an earlier commit.

        Raises:
            BadInput: There is no such commit here.
            InvalidFleet: The repository had mistakes then.
        """
        from tempfile import TemporaryDirectory

        from fleetcast.domain.revision import Revision, differences
        from fleetcast.platforms.git.repository import export, files_since

        with TemporaryDirectory() as folder:
            export(self.directory, revision, Path(folder))
            before = load_fleet(Path(folder), now=self.clock.now())
        return Revision(revision, files_since(self.directory, revision), differences(before, self.fleet))

    @property
    def deciding(self) -> Decide:
        """Recording decisions."""
        from fleetcast.workflows.decide import Decide

        return Decide(self.platform.control, self.fleet.settings.gates, self.clock)


def open_fleet(directory: Path, clock: Clock | None = None) -> OpenFleet:
    """Read a fleet repository and open the platform that its settings name.

    Raises:
        InvalidFleet: The repository has mistakes; all of them are named.
        BadInput: The platform cannot be opened by a command.
        Unavailable: The platform's state cannot be read or written.
    """
    clock = clock or SystemClock()
    reading = read_fleet(directory, now=clock.now())
    fleet = reading.fleet
    settings = fleet.settings.platform
    if settings.kind is not PlatformKind.LOCAL:
        raise BadInput(
            f"{reading.setting('platform', 'kind')}: the platform {settings.kind.value!r} does not outlive a command",
            fix="write `kind: local` there",
        )
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.local.platform import local_platform

    tables = {
        name: _table_at(directory, source, settings) for name, source in fleet.settings.data_sources.items()
    }
    state = state_of(directory, fleet)
    platform = local_platform(
        state,
        tables,
        settings,
        actor=whoami(),
        clock=clock,
        database=ControlDatabase(_backend(state), clock=clock),
        foreign=fleet.settings.foreign,
    )
    platform.control.policies.take_first(fleet.settings.gates)
    return OpenFleet(directory, fleet, platform, clock, reading.unused)


def open_database(directory: Path) -> ControlDatabase:
    """The control database of a fleet, whatever its schema.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
    """
    from fleetcast.platforms.database.control import ControlDatabase

    backend = _backend(directory / load_settings(directory).platform.state)
    return ControlDatabase(backend, clock=SystemClock())


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """How a control database stands."""

    address: str
    schema: str | None
    """None: it is empty."""
    newest_schema: str
    """What this program knows."""
    holders: Mapping[str, str]
    """Who holds which lease; none where the schema is another."""


def look_at_database(directory: Path) -> DatabaseState:
    """Look at the control database of a fleet; changes nothing. Errors as of `open_database`."""
    from fleetcast.platforms.database import schema
    from fleetcast.platforms.database.leases import holders
    from fleetcast.platforms.database.migrate import revision

    database = open_database(directory)
    found = revision(database)
    held = holders(database) if found == schema.REVISION else {}
    return DatabaseState(database.backend.address, found, schema.REVISION, held)


def upgrade_database(directory: Path) -> tuple[str, tuple[str, ...]]:
    """Bring the control database of a fleet to this program's schema.

    Returns:
        Its address, and the migrations done.

    Raises:
        BadInput: The database is newer than this program; nothing was written.
    """
    from fleetcast.platforms.database.migrate import upgrade

    database = open_database(directory)
    return database.backend.address, upgrade(database)


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """One control database copied to another."""

    source: str
    """Its address."""
    target: str
    rows: Mapping[str, int]
    """By table."""


def copy_own_database(directory: Path) -> DatabaseCopy:
    """Copy the file that a fleet keeps in its state directory to the empty server that the environment names.

    Raises:
        BadInput: There is no such file or server, somebody is at work there, or the target holds something.
    """
    from fleetcast.platforms.database.copying import copy

    source, target = open_own_database(directory), open_database(directory)
    if source.backend.address == target.backend.address:
        raise BadInput(
            "the environment names no server to copy to", fix="set FLEETCAST_DATABASE_URL=postgresql://…"
        )
    return DatabaseCopy(source.backend.address, target.backend.address, copy(source, target))


def open_own_database(directory: Path) -> ControlDatabase:
    """The file that a fleet keeps in its state directory, whatever the environment names.

    Raises:
        BadInput: There is no such file.
    """
    from fleetcast.platforms.database.control import ControlDatabase
    from fleetcast.platforms.database.sqlite import sqlite

    path = directory / load_settings(directory).platform.state / "control.db"
    if not path.is_file():
        raise BadInput(f"there is no {path}", fix="name the fleet's folder with --fleet")
    return ControlDatabase(sqlite(path), clock=SystemClock())


def _backend(state: Path) -> Backend:
    """The database that the environment names; where it names none, a file in the state directory."""
    address = os.environ.get(DATABASE_URL_VARIABLE)
    if address:
        from fleetcast.platforms.database.postgres import postgres

        return postgres(address)
    from fleetcast.platforms.database.sqlite import sqlite

    return sqlite(state / "control.db")


def open_adoption(models: Path | None = None, mlflow: str | None = None, clock: Clock | None = None) -> Adopt:
    """Taking over circuits of another layout, with the models of a folder, of an MLflow registry, or without.

    Raises:
        BadInput: Both are named, or the registry cannot be one.
    """
    from fleetcast.platforms.foreign.process import ProcessForeignModels
    from fleetcast.workflows.adopt import Adopt

    if models is not None and mlflow is not None:
        raise BadInput("both a folder and a registry are named", fix="choose --models or --mlflow")
    source: ModelSource | None = None
    if models is not None:
        from fleetcast.platforms.foreign.folder_source import FolderSource

        source = FolderSource(models)
    if mlflow is not None:
        from fleetcast.platforms.foreign.mlflow_source import MlflowSource

        source = MlflowSource(mlflow)
    clock = clock or SystemClock()
    return Adopt(source, ProcessForeignModels(), lambda directory: _opened(directory, clock), clock)


def _opened(directory: Path, clock: Clock) -> Opened:
    from fleetcast.platforms.git.repository import commit_of
    from fleetcast.workflows.adopt import Opened

    fleet = open_fleet(directory, clock)
    return Opened(fleet.fleet, fleet.platform, commit_of(directory), fleet.state)


def state_of(directory: Path, fleet: Fleet) -> Path:
    """The state directory of a fleet repository."""
    return directory / fleet.settings.platform.state


def whoami() -> Actor:
    """The operating system's user: an asserted identity."""
    try:
        return Actor(getpass.getuser())
    except (OSError, KeyError):
        return Actor("unknown")


def open_table(directory: Path, source: str | None = None) -> ReadingsTable:
    """The readings table of a fleet; outside of a fleet repository, the one it would have.

    Args:
        directory: The fleet repository.
        source: Name of the data source; None: the only one.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        BadInput: There is no such data source, or several and none is named.
    """
    settings = load_settings(directory)
    return _table_at(directory, _chosen(settings.data_sources, source), settings.platform)


def open_own_table(directory: Path, source: str | None = None) -> WritableReadingsTable:
    """The table that fleetcast keeps itself; without a name the only one of that kind.

    Raises:
        InvalidFleet: `fleetcast.yaml` has mistakes.
        BadInput: There is no such data source, or somebody else keeps it.
    """
    settings = load_settings(directory)
    return _own_table(directory, _own(settings.data_sources, source), settings.platform)


def own_source(directory: Path, source: str | None = None) -> str:
    """The name of the data source that fleetcast keeps itself; arguments and errors as of `open_own_table`."""
    return _own(load_settings(directory).data_sources, source).name


def _own(sources: Mapping[str, DataSource], source: str | None) -> OwnTable:
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
        case ForeignTable():
            return _foreign_table(directory, source)
        case OwnTable():
            return _own_table(directory, source, settings)


def _foreign_table(directory: Path, source: ForeignTable) -> ReadingsTable:
    from fleetcast.domain.location import Location
    from fleetcast.platforms.delta.foreign import ForeignReadingsTable

    if "://" not in source.address:
        return ForeignReadingsTable(directory / source.address, source.mapping)
    from fleetcast.platforms.objects.store import delta_options

    location = Location(source.address)
    return ForeignReadingsTable(location.folder or location.uri, source.mapping, delta_options(location))


def _own_table(directory: Path, source: OwnTable, settings: PlatformSettings) -> WritableReadingsTable:
    """An own table; one inside the state directory is in the storage, where there is one."""
    from fleetcast.platforms.delta.table import DeltaReadingsTable

    if settings.storage is not None and source.path.is_relative_to(settings.state):
        from fleetcast.platforms.objects.store import delta_options

        location = settings.storage / str(source.path.relative_to(settings.state))
        return DeltaReadingsTable(location.folder or location.uri, delta_options(location))

    return DeltaReadingsTable(directory / source.path)


def open_ingest(directory: Path, source: str | None = None) -> Ingest:
    """Ingesting into the readings table of a fleet; arguments as in `open_table`."""
    from fleetcast.platforms.files.readings_file import LocalReadingsFiles
    from fleetcast.workflows.ingest import Ingest

    return Ingest(LocalReadingsFiles(), open_own_table(directory, source))

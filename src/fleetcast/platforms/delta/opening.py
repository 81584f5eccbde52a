"""Opening versions of a Delta table, and what can be wrong with that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.domain.location import Location
from fleetcast.platforms.delta.damage import Damage, cut_file, damage_of_log, emptied_commit, lost_file
from fleetcast.platforms.files.plainly_named import PlainlyNamed
from fleetcast.ports.readings import TableVersion, VersionGone

ROWS = "fleetcast.rows"
"""In a commit of ours that delta-rs has no metrics for: how many rows it adds."""


class DeltaVersions:
    """The versions of one Delta table, wherever it is."""

    table_name = "readings table"
    """What it is called in errors."""
    missing_fix = "store some readings first: `fleetcast ingest` or `fleetcast simulate`"
    """What to do where there is no table."""

    def __init__(self, location: Path | str, options: Mapping[str, str] | None = None) -> None:
        """Name the table.

        Args:
            location: Its folder or URI.
            options: What delta-rs is told about the object store, beyond what it finds in the environment.
        """
        self._location = PlainlyNamed(location)
        self._options = dict(options or {})
        self._looked_at: set[int] = set()
        """Versions whose files have the sizes that were written, when this was last looked at."""

    def latest_version(self) -> int | None:
        """See `ReadingsTable`."""
        table = self._open_or_none()
        return None if table is None else table.version()

    def versions(self) -> Sequence[TableVersion]:
        """See `ReadingsTable`."""
        table = self._open_or_none()
        return [] if table is None else [_version_of(entry) for entry in table.history()]

    @property
    def place(self) -> str:
        """Where it is, for errors."""
        return str(self._location)

    def said(self, error: Exception) -> str:
        """What went wrong, for people."""
        return self._said(error)

    def present(self, paths: Iterable[str]) -> Sequence[str]:
        """Those of some files below the table that are there, sorted."""
        folder = self._location.folder
        if folder is not None:
            return sorted(path for path in paths if (folder / path).exists())
        from fleetcast.platforms.objects.store import ObjectFolder

        wanted = set(paths)
        objects = ObjectFolder(Location(str(self._location)))
        folders = {path.rpartition("/")[0] for path in wanted}
        return sorted(wanted & {name for below in folders for name in objects.names(below)})

    def _open_or_none(self) -> DeltaTable | None:
        try:
            return self._open()
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise self._not_opened(error) from error

    def _not_opened(self, error: Exception) -> Unavailable:
        folder = self._location.folder
        damage = None if folder is None else damage_of_log(folder)
        if damage is not None:
            return self._damaged(damage)
        return Unavailable(
            f"the {self.table_name} at {self._location} cannot be opened: {self._said(error)}",
            fix="check the folder and its permissions",
        )

    def _damaged(self, damage: Damage) -> Unavailable:
        return Unavailable(f"the {self.table_name} at {self._location} is damaged: {damage}", fix=damage.fix)

    def _open(self, version: int | None = None) -> DeltaTable:
        folder = self._location.folder
        if folder is not None and (emptied := emptied_commit(folder)) is not None:
            raise self._damaged(emptied)
        table = DeltaTable(self._location.address(), version=version, storage_options=self._options)
        self._location.address()
        return table

    def _said(self, error: BaseException) -> str:
        """Why it went wrong, in one line, with the table's own name and without secrets."""
        return why(error, self._location.said(error))

    def _at(self, version: int) -> DeltaTable:
        latest = self.latest_version()
        if latest is None:
            raise BadInput(
                f"delta_version {version} does not exist: there is no {self.table_name} at {self._location} yet",
                fix=self.missing_fix,
            )
        if not 0 <= version <= latest:
            raise BadInput(
                f"delta_version {version} does not exist; the table has 0 to {latest}",
                fix=f"write a version the table has, for instance the newest: delta_version: {latest}",
            )
        try:
            table = self._open(version)
        except (DeltaError, OSError) as error:
            if version == latest:
                raise self._not_opened(error) from error
            raise self._gone(version, error) from error
        folder = self._location.folder
        if folder is not None and version not in self._looked_at:
            if (cut := cut_file(folder, table)) is not None:
                raise self._damaged(cut)
            self._looked_at.add(version)
        return table

    def _gone(self, version: int, error: BaseException) -> VersionGone:
        return VersionGone(
            f"delta_version {version} of {self._location} can no longer be read: its log or files were cleaned up "
            f"({self._said(error)[:200]})",
            fix=f"write a newer version; the newest is {self.latest_version()}",
        )

    def _lost(self, version: int) -> Damage | None:
        folder = self._location.folder
        return None if folder is None else lost_file(folder, self._open(version))

    def _collected(self, lazy: pl.LazyFrame, version: int) -> pl.DataFrame:
        try:
            return lazy.collect(engine="streaming")
        except (
            pl.exceptions.PolarsError,
            pl.exceptions.PanicException,
            DeltaError,
            OSError,
        ) as error:
            lost = self._lost(version)
            if lost is not None and version == self.latest_version():
                raise self._damaged(lost) from error
            if lost is not None or isinstance(error, FileNotFoundError):
                raise self._gone(version, error) from error
            raise Unavailable(
                f"the {self.table_name} at {self._location} cannot be read: {self._said(error)}",
                fix="check the disk; if files were vacuumed, choose a newer delta_version",
            ) from error


def _version_of(entry: dict[str, object]) -> TableVersion:
    metrics = entry.get("operationMetrics")
    return TableVersion(
        version=_whole(entry["version"]),
        committed_at=datetime.fromtimestamp(_whole(entry["timestamp"]) / 1000, tz=UTC),
        operation=str(entry.get("operation", "")),
        rows_written=_rows_written(metrics) if isinstance(metrics, dict) else _rows_added(entry),
    )


def _rows_written(metrics: dict[str, object]) -> int | None:
    names = ("num_target_rows_inserted", "num_target_rows_updated", "num_added_rows")
    counted = [_whole(metrics[name]) for name in names if name in metrics]
    return sum(counted) if counted else None


def _rows_added(entry: dict[str, object]) -> int | None:
    return _whole(entry[ROWS]) if ROWS in entry else None


def _whole(number: object) -> int:
    return int(str(number))

"""The table that forecasts of a fleet are published in, kept in Delta Lake: files first, then one commit names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.pipeline.forecast_rows import COLUMNS
from fleetcast.platforms.delta.adding import Partition, PutFile, added, now_millis, write_part
from fleetcast.platforms.delta.merging import HOOKS, RETENTION
from fleetcast.platforms.delta.opening import DeltaVersions
from fleetcast.platforms.delta.syncing import sync_version
from fleetcast.platforms.delta.vacuuming import vacuumed
from fleetcast.ports.forecasts import Issue, MadeFrom, WrittenPart

_DAY = "day"
_KEYS = ("plant_id", "circuit_id", "sensor", "step")
_BOUNDED = ("plant_id", "circuit_id", "timestamp")
"""Columns whose least and greatest values let readers skip files."""
_TOLD_DAY, _TOLD_ISSUE = "fleetcast.day", "fleetcast.issue"

DropFile = Callable[[str], None]
"""Removes a file below the table that nothing names; one that is not there is left so."""


class DeltaForecastTable(DeltaVersions):
    """Keeps forecasts partitioned by day; see `ForecastTable`.

    The log remembers the number of the last issue of each day as a transaction of an application, so that an issue
    that was published by a process which ended before it could say so is not published once more.
    """

    table_name = "table of forecasts"
    missing_fix = "publish some forecasts first: `fleetcast score`"

    def __init__(self, location: Path | str, put: PutFile, drop: DropFile) -> None:
        """Name the table.

        Args:
            location: Its folder or URI.
            put: Keeps its files.
            drop: Removes them.
        """
        super().__init__(location)
        self._put = put
        self._drop = drop

    def issues(self, day: date) -> Sequence[Issue]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        told = [] if table is None else table.history()
        found = [
            Issue(
                day,
                int(entry[_TOLD_ISSUE]),
                int(entry["version"]),
                datetime.fromtimestamp(int(entry["timestamp"]) / 1000, tz=UTC),
            )
            for entry in told
            if entry.get(_TOLD_DAY) == day.isoformat()
        ]
        return sorted(found, key=lambda issue: issue.number)

    def days(self) -> Sequence[date]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        found = [] if table is None else table.partitions()
        return sorted({date.fromisoformat(str(one[_DAY])) for one in found})

    def circuits(self, day: date) -> Collection[CircuitKey]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        if table is None:
            return set()
        rows = self._collected(
            pl.scan_delta(table).filter(pl.col(_DAY) == day).select("plant_id", "circuit_id").unique(),
            table.version(),
        )
        return {CircuitKey(plant, circuit) for plant, circuit in rows.iter_rows()}

    def made_from(self, day: date) -> Sequence[MadeFrom]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        if table is None:
            return []
        names = ("plant_id", "circuit_id", "data_source", "delta_version", "model", "version")
        lazy = pl.scan_delta(table).filter(pl.col(_DAY) == day, pl.col("step") == 1).select(*names).unique()
        return [
            MadeFrom(
                CircuitKey(plant, circuit), source, read, None if model is None else f"{model}:{version}"
            )
            for plant, circuit, source, read, model, version in self._collected(
                lazy, table.version()
            ).iter_rows()
        ]

    def write(self, day: date, rows: pl.DataFrame) -> WrittenPart:
        """See `ForecastTable`."""
        return write_part(self._location, self._put, _of(day), rows, _BOUNDED)

    def publish(
        self, day: date, number: int, parts: Sequence[WrittenPart], replaced: Collection[CircuitKey]
    ) -> int:
        """See `ForecastTable`."""
        told = Transaction(f"fleetcast score {day.isoformat()}", number)
        properties = CommitProperties(
            custom_metadata={_TOLD_DAY: day.isoformat(), _TOLD_ISSUE: str(number)}, app_transactions=[told]
        )
        table = self._open_or_none()
        try:
            if table is None:
                version = self._created(day, parts, properties)
            elif (table.transaction_version(told.app_id) or 0) >= number:
                return table.version()
            else:
                version = self._committed(table, day, parts, replaced, properties)
        except (DeltaError, OSError) as error:
            raise Unavailable(
                f"the forecasts at {self._location} cannot be published, readers see what they saw: "
                f"{self._said(error)}",
                fix="check the disk and its rights, then run the same command again",
            ) from error
        self._sync(version)
        return version

    def remove(self, days: Collection[date]) -> None:
        """See `ForecastTable`."""
        table = self._open_or_none()
        there = set() if table is None else _days_of(table)
        wanted = sorted({day.isoformat() for day in days} & there)
        if table is None or not wanted:
            return
        listed = ", ".join(f"'{day}'" for day in wanted)
        try:
            table.delete(f"{_DAY} IN ({listed})", post_commithook_properties=HOOKS)
        except (DeltaError, OSError) as error:
            raise Unavailable(
                f"forecasts cannot be removed from {self._location}, readers see what they saw: {self._said(error)}",
                fix="check the disk and its rights, then run the same command again",
            ) from error
        self._sync(self._open().version())

    def vacuum(self, older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        if table is None:
            return []
        # Versions show the table as a whole, so keeping one for an issue of one day would keep the files of all.
        there = _days_of(table)
        newest = max(there, default="")
        unused = vacuumed(self, table, (), older_than, dry_run=True)
        gone = sorted(path for path in unused if (day := _day_of(path)) and day not in there and day < newest)
        for path in () if dry_run else gone:
            self._drop(path)
        return gone

    def read(
        self, day: date, keys: Collection[CircuitKey] | None = None, version: int | None = None
    ) -> pl.DataFrame:
        """See `ForecastTable`."""
        table = self._open_or_none() if version is None else self._at(version)
        if table is None:
            return pl.DataFrame(schema=COLUMNS)
        lazy = pl.scan_delta(table).filter(pl.col(_DAY) == day).select(*COLUMNS)
        if keys is not None:
            lazy = lazy.filter(_is_one_of(keys))
        return self._collected(lazy, table.version()).sort(_KEYS)

    def by_day(
        self, days: Collection[date], keys: Collection[CircuitKey], columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """See `ForecastTable`."""
        table = self._open_or_none()
        if table is None:
            return
        plants = sorted({key.plant for key in keys})
        theirs = pl.col("plant_id").is_in(plants) & _is_one_of(keys)
        for files in self._files(table, days, plants):
            lazy = pl.scan_parquet(files, storage_options=self._options, glob=False, hive_partitioning=False)
            yield self._collected(lazy.filter(theirs).select(*columns), table.version())

    def _files(self, table: DeltaTable, days: Collection[date], plants: Collection[str]) -> list[list[str]]:
        """By day those that can hold rows of some plants, by what the log says of them."""
        held = pl.DataFrame(table.get_add_actions(flatten=True))
        bounds = [f"{end}.{_BOUNDED[0]}" for end in ("min", "max")]
        if not set(bounds) <= set(held.columns):
            held = held.with_columns(pl.lit(None, pl.String).alias(name) for name in bounds)
        address = self._location.address()
        found: dict[str, list[str]] = {day.isoformat(): [] for day in sorted(days)}
        for path, day, least, most in held.select("path", f"partition.{_DAY}", *bounds).iter_rows():
            unbounded = least is None or most is None
            if str(day) in found and (unbounded or any(least <= plant <= most for plant in plants)):
                found[str(day)].append(f"{address}/{path}")
        return [files for files in found.values() if files]

    def _created(self, day: date, parts: Sequence[WrittenPart], properties: CommitProperties) -> int:
        address = self._location.to_write([])
        create_table_with_add_actions(
            address,
            self._schema(),
            [added(_of(day), part) for part in parts],
            mode="error",
            partition_by=[_DAY],
            configuration=RETENTION,
            storage_options=self._options,
            commit_properties=properties,
            post_commithook_properties=HOOKS,
        )
        return 0

    def _committed(
        self,
        table: DeltaTable,
        day: date,
        parts: Sequence[WrittenPart],
        replaced: Collection[CircuitKey],
        properties: CommitProperties,
    ) -> int:
        actions: list[AddAction | RemoveAction] = [added(_of(day), part) for part in parts]
        actions += self._without(table, day, replaced)
        table.create_write_transaction(
            actions,
            "append",
            self._schema(),
            partition_by=[_DAY],
            commit_properties=properties,
            post_commithook_properties=HOOKS,
        )
        return self._open().version()

    def _without(
        self, table: DeltaTable, day: date, gone: Collection[CircuitKey]
    ) -> Iterator[AddAction | RemoveAction]:
        """What takes rows of some circuits away: files that hold any give way to files with what is left."""
        if not gone:
            return
        for held in pl.DataFrame(table.get_add_actions(flatten=True)).iter_rows(named=True):
            if str(held[f"partition.{_DAY}"]) != day.isoformat():
                continue
            path = held["path"]
            rows = pl.read_parquet(f"{self._location.address()}/{path}", storage_options=self._options)
            left = rows.filter(~_is_one_of(gone))
            if len(left) == len(rows):
                continue
            yield RemoveAction(
                path=path,
                deletion_timestamp=now_millis(),
                data_change=True,
                partition_values=dict(_of(day)),
                size=held["size_bytes"],
            )
            if len(left):
                yield added(_of(day), self.write(day, left))

    def _schema(self) -> Schema:
        return Schema.from_arrow(pl.Schema({**COLUMNS, _DAY: pl.Date}))

    def _sync(self, version: int) -> None:
        folder = self._location.folder
        if folder is not None:
            sync_version(folder, version)


def _days_of(table: DeltaTable) -> set[str]:
    return {str(one[_DAY]) for one in table.partitions()}


def _day_of(path: str) -> str:
    """The day whose forecasts a file holds, as its folder says it; empty for a file of another place."""
    folder, slash, _ = path.partition("/")
    return folder.removeprefix(f"{_DAY}=") if slash and folder.startswith(f"{_DAY}=") else ""


def _is_one_of(keys: Collection[CircuitKey]) -> pl.Expr:
    wanted = pl.Series([f"{key.plant}/{key.circuit}" for key in keys], dtype=pl.String)
    return (pl.col("plant_id") + "/" + pl.col("circuit_id")).is_in(wanted.implode())


def _of(day: date) -> Partition:
    return {_DAY: day.isoformat()}

"""The readings table, kept in Delta Lake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.delta.inserting import insert, is_spread_wide
from fleetcast.platforms.delta.merging import (
    KEYS,
    Changes,
    changes_between,
    create,
    partitions,
    write_changes,
)
from fleetcast.platforms.delta.opening import DeltaVersions
from fleetcast.platforms.delta.syncing import sync_version
from fleetcast.platforms.delta.vacuuming import vacuumed
from fleetcast.ports.readings import MergeOutcome, Readings, ReadingsWanted, Stored

_ATTEMPTS = 5
_FEW_SENSORS = 64


class DeltaReadingsTable(DeltaVersions):
    """Keeps readings as a wide Delta table, partitioned by `plant_id`; see `ReadingsTable`."""

    def circuits(self, version: int) -> Sequence[CircuitKey]:
        """See `ReadingsTable`."""
        lazy = pl.scan_delta(self._at(version)).select("plant_id", "circuit_id").unique()
        return sorted(CircuitKey(plant, circuit) for plant, circuit in self._collected(lazy, version).rows())

    def sensors(self, version: int) -> tuple[str, ...]:
        """See `ReadingsTable`."""
        return tuple(sorted(set(_columns(self._at(version))) - set(KEYS)))

    def columns(self, version: int) -> tuple[str, ...]:
        """See `ReadingsTable`."""
        return self.sensors(version)

    def read(self, wanted: Sequence[ReadingsWanted], version: int) -> Iterator[Readings]:
        """See `ReadingsTable`."""
        table = self._at(version)
        lazy = pl.scan_delta(table)
        held = set(_columns(table))
        for plant in sorted({want.key.plant for want in wanted}):
            theirs = [want for want in wanted if want.key.plant == plant]
            for alike in _of_like_sensors(theirs):
                yield from self._read_plant(lazy, held, plant, alike, version)

    def expires_at(self, version: int) -> datetime | None:  # noqa: ARG002  # the same for all
        """Never: versions stay until `vacuum` is told which to keep."""
        return None

    def vacuum(self, keep: Collection[int], older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """See `WritableReadingsTable`."""
        return vacuumed(self, self._open_or_none(), keep, older_than, dry_run=dry_run)

    def merge(self, rows: pl.DataFrame, stored: Stored = Stored.REPLACED) -> MergeOutcome:
        """See `ReadingsTable`."""
        for _ in range(_ATTEMPTS):
            table = self._open_or_none()
            before = None if table is None else table.version()
            try:
                outcome = self._merged(table, rows, stored)
            except (DeltaError, OSError) as error:
                if self.latest_version() == before:
                    raise self._refused(error) from error
                # Someone else committed first: compare with what they wrote and try again.
            else:
                self._sync(outcome.version)
                return outcome
        raise Unavailable(
            f"the readings table at {self._location} is being written by others",
            fix="try again when they are done",
        )

    def _sync(self, version: int) -> None:
        folder = self._location.folder
        if folder is None:
            return  # an object store answers once an object is safe
        try:
            sync_version(folder, version)
        except OSError as error:
            raise Unavailable(
                f"delta_version {version} of {self._location} is written, but may not outlive a power cut: {error}",
                fix="check the disk, then run the same command again",
            ) from error

    def _merged(self, table: DeltaTable | None, rows: pl.DataFrame, stored: Stored) -> MergeOutcome:
        if table is None:
            create(self._location.to_write(partitions(rows)), rows, self._options)
            return MergeOutcome(0, inserted=len(rows), updated=0)
        changes = self._changes(table, rows, stored)
        if changes.rows.is_empty():
            return MergeOutcome(table.version(), 0, 0, changes.differing)
        folder = self._location.folder
        if folder is not None and not changes.updated and is_spread_wide(table, changes):
            version = insert(self._location, folder, table, changes.rows)
            return MergeOutcome(version, changes.inserted, 0, changes.differing)
        self._location.to_write(partitions(changes.rows))
        version = write_changes(table, changes)
        return MergeOutcome(version, changes.inserted, changes.updated, changes.differing)

    def _changes(self, table: DeltaTable, rows: pl.DataFrame, stored: Stored) -> Changes:
        held = _columns(table)
        lower = {name.lower(): name for name in held}
        for name in rows.columns:
            twin = lower.get(name.lower(), name)
            if twin != name:
                raise BadInput(
                    f"sensor {name!r} differs only in case from {twin!r}, which the readings table holds",
                    fix=f"store it under that name: --rename '{name}={twin}'",
                )
        inside = rows.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
        lazy = pl.scan_delta(table).filter(
            pl.col("plant_id").is_in(rows["plant_id"].unique().to_list()),
            pl.col("circuit_id").is_in(rows["circuit_id"].unique().to_list()),
            pl.col("timestamp").is_between(*inside),
        )
        return changes_between(
            rows,
            self._collected(lazy.select(name for name in held if name in rows.columns), table.version()),
            stored,
        )

    def _read_plant(
        self, lazy: pl.LazyFrame, held: set[str], plant: str, wanted: Sequence[ReadingsWanted], version: int
    ) -> Iterator[Readings]:
        sensors = sorted({name for want in wanted for name in want.sensors if name in held})
        rows = self._collected(
            lazy.filter(
                pl.col("plant_id") == plant,
                pl.col("circuit_id").is_in(sorted({want.key.circuit for want in wanted})),
                pl.col("timestamp") >= min(want.start for want in wanted),
                pl.col("timestamp") < max(want.end for want in wanted),
            ).select(
                "circuit_id",
                pl.col("timestamp").to_physical(),
                *(pl.col(name).fill_null(np.nan) for name in sensors),
            ),
            version,
        ).sort("circuit_id", "timestamp", maintain_order=True)
        by_circuit = {key[0]: part for key, part in rows.partition_by("circuit_id", as_dict=True).items()}
        for want in wanted:
            yield _cut(by_circuit.get(want.key.circuit, rows.clear()), want, held)

    def _refused(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"the readings table at {self._location} cannot be written and is as it was: {self._said(error)}",
            fix="free some space, or check that the folder may be written, then run the same command again",
        )


def _columns(table: DeltaTable) -> list[str]:
    return [field.name for field in table.schema().fields]


def _of_like_sensors(wanted: Sequence[ReadingsWanted]) -> list[list[ReadingsWanted]]:
    """What is read in one pass, which makes every row as wide as all sensors of the pass.

    Everything, while those are few; else what has the same sensors, so that the long rows of one circuit never take
    the memory of another's many sensors.
    """
    if len({name for want in wanted for name in want.sensors}) <= _FEW_SENSORS:
        return [list(wanted)]
    alike: dict[tuple[str, ...], list[ReadingsWanted]] = {}
    for want in wanted:
        alike.setdefault(want.sensors, []).append(want)
    return list(alike.values())


def _cut(rows: pl.DataFrame, want: ReadingsWanted, held: set[str]) -> Readings:
    times = rows["timestamp"].to_numpy()
    first, last = np.searchsorted(times, [_micros(want.start), _micros(want.end)])
    times = times[first:last]
    values = np.full((len(times), len(want.sensors)), np.nan)
    for column, name in enumerate(want.sensors):
        if name in held:
            values[:, column] = rows[name].to_numpy()[first:last]
    if len(times) > 1:
        # Merging keeps keys unique; another writer may not. The last row in the table's order wins.
        keep = np.append(times[1:] != times[:-1], True)
        if not keep.all():
            times, values = times[keep], values[keep]
    absent = frozenset(name for name in want.sensors if name not in held)
    return Readings(want.key, want.sensors, absent, np.ascontiguousarray(times), values)


def _micros(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + moment.microsecond

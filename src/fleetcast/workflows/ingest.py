"""Ingesting: files of readings into the readings table, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import (
    MOST_CELLS,
    Conflict,
    ConflictingReadings,
    FileReport,
    IngestOptions,
    IngestReport,
    NearName,
    OnConflict,
    ReadingInRow,
)
from fleetcast.domain.sensor import checked_sensors, did_you_mean, slip_of
from fleetcast.ports.readings import Difference, Stored, StoredReadingsDiffer, WritableReadingsTable
from fleetcast.ports.readings_files import ParsedFile, ReadingsFiles
from fleetcast.workflows.unique_rows import KEYS, SHOWN, PlacedConflict, unique_rows

_STORED = {
    OnConflict.LAST: Stored.REPLACED,
    OnConflict.FIRST: Stored.KEPT,
    # A mean of means, or a reading that was dropped before, would depend on what was ingested first.
    OnConflict.MEAN: Stored.REFUSED,
    OnConflict.DROP: Stored.REFUSED,
    OnConflict.REFUSE: Stored.REFUSED,
}
_CHOOSE_ORDER = (
    "choose which stands: --on-conflict last replaces what is stored, --on-conflict first keeps it; "
    "or ingest all files of that time together, into a table that does not hold them"
)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Store the readings of some files: all are read first, then one merge makes one commit of them."""

    files: ReadingsFiles
    table: WritableReadingsTable
    declared: Callable[[], Collection[str]]
    """The sensors of all circuits; asked only if a file brings one that the table does not hold."""

    def __call__(self, paths: Sequence[Path], options: IngestOptions) -> IngestReport:
        """Ingest files in the order given; where they contradict each other, the options say which reading stands.

        Raises:
            ConflictingReadings: They do, and that is to be refused; nothing was stored.
            BadInput: A file cannot be taken as it is; nothing was stored.
            Unavailable: The table could not be written; it is as it was.
        """
        if not paths:
            raise BadInput("no file to ingest", fix="name at least one CSV or Parquet file")
        parsed = [self.files.parse(path, options) for path in paths]
        reports = tuple(one.report for one in parsed)
        _check_names_used(reports, options)
        _check_same_case(reports)
        _check_together(reports)
        rows = pl.concat([one.rows for one in parsed], how="diagonal")
        if rows.is_empty():
            raise BadInput(
                f"{', '.join(report.path for report in reports)}: not one row holds a time and a reading",
                fix="check --take, --drop, --sentinel and --timestamp-format",
            )
        unique = unique_rows(rows, options.on_conflict)
        found = _Places(parsed, rows)
        conflicts = tuple(found.conflict(one) for one in unique.first)
        if conflicts and options.on_conflict is OnConflict.REFUSE:
            raise ConflictingReadings(
                unique.conflicts,
                conflicts,
                fix="mend the files, or choose: --on-conflict last|first|mean|drop",
            )
        if unique.rows.is_empty():
            raise ConflictingReadings(
                unique.conflicts, conflicts, fix="no reading is left: choose --on-conflict last|first|mean"
            )
        before = self.table.latest_version()
        near = self._near_names(reports, before)
        try:
            outcome = self.table.merge(unique.rows, _STORED[options.on_conflict])
        except StoredReadingsDiffer as error:
            raise ConflictingReadings(
                error.count, [found.difference(one) for one in error.first], fix=_CHOOSE_ORDER
            ) from error
        keys = unique.rows.select(pl.col(KEYS[0]) + "/" + pl.col(KEYS[1])).to_series().unique().sort()
        span = unique.rows.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
        return IngestReport(
            files=reports,
            exact_duplicates=unique.exact,
            conflicting_duplicates=unique.conflicting,
            joined_rows=unique.joined,
            on_conflict=options.on_conflict,
            conflicts=unique.conflicts,
            first_conflicts=conflicts,
            stored_conflicts=outcome.differing,
            inserted=outcome.inserted,
            updated=outcome.updated,
            unchanged=len(unique.rows) - outcome.inserted - outcome.updated,
            version_before=before,
            version=outcome.version,
            circuits=tuple(keys),
            first=span[0],
            last=span[1],
            near_names=near,
        )

    def _near_names(self, reports: Sequence[FileReport], version: int | None) -> tuple[NearName, ...]:
        """Columns of one file stand side by side because they differ: they are no slips of each other."""
        held = set() if version is None else set(self.table.sensors(version))
        if all(held.issuperset(report.sensors) for report in reports):
            return ()
        declared = set(self.declared())
        found: dict[str, NearName] = {}
        for report in reports:
            for sensor in set(report.sensors) - held - declared - set(found):
                like = slip_of(sensor, (held | declared) - set(report.sensors))
                if like is not None:
                    found[sensor] = NearName(sensor, like, report.path)
        return tuple(found[sensor] for sensor in sorted(found))


def _check_together(reports: Sequence[FileReport]) -> None:
    """Refuse files that are no more than they may be each, but make too many rows of too many sensors together."""
    rows = sum(report.rows_kept for report in reports)
    sensors = {name for report in reports for name in report.sensors}
    if len(reports) > 1 and rows * len(sensors) > MOST_CELLS:
        raise BadInput(
            f"{len(reports)} files with {rows:,} rows and {len(sensors):,} sensors are too much for one commit: "
            f"{rows * len(sensors):,} cells, of {MOST_CELLS:,} that are held at once",
            fix="ingest files of different sensors one after the other",
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where each row of all files stands."""

    parsed: Sequence[ParsedFile]
    rows: pl.DataFrame
    """Of all files, in their order."""

    def conflict(self, placed: PlacedConflict) -> Conflict:
        readings = tuple(
            self._reading(place, value) for place, value in zip(placed.places, placed.values, strict=True)
        )
        return Conflict(placed.circuit, placed.at, placed.sensor, readings)

    def difference(self, found: Difference) -> Conflict:
        """The rows that say what is given, or what it was made of, and what is stored."""
        same = (pl.col("plant_id") == found.key.plant) & (pl.col("circuit_id") == found.key.circuit)
        held = (
            self.rows.with_row_index("\x00place")
            .filter(same, pl.col("timestamp") == found.at, pl.col(found.sensor).is_not_null())
            .head(SHOWN)
        )
        readings = zip(held["\x00place"].to_list(), held[found.sensor].to_list(), strict=True)
        return Conflict(
            found.key,
            found.at,
            found.sensor,
            tuple(self._reading(place, value) for place, value in readings),
            found.stored,
        )

    def _reading(self, place: int, value: float) -> ReadingInRow:
        for one in self.parsed:
            if place < len(one.numbers):
                return ReadingInRow(one.report.path, int(one.numbers[place]), value)
            place -= len(one.numbers)
        raise IndexError(place)


def _check_same_case(reports: Sequence[FileReport]) -> None:
    """Sensors of several files whose names differ only in case would be one column of the table."""
    where = {name: report.path for report in reports for name in report.sensors}
    checked_sensors(where, where=", ".join(dict.fromkeys(where.values())))


def _check_names_used(reports: Sequence[FileReport], options: IngestOptions) -> None:
    """A column that is to be dropped may be absent from some files, but not from all: that is a slip."""
    columns = list(dict.fromkeys(name for report in reports for name in report.columns))
    named = [("--drop", name) for name in options.drop]
    named += [
        ("--sentinel", sentinel.column) for sentinel in options.sentinels if sentinel.column is not None
    ]
    for option, name in named:
        if name not in columns:
            raise BadInput(
                f"no file has a column {name!r}, named in {option}", fix=did_you_mean(name, columns)
            )

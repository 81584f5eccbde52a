"""Files on disk as rows for the readings table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id
from fleetcast.domain.ingest import FileReport, IngestOptions
from fleetcast.platforms.files.cells import Numbers, numbers_of
from fleetcast.platforms.files.columns import Roles, assign_roles
from fleetcast.platforms.files.raw_file import ROW, RawFile, read_raw
from fleetcast.platforms.files.timestamps import Times, times_of
from fleetcast.ports.readings_files import ParsedFile

_KEYS = ("plant_id", "circuit_id", "timestamp")


class LocalReadingsFiles:
    """Reads CSV, gzipped CSV and Parquet files from the local disk."""

    def parse(self, path: Path, options: IngestOptions) -> ParsedFile:
        """See `ReadingsFiles`."""
        file = read_raw(path, options.separator, options.uneven_rows)
        roles = assign_roles(file, options)
        times = times_of(file, roles.timestamp, options)
        numbers = [numbers_of(file, column, options) for column in roles.sensors]
        timed = pl.DataFrame(
            [
                file.frame[ROW],
                _ids(file, "plant_id", options.plant, options.plant_column),
                _ids(file, "circuit_id", options.circuit, options.circuit_column),
                times.values,
                *(one.values for one in numbers),
            ]
        ).filter(pl.col("timestamp").is_not_null())
        kept = timed.filter(pl.any_horizontal(pl.exclude(ROW, *_KEYS).is_not_null()))
        rows = kept.drop(ROW)
        return ParsedFile(rows, kept[ROW], _report(file, roles, times, numbers, timed, rows))


def _ids(file: RawFile, kind: str, fixed: str | None, column: str | None) -> pl.Series:
    if column is None:
        return pl.repeat(fixed, len(file.frame), dtype=pl.String, eager=True).alias(kind)
    ids = file.frame[column].cast(pl.String).str.strip_chars()
    for name in ids.unique().drop_nulls().sort():
        try:
            checked_id(kind, name)
        except BadInput as error:
            row = file.frame.filter(ids == name)[ROW][0]
            raise BadInput(f"{file.path}, row {row}, column {column!r}: {error}", fix=error.fix) from error
    if ids.null_count():
        row = file.frame.filter(ids.is_null())[ROW][0]
        raise BadInput(
            f"{file.path}, row {row}: column {column!r} names no {kind}",
            fix="fill it in, or leave the row out",
        )
    return ids.alias(kind)


def _report(
    file: RawFile, roles: Roles, times: Times, numbers: list[Numbers], timed: pl.DataFrame, rows: pl.DataFrame
) -> FileReport:
    distinct = {one.values.name: one.values.drop_nulls() for one in numbers}
    backwards = rows.select(
        (pl.col("timestamp") < pl.col("timestamp").shift(1).over("plant_id", "circuit_id")).sum()
    ).item()
    span = rows.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
    return FileReport(
        path=str(file.path),
        rows_read=len(file.frame) + file.dropped,
        rows_kept=len(rows),
        uneven_rows=file.dropped,
        padded_rows=file.padded,
        unread_times=times.unread,
        skipped_local_times=times.skipped,
        empty_rows=len(timed) - len(rows),
        unread_cells=tuple(one.unread for one in numbers if one.unread is not None),
        not_finite=sum(one.not_finite for one in numbers),
        sentinels=sum(one.sentinels for one in numbers),
        unsorted_rows=int(backwards),
        silent_sensors=tuple(name for name, held in distinct.items() if not len(held)),
        constant_sensors=tuple(
            name for name, held in distinct.items() if len(held) > 1 and held.min() == held.max()
        ),
        sensors=tuple(distinct),
        columns=file.columns,
        timestamp_columns=roles.timestamp,
        first=span[0],
        last=span[1],
    )

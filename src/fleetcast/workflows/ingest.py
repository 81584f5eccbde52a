"""Ingesting: files of readings into the readings table, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import FileReport, IngestOptions, IngestReport
from fleetcast.domain.sensor import did_you_mean
from fleetcast.ports.readings import WritableReadingsTable
from fleetcast.ports.readings_files import ReadingsFiles
from fleetcast.workflows.unique_rows import KEYS, unique_rows


@dataclass(frozen=True, slots=True)
class Ingest:
    """Store the readings of some files: all are read first, then one merge makes one commit of them."""

    files: ReadingsFiles
    table: WritableReadingsTable

    def __call__(self, paths: Sequence[Path], options: IngestOptions) -> IngestReport:
        """Ingest files in the order given; where they contradict each other the later one wins.

        Raises:
            BadInput: A file cannot be taken as it is; nothing was stored.
            Unavailable: The table could not be written; it is as it was.
        """
        if not paths:
            raise BadInput("no file to ingest", fix="name at least one CSV or Parquet file")
        parsed = [self.files.parse(path, options) for path in paths]
        reports = tuple(one.report for one in parsed)
        _check_names_used(reports, options)
        rows = pl.concat([one.rows for one in parsed], how="diagonal")
        if rows.is_empty():
            raise BadInput(
                f"{', '.join(report.path for report in reports)}: not one row holds a time and a reading",
                fix="check --take, --drop, --sentinel and --timestamp-format",
            )
        unique = unique_rows(rows)
        before = self.table.latest_version()
        outcome = self.table.merge(unique.rows)
        keys = unique.rows.select(pl.col(KEYS[0]) + "/" + pl.col(KEYS[1])).to_series().unique().sort()
        span = unique.rows.select(first=pl.col("timestamp").min(), last=pl.col("timestamp").max()).row(0)
        return IngestReport(
            files=reports,
            exact_duplicates=unique.exact,
            conflicting_duplicates=unique.conflicting,
            inserted=outcome.inserted,
            updated=outcome.updated,
            unchanged=len(unique.rows) - outcome.inserted - outcome.updated,
            version_before=before,
            version=outcome.version,
            circuits=tuple(keys),
            first=span[0],
            last=span[1],
        )


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

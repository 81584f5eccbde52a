"""Cells into numbers: what is no number becomes no reading, and is counted."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import IngestOptions, UnreadCells
from fleetcast.domain.sensor import LARGEST
from fleetcast.platforms.files.columns import SensorColumn
from fleetcast.platforms.files.number_signs import question_about, ungrouped, with_plain_minus
from fleetcast.platforms.files.raw_file import ROW, RawFile

_EMPTY = ("", "na", "n/a", "#n/a", "null", "none", "-")


@dataclass(frozen=True, slots=True)
class Numbers:
    """One sensor's column as float64, null where there is no reading, and what was masked on the way."""

    values: pl.Series
    unread: UnreadCells | None
    not_finite: int
    sentinels: int


def numbers_of(file: RawFile, column: SensorColumn, options: IngestOptions) -> Numbers:
    """Read one column as numbers.

    Raises:
        BadInput: Cells look like `1,5` or `1,234.5` and no decimal or thousands separator was named, or not a
            single cell is a number.
    """
    raw = file.frame[column.column]
    if raw.dtype.is_numeric() or raw.dtype in (pl.Boolean, pl.Null):
        values, unread = raw.cast(pl.Float64), None
    elif raw.dtype == pl.String:
        values, unread = _parsed(file, raw, column, options)
    else:
        raise BadInput(
            f"{file.path}: column {column.column!r} holds {raw.dtype}, not numbers",
            fix=f"leave it out: --drop '{column.column}'",
        )
    finite = values.abs() <= LARGEST  # false for NaN, too, which must not be taken for the largest of all
    finite &= values.is_not_nan()
    not_finite = int((~finite).sum())
    masked = values.set(~finite.fill_null(value=True), None) if not_finite else values
    present = masked.len() - masked.null_count()
    for sentinel in options.sentinels:
        if sentinel.column in (None, column.column):
            # Loggers keep 32-bit numbers: -273.2 is exported as -273.20001.
            near = (masked - sentinel.value).abs() <= 1e-6 * max(1.0, abs(sentinel.value))
            masked = masked.set(near.fill_null(value=False), None)
    sentinels = present - (masked.len() - masked.null_count())
    return Numbers(masked.alias(column.sensor), unread, not_finite, sentinels)


def _parsed(
    file: RawFile, raw: pl.Series, column: SensorColumn, options: IngestOptions
) -> tuple[pl.Series, UnreadCells | None]:
    values = _numbers(raw, options)
    if values.null_count() == raw.null_count():
        return values, None
    plain = with_plain_minus(raw.str.strip_chars())
    values = _numbers(plain, options)
    empty = (raw.is_null() | plain.str.to_lowercase().is_in(_EMPTY)).fill_null(value=True)
    wrong = values.is_null() & ~empty
    count = int(wrong.sum())
    if not count:
        return values, None
    asked = question_about(plain.filter(wrong), options)
    if asked is not None:
        row, example = _first(file, raw, wrong & (plain == asked.cell).fill_null(value=False))
        raise BadInput(
            f"{file.path}, row {row}: {column.column} is {example!r}: {asked.question}", fix=asked.fix
        )
    row, example = _first(file, raw, wrong)
    if count == int((~empty).sum()):
        raise BadInput(
            f"{file.path}: no cell of column {column.column!r} is a number (row {row}: {example!r})",
            fix=f"leave it out: --drop '{column.column}'",
        )
    return values, UnreadCells(column.sensor, count, row, example)


def _numbers(cells: pl.Series, options: IngestOptions) -> pl.Series:
    """Each cell as a number; null where it is none."""
    text = ungrouped(cells, options)
    if options.decimal == ",":
        # A point in a number with a decimal comma groups thousands or is a slip: which, nobody can tell.
        pointed = text.str.contains(".", literal=True).fill_null(value=False)
        text = text.set(pointed, "?").str.replace(",", ".", literal=True)
    return text.cast(pl.Float64, strict=False)


def _first(file: RawFile, raw: pl.Series, wrong: pl.Series) -> tuple[int, str]:
    at = wrong.arg_max()
    first = 0 if at is None else at
    return int(file.frame[ROW][first]), _short(str(raw[first]))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."

"""Rows of a CSV file that have fewer or more cells than the header has names.

Which cell a short row lacks is nowhere written. `2025-01-01 01:00,934.2,36.4` under
`time,temperature,humidity,pressure` may lack its last cell, or have lost its second, and then a pressure stands where
the temperature belongs. So such a row is refused. One kind can be told apart: the row fills the last column that any
whole row fills, and what it lacks stands behind that. Had it lost a cell further ahead, its last reading would stand
one column before. So it lacks empty cells alone, as where an exporter writes no separators at the end of a line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import UnevenRows

Cells = list[str]


@dataclass(frozen=True, slots=True)
class EvenRows:
    """The rows of a file, each with a cell for every column, and what was done for it."""

    frame: pl.DataFrame
    places: Sequence[int]
    """How many rows after the header each is."""
    dropped: int = 0
    """Rows left out."""
    padded: int = 0
    """Rows that lacked empty cells at their end, or had some too many there."""


def surely_even(frame: pl.DataFrame, content: bytes, separator: str) -> bool:
    """Whether no row is short, as far as it can be told without reading the file a second time.

    Args:
        frame: As read, with null for empty cells and for those that are not there; no row is long.
        content: The same file.
        separator: What separates its cells.
    """
    if not frame.get_column(frame.columns[-1]).null_count():
        return True
    body = content.strip(b"\r\n")
    if b'"' in body or b"\n\n" in body or b"\n\r\n" in body:
        return False
    return body.count(separator.encode()) == (frame.width - 1) * (body.count(b"\n") + 1)


def even_rows(path: Path, content: bytes, separator: str, header_row: int, uneven: UnevenRows) -> EvenRows:
    """Read a CSV file row by row, and decide about each that is short or long.

    Args:
        path: The file, for the error.
        content: All of it.
        separator: What separates its cells.
        header_row: The header's number, for the error.
        uneven: What to do with short and long rows.

    Raises:
        BadInput: One is, and is to be refused.
    """
    rows = _records(path, content, separator)
    names = rows[0]
    whole = [row for row in rows[1:] if len(row) == len(names)]
    last = max((_filled(row) for row in whole), default=_named(names))
    kept: list[tuple[int, Cells]] = []
    refused: list[tuple[int, Cells]] = []
    padded = 0
    for place, row in enumerate(rows):
        if not place or (not _filled(row) and len(row) < 2):
            continue
        short, blank_end = len(row) < len(names), _filled(row) <= len(names)
        if len(row) == len(names):
            kept.append((place, row))
        elif (short and _filled(row) == last) or (blank_end and uneven is UnevenRows.PAD):
            padded += 1
            kept.append((place, [*row, *("" for _ in names)][: len(names)]))
        else:
            refused.append((place, row))
    if refused and uneven is not UnevenRows.DROP:
        raise _refusal(f"{path}, row {header_row + refused[0][0]}", names, refused, len(kept))
    columns = zip(*(row for _, row in kept), strict=True) if kept else ([] for _ in names)
    frame = pl.DataFrame(
        [
            pl.Series(name, column, dtype=pl.String).replace("", None)
            for name, column in zip(names, columns, strict=True)
        ]
    )
    return EvenRows(frame, [place for place, _ in kept], len(refused), padded)


def _records(path: Path, content: bytes, separator: str) -> list[Cells]:
    # Decoded as it is read: as one text it would take up to four times the memory.
    text = io.TextIOWrapper(io.BytesIO(content.strip(b"\r\n")), encoding="utf-8-sig", newline="")
    try:
        return list(csv.reader(text, delimiter=separator))
    except csv.Error as error:
        raise BadInput(f"{path} is not a readable CSV file: {error}", fix="export it again") from error


def _named(names: Cells) -> int:
    """The last column with a name, where unnamed ones follow; 0 where none does."""
    named = _filled(names)
    return named if named < len(names) else 0


def _filled(row: Cells) -> int:
    """How many cells there are up to the last one that is not empty."""
    return max((place for place, cell in enumerate(row, start=1) if cell.strip()), default=0)


def _refusal(where: str, names: Cells, refused: list[tuple[int, Cells]], kept: int) -> BadInput:
    _, row = refused[0]
    short = len(row) < len(names)
    shown = ", ".join(repr(cell) for cell in row)
    return BadInput(
        f"{where} has {'fewer' if short else 'more'} fields than the header has names: {len(row)}, "
        f"not {len(names)} ({len(refused)} of {len(refused) + kept} rows): "
        f"{shown if len(shown) <= 120 else shown[:117] + '...'}",
        fix="a cell may be lost in the middle, so mend the export; or say --uneven-rows pad (what such rows lack is at "
        "their end, and empty) or --uneven-rows drop (leave them out)"
        if short
        else "give every column a name in the header line, and check --separator and --decimal (a number with the "
        "separator in it needs quotes); or leave such rows out: --uneven-rows drop",
    )

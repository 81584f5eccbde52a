"""Files as they are: CSV cells as text, Parquet columns with their types, nothing interpreted yet."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import MOST_CELLS, UnevenRows
from fleetcast.platforms.files.bounded_text import MOST_BYTES, text_of, too_many_cells
from fleetcast.platforms.files.other_kinds import refuse_other_kinds
from fleetcast.platforms.files.uneven_rows import even_rows, surely_even
from fleetcast.stored.named_file import NotAFile, TooLarge, opened

_HEAD = 4096
_SEPARATORS = (";", "\t", "|", ",")
ROW = "\x00row"
"""Name of the column that holds the row number in the file; no file can have one of that name."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file, unparsed. `frame` holds `ROW` (as a spreadsheet counts) and then the columns of the file."""

    path: Path
    frame: pl.DataFrame
    dropped: int = 0
    """Rows left out because they have fewer or more cells than the header has names."""
    padded: int = 0
    """Rows that lacked empty cells at their end, or had some too many there."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's own columns, in order."""
        return tuple(name for name in self.frame.columns if name != ROW)


def read_raw(path: Path, separator: str | None, uneven: UnevenRows) -> RawFile:
    """Read a `.parquet` file, or any other as (gzipped) CSV in UTF-8 with a header.

    Raises:
        BadInput: Missing, no plain file, empty, no rows, damaged, more than is read, not UTF-8, another kind of file,
            or rows shorter or longer than the header.
    """
    try:
        with opened(path) as stream:
            file = _read(path, stream, separator, uneven)
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file", fix="check the path") from error
    except NotAFile as error:
        if path.is_dir():
            raise BadInput(f"{path} is a folder", fix=f"name its files: {path}/*.csv") from error
        raise
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}", fix="check the file and its permissions"
        ) from error
    blank = pl.all_horizontal(pl.exclude(ROW).is_null())
    frame = file.frame.filter(~blank)
    if frame.is_empty() and not file.dropped:
        raise BadInput(f"{path} has a header but no rows", fix="check how it was exported")
    return replace(file, frame=frame)


def _read(path: Path, stream: BinaryIO, separator: str | None, uneven: UnevenRows) -> RawFile:
    head = stream.read(_HEAD)
    stream.seek(0)
    if not head:
        raise BadInput(f"{path} is empty", fix="check how it was exported: a header and rows are needed")
    refuse_other_kinds(path, head)
    if path.suffix.lower() in (".parquet", ".pq") or head.startswith(b"PAR1"):
        return RawFile(path, _parquet(path, stream).with_row_index(ROW, offset=1))
    return _csv(path, text_of(path, stream, head), separator, uneven)


def _parquet(path: Path, stream: BinaryIO) -> pl.DataFrame:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(size - 4, 0))
    end = stream.read()
    stream.seek(0)
    if not stream.read(4) == end == b"PAR1":
        raise BadInput(
            f"{path} is not a readable Parquet file: it does not begin and end as one, so it is cut off or "
            "another kind of file",
            fix="copy or export it again",
        )
    stream.seek(0)
    if size > MOST_BYTES:
        raise TooLarge(path, MOST_BYTES)
    content = stream.read()
    try:
        scan = pl.scan_parquet(io.BytesIO(content))
        cells = int(scan.select(pl.len()).collect().item()) * len(scan.collect_schema())
        if cells > MOST_CELLS:
            raise too_many_cells(path, cells)
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise BadInput(f"{path} is not a readable Parquet file: {error}", fix="export it again") from error


def _csv(path: Path, content: bytes, separator: str | None, uneven: UnevenRows) -> RawFile:
    text = content.removeprefix(b"\xef\xbb\xbf")
    body = text.lstrip(b"\r\n")
    header = body.split(b"\n", 1)[0].decode().strip("\r")
    if not header.strip():
        raise BadInput(f"{path} is empty", fix="check how it was exported: a header and rows are needed")
    if "\r" in header:
        raise BadInput(
            f"{path} ends its lines in a carriage return alone",
            fix=f"convert it: tr '\\r' '\\n' < {path.name} > converted.csv",
        )
    used = separator or _separator_of(header)
    _check_header(path, header, used)
    header_row = text[: len(text) - len(body)].count(b"\n") + 1
    try:
        frame = pl.read_csv(io.BytesIO(body), separator=used, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise BadInput(
            f"{path} is empty", fix="check how it was exported: a header and rows are needed"
        ) from error
    except pl.exceptions.PolarsError as error:
        if "more fields" not in str(error):
            why = " ".join(str(error).rpartition("Original error:")[2].replace("`", "").split())[:200]
            raise BadInput(f"{path} is not a readable CSV file: {why}", fix="export it again") from error
    else:
        if surely_even(frame, body, used):
            return RawFile(path, _without_unnamed(frame.with_row_index(ROW, offset=header_row + 1)))
    even = even_rows(path, body, used, header_row, uneven)
    rows = pl.Series(ROW, [header_row + place for place in even.places], dtype=pl.get_index_type())
    frame = even.frame.insert_column(0, rows)
    return RawFile(path, _without_unnamed(frame), even.dropped, even.padded)


def _without_unnamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the empty column that a separator at the end of each line makes."""
    last = frame.columns[-1]
    return frame.drop(last) if not last.strip() and frame[last].null_count() == len(frame) else frame


def _separator_of(header: str) -> str:
    outside_quotes = re.sub('"[^"]*"', "", header)
    counts = {separator: outside_quotes.count(separator) for separator in _SEPARATORS}
    return max(_SEPARATORS, key=lambda separator: counts[separator]) if any(counts.values()) else ","


def _check_header(path: Path, header: str, separator: str) -> None:
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator))]
    if len(names) == 1:
        raise BadInput(
            f"{path} has a single column, {names[0]!r}",
            fix="a time and a sensor are needed; check --separator",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(
            f"{path}: column {twice[0]!r} occurs twice in the header", fix="give each column its own name"
        )

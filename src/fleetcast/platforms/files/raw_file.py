"""Files as they are: CSV cells as text, Parquet columns with their types, nothing interpreted yet."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import UnevenRows
from fleetcast.platforms.files.uneven_rows import even_rows, surely_even

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
        BadInput: Missing, a folder, empty, no rows, damaged, not UTF-8, or rows shorter or longer than the header.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file", fix="check the path") from error
    except IsADirectoryError as error:
        raise BadInput(f"{path} is a folder", fix=f"name its files: {path}/*.csv") from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}", fix="check the file and its permissions"
        ) from error
    if not content:
        raise BadInput(f"{path} is empty", fix="check how it was exported: a header and rows are needed")
    if path.suffix.lower() in (".parquet", ".pq") or content[:4] == b"PAR1":
        file = RawFile(path, _parquet(path, content).with_row_index(ROW, offset=1))
    else:
        file = _csv(path, _unzipped(path, content), separator, uneven)
    blank = pl.all_horizontal(pl.exclude(ROW).is_null())
    frame = file.frame.filter(~blank)
    if frame.is_empty() and not file.dropped:
        raise BadInput(f"{path} has a header but no rows", fix="check how it was exported")
    return replace(file, frame=frame)


def _parquet(path: Path, content: bytes) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"{path} is not a readable Parquet file: {error}", fix="export it again") from error


def _unzipped(path: Path, content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is a damaged gzip file: {error}", fix="copy or export it again") from error


def _csv(path: Path, content: bytes, separator: str | None, uneven: UnevenRows) -> RawFile:
    _check_encoding(path, content)
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


def _check_encoding(path: Path, content: bytes) -> None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput(
            f"{path} is in UTF-16, not UTF-8", fix=f"convert it: iconv -f UTF-16 -t UTF-8 {path.name}"
        )
    if b"\0" in content:
        row = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise BadInput(
            f"{path}, row {row}: a NUL byte, as a power cut leaves behind, or a file that is not in UTF-8",
            fix="copy or export it again",
        )
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path}, row {row}: byte 0x{content[error.start]:02x} is not UTF-8",
            fix=f"convert it, for instance from Western Windows: iconv -f CP1252 -t UTF-8 {path.name}",
        ) from error


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

"""The text of a file, plain or gzipped, read piece by piece: what is too much, or no text, ends it at once."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import MOST_CELLS

MOST_BYTES = 2**30
"""Of text, unpacked, in one file."""
MOST_OF_A_LINE = 2**20
"""Bytes; between two line breaks."""
_PIECE = 2**20
_GZIP = b"\x1f\x8b"
_SPLIT = "split it, and ingest its parts one after the other"
_SEPARATORS = (b",", b";", b"\t", b"|", b"\n")


def too_many_cells(path: Path, cells: int) -> BadInput:
    """The refusal of a file with more cells than are read at once."""
    more = f"{cells:,} cells" if cells else f"more than {MOST_CELLS:,} cells"
    return BadInput(f"{path} has {more}; up to {MOST_CELLS:,} of a file are read", fix=_SPLIT)


def text_of(path: Path, stream: BinaryIO, head: bytes) -> bytes:
    """The text of a file, in UTF-8.

    Args:
        path: The file, for errors.
        stream: Opened, at its beginning.
        head: Its first bytes.

    Raises:
        BadInput: It unpacks to more than is read, has a line that is too long, is damaged, or not in UTF-8.
    """
    if not head.startswith(_GZIP):
        if path.suffix.lower() in (".gz", ".gzip"):
            raise BadInput(
                f"{path} is called as if it were gzipped, but is not",
                fix=f"look what it holds; if that is CSV, rename it: {path.stem}",
            )
        return _read(path, stream)
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            return _read(path, unpacked)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is a damaged gzip file: {error}", fix="copy or export it again") from error


def _read(path: Path, stream: BinaryIO | gzip.GzipFile) -> bytes:
    text = _Text(path)
    while piece := stream.read(_PIECE):
        text.take(piece)
    text.end()
    return bytes(text.content)


@dataclass(slots=True)
class _Text:
    """What was read of one file so far."""

    path: Path
    content: bytearray = field(default_factory=bytearray)
    rows: int = 0
    cells: int = 0
    line: int = 0
    """Bytes since the last line break."""
    decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def take(self, piece: bytes) -> None:
        if not self.content and piece[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadInput(
                f"{self.path} is in UTF-16, not UTF-8",
                fix=f"convert it: iconv -f UTF-16 -t UTF-8 {self.path.name}",
            )
        if (at := piece.find(b"\0")) >= 0:
            raise BadInput(
                f"{self.path}, row {self._row(piece, at)}: a NUL byte, as a power cut leaves behind, or a file that is "
                "not in UTF-8",
                fix="copy or export it again",
            )
        self._decode(piece)
        self._check_line(piece)
        self.content += piece
        if len(self.content) > MOST_BYTES:
            raise BadInput(f"{self.path} holds more than {MOST_BYTES // 2**30} GiB of text", fix=_SPLIT)
        self.rows += piece.count(b"\n")
        self.cells += max(piece.count(sign) for sign in _SEPARATORS)
        if self.cells > MOST_CELLS:
            raise too_many_cells(self.path, 0)

    def end(self) -> None:
        self._decode(b"", final=True)

    def _row(self, piece: bytes, at: int) -> int:
        return self.rows + piece.count(b"\n", 0, at) + 1

    def _decode(self, piece: bytes, *, final: bool = False) -> None:
        try:
            self.decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise BadInput(
                f"{self.path}, row {self._row(error.object, error.start)}: byte 0x{error.object[error.start]:02x} "
                "is not UTF-8",
                fix=f"convert it, for instance from Western Windows: iconv -f CP1252 -t UTF-8 {self.path.name}",
            ) from error

    def _check_line(self, piece: bytes) -> None:
        first, last = _breaks(piece)
        self.line += len(piece) if first < 0 else first
        if self.line > MOST_OF_A_LINE:
            raise BadInput(
                f"{self.path}, row {self.rows + 1}: a line of more than {MOST_OF_A_LINE // 2**20} MiB",
                fix="check that it is the right file, and how it was exported",
            )
        if first >= 0:
            self.line = len(piece) - last - 1


def _breaks(piece: bytes) -> tuple[int, int]:
    """Where the first and the last line break are, -1 where there is none."""
    found = [place for sign in (b"\n", b"\r") if (place := piece.find(sign)) >= 0]
    return min(found, default=-1), max(piece.rfind(b"\n"), piece.rfind(b"\r"))

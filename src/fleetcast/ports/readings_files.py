"""What fleetcast needs from files of readings that people bring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fleetcast.domain.ingest import FileReport, IngestOptions

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """One file as rows for the readings table, in file order; keys may repeat.

    `rows` has `plant_id`, `circuit_id` (text), `timestamp` (UTC, microseconds) and the sensors (float64; null
    where there is no reading, never NaN or Inf).
    """

    rows: pl.DataFrame
    numbers: pl.Series
    """Of each row in its file, as a spreadsheet counts."""
    report: FileReport


class ReadingsFiles(Protocol):
    """Reads files of readings, whole."""

    def parse(self, path: Path, options: IngestOptions) -> ParsedFile:
        """Read one file as the options say.

        Raises:
            BadInput: The file is missing, empty, damaged, or the options leave something open; the text names
                the file, and the row and column where there is one.
        """
        ...

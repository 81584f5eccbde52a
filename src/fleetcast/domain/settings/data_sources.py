"""Where readings come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id
from fleetcast.domain.settings.platform import DEFAULT_STATE
from fleetcast.domain.table_mapping import TableMapping

DEFAULT_READINGS = DEFAULT_STATE / "readings"


class DataSourceKind(StrEnum):
    """Where readings come from."""

    OWN = "own"
    """The Delta table that `fleetcast ingest` writes."""
    DELTA = "delta"
    """A Delta table that somebody else keeps; it is only read."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """A named place that readings are read from."""

    name: str
    kind: DataSourceKind = DataSourceKind.OWN
    path: PurePosixPath = DEFAULT_READINGS
    """Of an own table: relative to the fleet directory and inside it."""
    address: str = ""
    """Of a foreign table: a URI, or a path from the fleet directory."""
    mapping: TableMapping | None = None
    """Of a foreign table: what its columns are."""

    def __post_init__(self) -> None:
        checked_id("data source", self.name)
        if self.kind is DataSourceKind.DELTA and (self.mapping is None or not self.address):
            raise BadInput(
                "a Delta table needs its `path`", fix="write path: a folder, or a URI such as s3://…"
            )

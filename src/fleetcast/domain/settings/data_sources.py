"""Where readings come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import checked_id
from fleetcast.domain.settings.platform import DEFAULT_STATE
from fleetcast.domain.table_mapping import TableMapping

DEFAULT_READINGS = DEFAULT_STATE / "readings"


@dataclass(frozen=True, slots=True)
class OwnTable:
    """The Delta table that `fleetcast ingest` writes."""

    name: str
    path: PurePosixPath = DEFAULT_READINGS
    """Relative to the fleet directory and inside it."""

    def __post_init__(self) -> None:
        checked_id("data source", self.name)


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A Delta table that somebody else keeps; it is only read."""

    name: str
    address: str
    """A URI, or a path from the fleet directory."""
    mapping: TableMapping
    """What its columns are."""

    def __post_init__(self) -> None:
        checked_id("data source", self.name)
        if not self.address:
            raise BadInput(
                "a Delta table needs its `path`", fix="write path: a folder, or a URI such as s3://…"
            )


DataSource = OwnTable | ExternalTable
"""A named place that readings are read from."""

"""What fleetcast needs from a table of sensor readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Readings:
    """The raw rows of one circuit in one time window, as they are in the table.

    `times` has shape (n,): microseconds since 1970-01-01 UTC, ascending, unique. `values` has shape (n, k):
    one column for each of `sensors`, each in its own unit, NaN where there is no reading. A sensor the
    table has no column for is named in `absent` and its column is all NaN.
    """

    key: CircuitKey
    sensors: tuple[str, ...]
    absent: frozenset[str]
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    conflict: str = ""
    """Why these rows contradict each other, so that none of them can be trusted; empty if they do not."""

    def fingerprint(self) -> Digest:
        """SHA-256 of the sensors' names, the times and the values, bit for bit; the key is not part of it."""
        header = "\x1f".join(self.sensors).encode() + b"\x1e"
        return Digest.of(
            header + self.times.astype("<i8").tobytes() + np.ascontiguousarray(self.values, "<f8").tobytes()
        )


@dataclass(frozen=True, slots=True)
class ReadingsWanted:
    """Which rows of a circuit to read: sensors, and the window [start, end) in aware UTC."""

    key: CircuitKey
    sensors: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TableVersion:
    """One commit of a table."""

    version: int
    committed_at: datetime
    """Aware UTC."""
    operation: str
    rows_written: int | None


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """What a merge did. Rows already there with equal values are untouched, so a repeat writes nothing."""

    version: int
    """The table's version after the merge; unchanged if nothing was written."""
    inserted: int
    updated: int
    differing: int = 0
    """Stored readings that differ from those given: replaced or kept, as told."""


class Stored(Enum):
    """What becomes of a stored reading that differs from the one given."""

    REPLACED = "replaced"
    KEPT = "kept"
    REFUSED = "refused"
    """Nothing is stored then."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored reading, and another one given for it."""

    key: CircuitKey
    at: datetime
    """Aware UTC."""
    sensor: str
    stored: float
    given: float


class StoredReadingsDiffer(BadInput):
    """Readings were given that the table holds otherwise; it is as it was."""

    def __init__(self, count: int, first: Sequence[Difference]) -> None:
        shown = [f"{one.key} {one.at} {one.sensor}: {one.stored}, not {one.given}" for one in first]
        super().__init__(
            f"{count:,} stored readings differ from those given: {'; '.join(shown)}",
            fix="store them again with `fleetcast ingest --on-conflict last`, or leave them out",
        )
        self.count = count
        self.first = first


class VersionGone(BadInput):
    """A version of a table can no longer be read: its log or its files were cleaned up."""


class ReadingsTable(Protocol):
    """A versioned table of readings: `plant_id`, `circuit_id`, `timestamp` (UTC), one column for each sensor.

    A version never changes once committed. Reading asks the table once for all circuits wanted, however many.
    """

    def latest_version(self) -> int | None:
        """The newest version; None if the table does not exist yet."""
        ...

    def versions(self) -> Sequence[TableVersion]:
        """All versions the table still knows, newest first."""
        ...

    def circuits(self, version: int) -> Sequence[CircuitKey]:
        """The circuits with at least one row in that version, sorted.

        Raises:
            BadInput: There is no such version.
        """
        ...

    def sensors(self, version: int) -> Sequence[str]:
        """The sensor columns of that version, sorted.

        Raises:
            BadInput: There is no such version.
        """
        ...

    def columns(self, version: int) -> Sequence[str] | None:
        """The sensors as far as they can be told without reading rows; None where only the rows tell.

        Raises:
            BadInput: There is no such version.
        """
        ...

    def read(self, wanted: Sequence[ReadingsWanted], version: int) -> Iterator[Readings]:
        """Read several circuits of one version in one pass: one result for each wanted, plant by plant.

        A circuit without rows gives `Readings` with n = 0. Memory is bounded by the rows of one plant.

        Raises:
            BadInput: The table or that version does not exist; the text names the versions there are.
            VersionGone: It did exist.
        """
        ...

    def expires_at(self, version: int) -> datetime | None:
        """When the table's own clean-up may remove a version, aware UTC; None if nothing removes it."""
        ...


class WritableReadingsTable(ReadingsTable, Protocol):
    """The table that fleetcast keeps itself."""

    def vacuum(self, keep: Collection[int], older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """Remove files that neither the newest version nor any of those to keep needs, and give the names of all.

        Args:
            keep: Versions that must stay readable.
            older_than: Files that a newer version replaced more recently than this stay.
            dry_run: Only say which.

        Raises:
            Unavailable: The store refuses.
        """
        ...

    def merge(self, rows: pl.DataFrame, stored: Stored = Stored.REPLACED) -> MergeOutcome:
        """Insert new rows and update changed ones, by (plant_id, circuit_id, timestamp), in one commit.

        Args:
            rows: `plant_id`, `circuit_id` (text), `timestamp` (UTC, microseconds), sensors (float64); keys
                unique. A null cell keeps what the table has. New sensor columns are added to the table.
            stored: What becomes of readings that the table holds otherwise.

        Raises:
            StoredReadingsDiffer: It holds some otherwise, and that is refused.
            Unavailable: The disk refuses or is full; the table is as it was.
        """
        ...

"""What a person can say about a file of readings, and what ingesting reports back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, checked_id
from fleetcast.domain.zone_names import check_zone


class Ambiguous(Enum):
    """What to do with a local time that the clock showed twice, in the autumn hour."""

    ERROR = "error"
    EARLIEST = "earliest"
    LATEST = "latest"
    SKIP = "skip"


class Nonexistent(Enum):
    """What to do with a local time that the clock never showed, in the spring hour."""

    ERROR = "error"
    SHIFT = "shift"
    """Take it as the hour after: the clock was not yet moved."""
    SKIP = "skip"


class BadRows(Enum):
    """What to do with a row whose time cannot be read."""

    REFUSE = "refuse"
    SKIP = "skip"


class OnConflict(Enum):
    """Which reading stands where rows of one circuit and time say different ones for a sensor.

    Between rows of the files given, order decides with `last` and `first` alone. What is stored came before them.
    """

    LAST = "last"
    """In file order; it replaces what is stored."""
    FIRST = "first"
    """In file order; what is stored stays."""
    MEAN = "mean"
    """That of the different readings; one that is stored is nobody's mean any more, so it must be the same."""
    DROP = "drop"
    """None of them; a reading that is stored must be the same as one that is not dropped."""
    REFUSE = "refuse"
    """Nothing is stored at all, neither against another row nor against the table."""


class UnevenRows(Enum):
    """What to do with a row that has fewer or more cells than the header has names."""

    REFUSE = "refuse"
    """Unless it is plain that it only lacks empty cells at its end."""
    DROP = "drop"
    PAD = "pad"
    """Take what it lacks as empty and at its end; empty cells too many there do not count."""


class Thousands(Enum):
    """What separates groups of digits in large numbers."""

    POINT = "."
    COMMA = ","
    SPACE = "space"
    APOSTROPHE = "apostrophe"
    NONE = "none"
    """Nothing does: a cell that looks like it is no number."""


MOST_CELLS = 100_000_000
"""Of one file, and of the rows of all files by all their sensors, empty ones included.

Each takes some 60 bytes of memory while the file is read.
"""

UNIX_FORMATS = {"unix": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
"""Timestamp formats for numbers since 1970-01-01 UTC, with the microseconds that one unit is worth."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """A number that stands for "no reading", in one column or (column None) in all."""

    value: float
    column: str | None = None

    @classmethod
    def parse(cls, text: str) -> Sentinel:
        """Read `-9999` or `COLUMN=-9999`.

        Raises:
            BadInput: What should be a number is not.
        """
        column, equals, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise BadInput(
                f"sentinel {text!r} is not a number", fix="write --sentinel -9999 or --sentinel COLUMN=-9999"
            )
        return cls(value, column if equals else None)


@dataclass(frozen=True, slots=True)
class Rename:
    """A column of the file, and the sensor it is stored as."""

    old: str
    new: str

    @classmethod
    def parse(cls, text: str) -> Rename:
        """Read `OLD=NEW`.

        Raises:
            BadInput: There is no equals sign, or one side is empty.
        """
        old, _, new = text.rpartition("=")
        if not old or not new:
            raise BadInput(f"rename {text!r} does not say old and new name", fix="write --rename 'OLD=NEW'")
        return cls(old, new)


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to read files of readings. Every column is named as the file names it, before renaming.

    Exactly one of `plant` and `plant_column` is given, and one of `circuit` and `circuit_column`.
    """

    plant: str | None = None
    circuit: str | None = None
    plant_column: str | None = None
    circuit_column: str | None = None
    timestamp_columns: tuple[str, ...] = ()
    """Joined by a blank; empty: the one column called timestamp, datetime, date, time or the like."""
    timestamp_format: str | None = None
    """strptime directives, or `unix`, `unix_ms`, `unix_us`; None: ISO 8601."""
    timezone: str | None = None
    """IANA name or offset of times that carry no offset of their own; None: such times are an error."""
    ambiguous: Ambiguous = Ambiguous.ERROR
    nonexistent: Nonexistent = Nonexistent.ERROR
    separator: str | None = None
    """One character; None: found from the header."""
    decimal: str | None = None
    """`.` or `,`; None: a point, and cells that look like `1,5` are an error that asks."""
    thousands: Thousands | None = None
    """None: cells that look like `1,234.5` are an error that asks."""
    renames: tuple[Rename, ...] = ()
    sentinels: tuple[Sentinel, ...] = ()
    take: tuple[str, ...] = ()
    """The only sensor columns to store; empty: all but `drop`."""
    drop: tuple[str, ...] = ()
    bad_rows: BadRows = BadRows.REFUSE
    uneven_rows: UnevenRows = UnevenRows.REFUSE
    on_conflict: OnConflict = OnConflict.LAST

    def __post_init__(self) -> None:
        self._check_one("plant", self.plant, self.plant_column)
        self._check_one("circuit", self.circuit, self.circuit_column)
        if self.plant is not None:
            checked_id("plant_id", self.plant)
        if self.circuit is not None:
            checked_id("circuit_id", self.circuit)
        if self.timezone is not None:
            check_zone(self.timezone)
        if self.decimal not in (None, ".", ","):
            raise BadInput(f"decimal {self.decimal!r} is not known", fix="write --decimal . or --decimal ,")
        if self.separator is not None and len(self.separator.encode()) != 1:
            raise BadInput(
                f"separator {self.separator!r} is not one character",
                fix="write --separator ';' or --separator tab",
            )
        if self.separator is not None and self.separator == self.decimal:
            raise BadInput(
                f"separator and decimal are both {self.decimal!r}",
                fix="give the separator of the file: --separator ';'",
            )
        if self.thousands is not None and self.thousands.value == (self.decimal or "."):
            raise BadInput(
                f"{self.thousands.value!r} cannot be both the decimal sign and the thousands separator",
                fix="give both: --decimal , --thousands . (or --decimal . --thousands ,)",
            )
        both = sorted(set(self.take) & set(self.drop))
        if both:
            raise BadInput(
                f"column {both[0]!r} is both taken and dropped",
                fix="name it in --take or in --drop, not both",
            )

        self._check_once("--timestamp-column", self.timestamp_columns)
        self._check_once("--rename", tuple(rename.old for rename in self.renames))
        self._check_once("--take", self.take)

    @staticmethod
    def _check_once(option: str, names: tuple[str, ...]) -> None:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadInput(f"column {twice[0]!r} is named twice in {option}", fix="name it once")

    @staticmethod
    def _check_one(kind: str, fixed: str | None, column: str | None) -> None:
        if (fixed is None) == (column is None):
            said = "neither" if fixed is None else "both"
            raise BadInput(
                f"{said} a {kind} and a column that names it {'is' if fixed is None else 'are'} given",
                fix=f"give --{kind} NAME, or --{kind}-column COLUMN if the file holds several",
            )


@dataclass(frozen=True, slots=True)
class UnreadCells:
    """Cells of one sensor that are not numbers; stored as no reading."""

    sensor: str
    count: int
    first_row: int
    """As a spreadsheet counts: the header of a text file is row 1."""
    example: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file."""

    path: str
    rows_read: int
    rows_kept: int
    """Rows with a time and at least one reading."""
    uneven_rows: int
    """Rows left out because they have fewer or more cells than the header has names."""
    padded_rows: int
    """Rows that lacked empty cells at their end, or had some too many there; stored."""
    unread_times: int
    """Rows left out because their time could not be read."""
    skipped_local_times: int
    """Rows left out because the clock showed their time twice or never."""
    empty_rows: int
    """Rows left out because no sensor has a reading."""
    unread_cells: tuple[UnreadCells, ...]
    not_finite: int
    """Cells that are ±Inf, NaN or beyond what a sensor can read; stored as no reading."""
    sentinels: int
    """Cells that held a sentinel; stored as no reading."""
    unsorted_rows: int
    """Rows of a circuit that are earlier than the row of that circuit before them."""
    silent_sensors: tuple[str, ...]
    """Sensors without a single reading in this file."""
    constant_sensors: tuple[str, ...]
    """Sensors with one value throughout this file."""
    sensors: tuple[str, ...]
    columns: tuple[str, ...]
    """As the file names them."""
    timestamp_columns: tuple[str, ...]
    first: datetime | None
    """Aware UTC."""
    last: datetime | None


@dataclass(frozen=True, slots=True)
class ReadingInRow:
    """One sensor's reading, and where it stands."""

    path: str
    row: int
    """As a spreadsheet counts: the header of a text file is row 1."""
    value: float


@dataclass(frozen=True, slots=True)
class Conflict:
    """Different readings of one circuit, time and sensor."""

    circuit: CircuitKey
    at: datetime
    """Aware UTC."""
    sensor: str
    readings: tuple[ReadingInRow, ...]
    """In file order, the first few."""
    stored: float | None = None
    """What the table holds, where that is what they contradict."""


@dataclass(frozen=True, slots=True)
class NearName:
    """A sensor that the table did not hold and no circuit declares, one letter off one that is known."""

    sensor: str
    like: str
    path: str
    """The first file that brings it."""


class ConflictingReadings(BadInput):
    """Readings that contradict each other, and may not be settled as told; nothing was stored."""

    def __init__(self, count: int, first: Sequence[Conflict], *, fix: str) -> None:
        what = "a reading contradicts another" if count == 1 else f"{count:,} readings contradict others"
        shown = "; ".join(conflict_in_words(one) for one in first)
        super().__init__(f"{what} of the same circuit, time and sensor: {shown}", fix=fix)


def conflict_in_words(conflict: Conflict) -> str:
    """A conflict in one line."""
    readings = [f"{one.value:.15g} ({one.path}, row {one.row})" for one in conflict.readings]
    if conflict.stored is not None:
        readings.append(f"{conflict.stored:.15g} (stored)")
    at = conflict.at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{conflict.circuit} {at} {conflict.sensor}: {', '.join(readings)}"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingest found and did; `rows_read` = left out + duplicates + joined + inserted + updated + unchanged."""

    files: tuple[FileReport, ...]
    exact_duplicates: int
    """Rows equal to another row of the same circuit and time; dropped."""
    conflicting_duplicates: int
    """Rows with the circuit and time of another row that says something else; settled as `on_conflict` says."""
    joined_rows: int
    """Rows that say something of other sensors than another row of the same circuit and time."""
    on_conflict: OnConflict
    conflicts: int
    """Circuit, time and sensor with different readings in the files."""
    first_conflicts: tuple[Conflict, ...]
    stored_conflicts: int
    """Stored readings that differ from the files': replaced, or with `first` kept."""
    inserted: int
    updated: int
    unchanged: int
    """Rows the table held already, with the same readings."""
    version_before: int | None
    version: int
    """The table's version now; equal to `version_before` if nothing was new."""
    circuits: tuple[str, ...]
    """`PLANT/CIRCUIT`, sorted."""
    first: datetime | None
    last: datetime | None
    near_names: tuple[NearName, ...] = ()

    @property
    def rows_read(self) -> int:
        """Rows of all files."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_written(self) -> int:
        """Rows that changed the table."""
        return self.inserted + self.updated

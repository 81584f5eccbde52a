"""What fleetcast needs to publish the forecasts of a whole fleet: the table, and the book that says who is at it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.place import EnvironmentName

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """Rows that are kept, and that no reader sees before they are published."""

    path: str
    """Below the table."""
    bytes: int
    rows: int
    statistics: str
    """Of its columns, as Delta Lake writes them: JSON."""


@dataclass(frozen=True, slots=True)
class Issue:
    """What was published at one time for one day; the next one of the day corrects it."""

    day: date
    number: int
    """Counted 1, 2, 3 for each day."""
    version: int
    """Of the table: whoever reads that one reads the forecasts as they were then."""
    published_at: datetime
    """Aware UTC."""


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What some of a circuit's forecasts were made from."""

    key: CircuitKey
    data_source: str
    delta_version: int
    model: str | None
    """`NAME:VERSION`; None: no model made them."""


class ForecastTable(Protocol):
    """Forecasts by day, one row for each circuit, sensor and step: the latest issue of each circuit.

    Columns, besides the day:

    - `plant_id`, `circuit_id`, `sensor`, `step` (counted from 1), `timestamp` (UTC, where the step begins);
    - `point`, `lower_80`, `upper_80`, `lower_95`, `upper_95` in the sensor's unit, never empty;
    - `source` (`model`, `previous model`, `seasonal naive`, `last good value`) and `reason`: empty for the model's own,
      else why that and what followed was not used; `quarantined`: what the model gave and nobody is given;
    - `model`, `version`, `training_hash`, `artifact`: what forecast it, null where no model did;
    - `release`: its number at the plant's endpoint; `override`: why it was another model than the release says;
    - `data_source`, `delta_version`: the readings that it was made from; `newest_reading`;
    - `commit`: of the fleet when it was made; `issue`, `made_at`.
    """

    def issues(self, day: date) -> Sequence[Issue]:
        """What was published for a day, oldest first."""
        ...

    def circuits(self, day: date) -> Collection[CircuitKey]:
        """Whose forecasts there are for a day."""
        ...

    def write(self, day: date, rows: pl.DataFrame) -> WrittenPart:
        """Keep rows of a day, which no reader sees yet; those of a process that ended early are never seen.

        Raises:
            Unavailable: The disk or the store refuses.
        """
        ...

    def publish(
        self, day: date, number: int, parts: Sequence[WrittenPart], replaced: Collection[CircuitKey]
    ) -> int:
        """Let readers see an issue, all of it at once; one that they see already is left as it is.

        Args:
            day: Which.
            number: Of the issue.
            parts: What it consists of.
            replaced: Circuits whose earlier rows of that day go; older versions of the table keep them.

        Returns:
            The version of the table that shows it.

        Raises:
            Unavailable: The disk or the store refuses; readers see what they saw.
        """
        ...

    def read(
        self, day: date, keys: Collection[CircuitKey] | None = None, version: int | None = None
    ) -> pl.DataFrame:
        """The rows of a day, by circuit, sensor and step.

        Args:
            day: Which; without rows there are none.
            keys: Only of these circuits; None: of all.
            version: Of the table; None: the newest.

        Raises:
            BadInput: There is no such version.
        """
        ...

    def by_day(
        self, days: Collection[date], keys: Collection[CircuitKey], columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """Some columns of the rows of some circuits, day by day, rows as they were written.

        The log is read once, and only files that can hold such rows are opened.

        Args:
            days: Which; those without rows give none.
            keys: Of the circuits.
            columns: Their names.

        Raises:
            Unavailable: The table cannot be read.
        """
        ...

    def made_from(self, day: date) -> Sequence[MadeFrom]:
        """What the forecasts of a day were made from; each combination once."""
        ...

    def remove(self, days: Collection[date]) -> None:
        """Take the forecasts of days out of the table, all in one commit; days without any are left so.

        Their files stay until `vacuum`, and older versions of the table show them until then.

        Raises:
            Unavailable: The disk or the store refuses; readers see what they saw.
        """
        ...

    def vacuum(self, older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """Remove the files of days that were removed, for older versions too; gives their names.

        Every issue of a day that is there can be read as before.

        Args:
            older_than: Files that a newer version replaced more recently than this stay.
            dry_run: Only say which.

        Raises:
            Unavailable: The store refuses; what was not removed can be removed later.
        """
        ...

    def days(self) -> Sequence[date]:
        """The days that there are forecasts for, oldest first."""
        ...


class ForecastBook(Protocol):
    """Sees to it that one process publishes at a time."""

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who publishes there, for the length of a `with` block; as of `RunBook.exclusive`."""
        ...

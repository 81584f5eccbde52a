"""What fleetcast needs to keep what monitoring saw, where any tool for tables can read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.drift import Observation
from fleetcast.domain.place import EnvironmentName
from fleetcast.ports.forecasts import WrittenPart


class ObservationTable(Protocol):
    """What every look saw, one row for each observation, by environment and day of the look (UTC).

    Columns, besides `environment` and `day`:

    - `at` (UTC): up to when was looked; all rows of one look share it;
    - `signal`, `plant_id`, `circuit_id`, `sensor`: what was looked at; without a sensor it is about the circuit,
      without a circuit about the plant;
    - `outcome`: `fine`, `breached`, `not enough data` or `not measured`;
    - `value`, `threshold`, `unit`: how much, against how much; null where nothing was measured or is expected;
    - `p_value`: how likely chance alone gives as much; null where no test was made;
    - `impact`: how much the forecast suffers, as a share of its error;
    - `model`: `NAME:VERSION` that was deployed;
    - `detail`: further numbers by name, as a JSON object.
    """

    def write(
        self, environment: EnvironmentName, at: datetime, observations: Sequence[Observation]
    ) -> WrittenPart:
        """Keep some observations of a look, at least one, which no reader sees yet.

        Raises:
            Unavailable: The disk or the store refuses.
        """
        ...

    def publish(self, environment: EnvironmentName, at: datetime, parts: Sequence[WrittenPart]) -> bool:
        """Let readers see a look, all of it at once.

        One that is not newer than the newest of that environment is left as it is, so that no look is there twice.

        Returns:
            Whether this made it visible.

        Raises:
            Unavailable: The disk or the store refuses; readers see what they saw.
        """
        ...

    def newest(self, environment: EnvironmentName) -> datetime | None:
        """Up to when the newest look saw, aware UTC; None: there was none."""
        ...

    def breached(self, environment: EnvironmentName, start: datetime, end: datetime) -> Sequence[Observation]:
        """What was breached in looks in [start, end), oldest first.

        Raises:
            Unavailable: The table cannot be read.
        """
        ...

    def vacuum(self, older_than: timedelta, *, dry_run: bool) -> Sequence[str]:
        """Remove, or only name, the files that no reader will ever see: parts of looks that came to nothing.

        Args:
            older_than: Younger files stay: a look may be under way.
            dry_run: Only say which.

        Raises:
            Unavailable: The store refuses.
        """
        ...

    def remembered(
        self, environment: EnvironmentName, start: datetime, end: datetime, recent: datetime
    ) -> Sequence[Observation]:
        """Of all that `breached` gives what a look needs to remember, however many looks there were.

        Of each thing that was looked at, the first and the last time, and the one that chance explains least of those
        from `recent` on; without `detail`, oldest first.

        Raises:
            Unavailable: The table cannot be read.
        """
        ...

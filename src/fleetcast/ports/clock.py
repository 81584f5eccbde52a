"""Time, as something that is handed in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        ...

    def sleep(self, length: timedelta) -> None:
        """Wait that long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        return datetime.now(UTC)

    def sleep(self, length: timedelta) -> None:
        """Wait that long, in real time."""
        time.sleep(length.total_seconds())

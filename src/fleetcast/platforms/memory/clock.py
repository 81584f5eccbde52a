"""A clock on which waiting takes no time: for pipelines that only pretend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SkippingClock:
    """The machine's own clock, ahead by everything that somebody waited for."""

    def __init__(self, skipped: timedelta = timedelta(0)) -> None:
        self.skipped = skipped

    def now(self) -> datetime:
        """The present, aware UTC, as if all waiting had been done."""
        return datetime.now(UTC) + self.skipped

    def sleep(self, length: timedelta) -> None:
        """Skip that long."""
        self.skipped += length

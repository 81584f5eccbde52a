"""Clocks for tests: time that is handed in, and passes only when somebody lets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NOON = datetime(2025, 12, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class FixedClock:
    """Stands still; sleeping moves it, and is remembered."""

    moment: datetime = NOON
    slept: list[timedelta] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, length: timedelta) -> None:
        self.slept.append(length)
        self.moment += length


@dataclass(slots=True)
class SteppingClock:
    """Moves on by one step each time somebody looks at it, so that no two moments are equal."""

    moment: datetime = NOON
    step: timedelta = timedelta(seconds=1)

    def now(self) -> datetime:
        self.moment += self.step
        return self.moment

    def sleep(self, length: timedelta) -> None:
        self.moment += length

"""How a run waits for its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.errors import BadInput


@dataclass(frozen=True, slots=True)
class Polling:
    """How a run waits for its jobs: pauses that double from `start` to `pause`, for `longest` in all."""

    start: timedelta = timedelta(milliseconds=50)
    pause: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(hours=3)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.start <= self.pause <= self.longest:
            raise BadInput(
                f"polling starts at {self.start}, pauses at most {self.pause} and ends after {self.longest}",
                fix="write start ≤ max ≤ longest",
            )

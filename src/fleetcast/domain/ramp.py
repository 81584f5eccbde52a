"""The shares of the traffic that a release goes through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.errors import BadInput

MIRRORED = 0
"""Share of the traffic in per cent while green only gets copies, whose answers reach nobody."""
EVERYTHING = 100


@dataclass(frozen=True, slots=True)
class Ramp:
    """The shares that a release goes through, and how long it stays at each."""

    shares: tuple[int, ...] = (MIRRORED, 10, 25, 50, EVERYTHING)
    """Per cent of the traffic, rising; 0 is mirrored."""
    window: timedelta = timedelta(seconds=30)
    """How long is counted before it is judged."""
    soak: timedelta = timedelta(minutes=5)
    """How long it must pass at each share before the next."""
    ready_within: timedelta = timedelta(minutes=5)
    """How long green may take to start."""
    patience: int = 5
    """Windows in a row that may say too little, or nothing, before it is rolled back."""

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.shares, self.shares[1:], strict=False))
        inside = all(MIRRORED <= share <= EVERYTHING for share in self.shares)
        if not rising or not inside or not self.shares or self.shares[-1] != EVERYTHING:
            raise BadInput(
                f"ramp steps [{', '.join(map(str, self.shares))}] do not rise to 100",
                fix="write rising percents such as [0, 10, 50, 100]; 0 at the beginning mirrors the traffic",
            )
        if min(self.window, self.ready_within) <= timedelta(0) or self.soak < self.window:
            raise BadInput("a ramp soaks for a window at least, and a window takes time")
        if self.patience < 1:
            raise BadInput("a ramp has patience for one window at least")

    @property
    def windows(self) -> int:
        """How many windows must pass at each share."""
        return math.ceil(self.soak / self.window)

    def after(self, share: int) -> int | None:
        """The next share; None after the last."""
        return next((other for other in self.shares if other > share), None)

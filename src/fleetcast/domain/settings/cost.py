"""What training costs where machines are paid by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.errors import BadInput
from fleetcast.domain.money import Money

_LONGEST_START = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class CostSettings:
    """The price of a node, and what a job takes besides training."""

    node_hour: Money | None = None
    """None: nothing is said of money."""
    start: timedelta = timedelta(minutes=3)
    """How long one job's container takes to start."""
    at_once: int = 1
    """Circuits that one node trains at the same time: its cores."""

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.start <= _LONGEST_START:
            raise BadInput(f"start {self.start} is out of range", fix="write 0s to 2h")
        if not 1 <= self.at_once <= 1_024:
            raise BadInput(f"at_once {self.at_once} is out of range", fix="write 1 to 1024 circuits")

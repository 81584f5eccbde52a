"""How a new release takes over the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fleetcast.domain.errors import BadInput


@dataclass(frozen=True, slots=True)
class Ramp:
    """The shares of traffic, in percent, that a new release takes one after another."""

    steps: tuple[int, ...] = (0, 10, 25, 50, 100)

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.steps))
        if not rising or not self.steps or self.steps[0] < 0 or self.steps[-1] != 100:
            shown = ", ".join(map(str, self.steps))
            raise BadInput(
                f"ramp steps [{shown}] do not rise to 100", fix="write rising percents such as [10, 50, 100]"
            )

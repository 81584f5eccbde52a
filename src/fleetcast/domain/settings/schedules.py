"""What starts by itself, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName


class Routine(StrEnum):
    """What may be started by a schedule."""

    PLAN = "plan"
    TRAIN = "train"
    SCORE = "score"
    MONITOR = "monitor"
    RETENTION = "retention"


PER_ENVIRONMENT = frozenset({Routine.SCORE, Routine.MONITOR})
"""What is done for one environment at a time; the others are done for the fleet."""
USUAL = (EnvironmentName.PROD,)
"""Where, if a schedule does not say it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one routine starts by itself."""

    routine: Routine
    cron: str
    """Five fields, in UTC."""
    environments: tuple[EnvironmentName, ...] = ()
    """Of a routine that is done for each of them, in the order they are written; else empty."""

    def __post_init__(self) -> None:
        if (self.routine in PER_ENVIRONMENT) != bool(self.environments):
            raise BadInput(
                f"{self.routine} is "
                + (
                    "done for environments, and none is named"
                    if not self.environments
                    else "done for the fleet"
                ),
                fix="write `environments: [prod]`" if not self.environments else "take `environments` out",
            )
        if EnvironmentName.DEV in self.environments or len(set(self.environments)) < len(self.environments):
            raise BadInput(
                f"{self.routine} cannot be scheduled for [{', '.join(self.environments)}]",
                fix="name test and prod, each at most once: nothing is served in dev",
            )

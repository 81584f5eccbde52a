"""Where something is done: gates, environments and plants; what commands offer as choices loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.identity import checked_id


class Gate(StrEnum):
    """A place where something waits for people."""

    REGISTRY_PROMOTION = "registry-promotion"
    TEST_DEPLOYMENT = "test-deployment"
    PROD_DEPLOYMENT = "prod-deployment"


class EnvironmentName(StrEnum):
    """The three places a model goes through, in order."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where something is done, or where a role holds; None: wherever."""

    gate: Gate | None = None
    environment: EnvironmentName | None = None
    plant: str | None = None

    def __post_init__(self) -> None:
        if self.plant is not None:
            checked_id("plant_id", self.plant)

    def covers(self, place: Scope) -> bool:
        """Whether a role that holds here holds at that place, which names all that is known of it."""
        return (
            self.gate in (None, place.gate)
            and self.environment in (None, place.environment)
            and self.plant in (None, place.plant)
        )

    def __str__(self) -> str:
        named = {"gate": self.gate, "environment": self.environment, "plant": self.plant}
        said = [f"{what} {value}" for what, value in named.items() if value is not None]
        return ", ".join(said) or "everywhere"


EVERYWHERE = Scope()

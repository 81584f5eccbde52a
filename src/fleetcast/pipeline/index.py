"""The fleet as it is: what the platform holds and what was decided about it, read together in bulk."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.model import FleetIndex
from fleetcast.ports.models import ModelRegistry, ModelStates
from fleetcast.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class ReadIndex:
    """Reads the index anew at each call."""

    models: ModelRegistry
    states: ModelStates

    @classmethod
    def of(cls, platform: Platform) -> ReadIndex:
        """For a platform."""
        return cls(platform.workspace.models, platform.control.states)

    def __call__(self) -> FleetIndex:
        """Every version and every decision about one."""
        return FleetIndex(self.models.entries(), self.states.intent())

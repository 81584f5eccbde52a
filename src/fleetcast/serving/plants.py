"""What one release of a plant serves, with what its circuits declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.release import NumberedRelease, ServedModel
from fleetcast.domain.traffic import Override
from fleetcast.pipeline.scoring import Serves, who_serves
from fleetcast.serving.asked import Refused


@dataclass(frozen=True, slots=True)
class ServedPlant:
    """A release, ready to be asked."""

    release: NumberedRelease
    circuits: Mapping[str, Circuit]
    """As the fleet declares them here, by circuit id."""
    previous: Mapping[str, ServedModel]
    """By circuit id, the version that was served before: what takes the place of one that cannot be used."""
    overrides: Mapping[str, Override] = field(default_factory=lambda: MappingProxyType({}))
    name: str = field(init=False)
    """As answers say it."""
    _serves: dict[str, Serves] = field(init=False, repr=False, compare=False, default_factory=dict)
    """By circuit id, what forecasts those that nothing else is said of."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", str(self.release))

    def overridden(self, overrides: Sequence[Override]) -> ServedPlant:
        """The same, with other overrides."""
        held = MappingProxyType({override.circuit: override for override in overrides})
        return ServedPlant(self.release, self.circuits, self.previous, held)

    def circuit(self, name: str) -> Circuit:
        """What a circuit declares.

        Raises:
            Refused: It is not served here; the answer names no other circuit.
        """
        release = self.release.release
        if name not in release.circuits:
            if name in release.removed:
                raise Refused(410, f"circuit {name} was removed", "it is declared no longer")
            raise Refused(404, f"there is no circuit {name} here", "look at how it is spelt")
        found = self.circuits.get(name)
        if found is None:
            raise Refused(503, f"circuit {name} is served, and the fleet at this server does not declare it")
        return found

    def serves(self, circuit: Circuit, now: datetime) -> tuple[Serves, str]:
        """What forecasts a circuit at a moment, and why it is another than the release says; empty if it is not."""
        name = circuit.key.circuit
        known = self._serves.get(name)
        if known is not None:
            return known, ""
        override = self.overrides.get(name)
        serves, why = who_serves(
            circuit, self.release.release.circuits[name], self.previous.get(name), override, now
        )
        if override is None:
            self._serves[name] = serves
        return serves, why

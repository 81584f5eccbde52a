"""What a change of the fleet repository declares differently, whether or not it retrains anything."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.fleet import Fleet, circuit_content
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.training_hash import FieldChange, changes


@dataclass(frozen=True, slots=True)
class CircuitDifference:
    """One circuit that is declared differently."""

    key: CircuitKey
    changes: tuple[FieldChange, ...]
    """Empty for a circuit that is new or gone."""
    note: str = ""
    """`added` or `removed`; empty for a changed one."""

    def __str__(self) -> str:
        return f"{self.key}: {self.note or ', '.join(map(str, self.changes))}"


@dataclass(frozen=True, slots=True)
class Since:
    """What differs between an earlier commit of the fleet repository and now."""

    base: str
    files: tuple[str, ...]
    circuits: tuple[CircuitDifference, ...]


def differences(before: Fleet, after: Fleet) -> tuple[CircuitDifference, ...]:
    """The circuits that two states of the repository declare differently, in the order of their keys."""
    old = {circuit.key: circuit for circuit in before.circuits}
    new = {circuit.key: circuit for circuit in after.circuits}
    found = []
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            found.append(CircuitDifference(key, (), "added"))
        elif key not in new:
            found.append(CircuitDifference(key, (), "removed"))
        elif differs := changes(circuit_content(old[key]), circuit_content(new[key])):
            found.append(CircuitDifference(key, differs))
    return tuple(found)

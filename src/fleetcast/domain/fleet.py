"""A whole fleet as its repository declares it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from fleetcast.domain.canonical import Json, digest_of, plain
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.settings import Settings
from fleetcast.domain.thresholds import Limits, Thresholds
from fleetcast.domain.training_hash import training_inputs

FORMAT = 2
"""Of a fleet's digest; format 1 covered every setting."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Settings, circuits, training environment and training component, all valid together."""

    settings: Settings
    circuits: tuple[Circuit, ...]
    """Each key once, sorted by key."""
    environment: TrainingEnvironment
    component: TrainingComponent

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.circuits, key=lambda circuit: circuit.key))
        for first, second in pairwise(ordered):
            if first.key == second.key:
                raise BadInput(f"circuit {first.key} is declared twice", fix="remove one of the two")
        object.__setattr__(self, "circuits", ordered)

    def circuit(self, key: CircuitKey) -> Circuit:
        """The circuit with this key.

        Raises:
            BadInput: The fleet has none.
        """
        for circuit in self.circuits:
            if circuit.key == key:
                return circuit
        near = difflib.get_close_matches(str(key), [str(known.key) for known in self.circuits], n=1)
        raise BadInput(
            f"the fleet has no circuit {key}",
            fix=f"did you mean {near[0]}?" if near else "see `fleetcast status` for its circuits",
        )

    @property
    def digest(self) -> Digest:
        """SHA-256 of what decides the work; computed anew at each call, about 40 µs per circuit.

        Descriptions, owners and tags are not part of it, nor how often something is polled or who is told.
        """
        settings = self.settings
        return digest_of(
            {
                "format": FORMAT,
                "registry": settings.registry,
                "platform": plain(
                    (settings.platform.kind, settings.platform.state, settings.platform.storage)
                ),
                "data_sources": plain(settings.data_sources),
                "gates": plain(settings.gates),
                "circuits": [deciding_content(circuit) for circuit in self.circuits],
                "environment": self.environment.content,
                "component": self.component.content,
            }
        )


def deciding_content(circuit: Circuit) -> Mapping[str, Json]:
    """What a circuit declares, without what is only for people's orientation, and how its forecasts reach them.

    Editing that changes no work, and nothing that was approved.
    """
    return {
        **training_inputs(circuit),
        "model_name": circuit.model_name,
        "thresholds": _thresholds(circuit.thresholds),
    }


def circuit_content(circuit: Circuit) -> Mapping[str, Json]:
    """Everything a circuit declares, training inputs or not, under the names of the fleet repository."""
    return {
        **deciding_content(circuit),
        "description": circuit.description,
        "owner": circuit.owner,
        "tags": dict(circuit.tags),
        "units": dict(circuit.units),
        "serving": circuit.serving.value,
    }


def _thresholds(thresholds: Thresholds) -> Mapping[str, Json]:
    return {
        "circuit": _limits(thresholds.circuit),
        "sensors": {name: _limits(limits) for name, limits in thresholds.sensors.items()},
    }


def _limits(limits: Limits) -> Mapping[str, Json]:
    return {
        "min_skill": limits.min_skill,
        "min_accuracy": limits.min_accuracy,
        "max_mae": limits.max_mae,
        "max_rmse": limits.max_rmse,
        "max_mase": limits.max_mase,
        "min_coverage_80": limits.min_coverage_80,
        "max_coverage_80": limits.max_coverage_80,
    }

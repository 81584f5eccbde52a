"""A whole fleet as its repository declares it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import PurePosixPath

from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.settings import DEFAULT_READINGS, DataSource, ForeignTable, OwnTable, Settings
from fleetcast.domain.thresholds import Limits, Thresholds
from fleetcast.domain.training_hash import training_inputs


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
        """SHA-256 of everything resolved; computed anew at each call, about 40 µs per circuit."""
        return digest_of(
            {
                "settings": _resolved(self.settings),
                "circuits": [circuit_content(circuit) for circuit in self.circuits],
                "environment": self.environment.content,
                "component": self.component.content,
            }
        )


def circuit_content(circuit: Circuit) -> Mapping[str, Json]:
    """Everything a circuit declares, training inputs or not, under the names of the fleet repository."""
    return {
        **training_inputs(circuit),
        "model_name": circuit.model_name,
        "thresholds": _thresholds(circuit.thresholds),
        "description": circuit.description,
        "owner": circuit.owner,
        "tags": dict(circuit.tags),
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
    }


def _resolved(value: object) -> Json:
    """Settings as JSON: dataclasses by field name, durations in seconds."""
    if isinstance(value, OwnTable | ForeignTable):
        return _data_source(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _resolved(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _resolved(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_resolved(entry) for entry in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePosixPath):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


def _data_source(source: DataSource) -> Mapping[str, Json]:
    """A data source as fleets have always been digested: both kinds in one form, each with the other's gaps."""
    match source:
        case OwnTable():
            kind, path, address, mapping = "own", source.path, "", None
        case ForeignTable():
            kind, path, address, mapping = "delta", DEFAULT_READINGS, source.address, source.mapping
    return {
        "name": source.name,
        "kind": kind,
        "path": str(path),
        "address": address,
        "mapping": _resolved(mapping),
    }

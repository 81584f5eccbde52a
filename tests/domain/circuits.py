"""A circuit and an index to plan with, in plain sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FleetIndex, Intent, Refusal, VersionEntry
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.training_hash import training_hash, training_inputs

CIRCUIT = Circuit(
    key=CircuitKey("PLANT001", "CIRCUIT01"),
    model_name="plant001-circuit01",
    features=("temperature", "pressure"),
    targets=("temperature",),
    frequency=timedelta(hours=1),
    horizon=timedelta(days=7),
    training_window=timedelta(days=365),
    cutoff=Cutoff.parse("2025-11-01"),
    data_source="readings",
    delta_version=4,
    component_version="1.0.0",
    family="linear",
    hyperparameters=MappingProxyType({"lookback": 168, "ridge": 0.5}),
    sensor_limits=MappingProxyType({"temperature": SensorLimits(-40.0, 120.0)}),
)


def entry(circuit: Circuit, version: int) -> VersionEntry:
    """A registered version that was trained from this circuit."""
    inputs = training_inputs(circuit)
    artifact = Digest.of(f"{circuit.model_name}:{version}".encode())
    return VersionEntry(
        circuit.model_name, version, circuit.key, training_hash(inputs), canonical_json(inputs), artifact, 1
    )


def index(
    versions: Sequence[VersionEntry] = (),
    *,
    selected: int | None = None,
    champion: int | None = None,
    refused: Mapping[int, Refusal] = MappingProxyType({}),
) -> FleetIndex:
    """What is registered of one model, and what was decided about its versions."""
    name = versions[0].name if versions else "nothing"
    intent = Intent(
        {} if selected is None else {name: selected},
        {} if champion is None else {name: champion},
        {(name, version): refusal for version, refusal in refused.items()},
    )
    return FleetIndex({name: versions} if versions else {}, intent)


def hash_of(circuit: Circuit) -> Digest:
    return training_hash(training_inputs(circuit))

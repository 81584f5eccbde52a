"""A circuit and an index to plan with, in plain sight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.canonical import canonical_json
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.model import FleetIndex, VersionEntry, VersionState
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


def entry(circuit: Circuit, version: int, state: VersionState = VersionState.REGISTERED) -> VersionEntry:
    """A registered version that was trained from this circuit."""
    inputs = training_inputs(circuit)
    return VersionEntry(
        circuit.model_name, version, circuit.key, training_hash(inputs), state, canonical_json(inputs)
    )


def index(versions: Sequence[VersionEntry] = (), *, selected: int | None = None) -> FleetIndex:
    """What is registered of one model, and which version is in use."""
    if not versions:
        return FleetIndex({}, {})
    name = versions[0].name
    return FleetIndex({name: versions}, {} if selected is None else {name: selected})


def hash_of(circuit: Circuit) -> Digest:
    return training_hash(training_inputs(circuit))

"""Looking at declared circuits: which there are, and where each setting of one comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from fleetcast.config.layers import Origin
from fleetcast.config.reader import FleetReading
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.domain.thresholds import Limits
from fleetcast.domain.training_hash import flat, training_hash, training_inputs

_WRITTEN_AS = {"training_window": ("training_days",)}
"""Other names under which a setting may stand in a file."""
_IDS = ("plant_id", "circuit_id")


@dataclass(frozen=True, slots=True)
class ResolvedSetting:
    """One setting of a circuit with its value, and where that is written."""

    name: str
    value: str
    origin: Origin | None
    """None: a default of fleetcast, written nowhere."""


@dataclass(frozen=True, slots=True)
class ResolvedCircuit:
    """Everything that holds for one circuit."""

    circuit: Circuit
    training_hash: str
    settings: tuple[ResolvedSetting, ...]
    """Those that decide training first, then the others."""


def choose(
    circuits: Sequence[Circuit], patterns: Sequence[str] = (), *, owner: str = "", tags: Sequence[str] = ()
) -> list[Circuit]:
    """The circuits that match a pattern, belong to an owner, and carry all of some tags (`key` or `key=value`).

    Raises:
        BadInput: A pattern matches none.
    """
    keys = set(matching([circuit.key for circuit in circuits], patterns))
    return [
        circuit
        for circuit in circuits
        if circuit.key in keys
        and (not owner or circuit.owner == owner)
        and all(_carries(circuit, tag) for tag in tags)
    ]


def resolve(reading: FleetReading, key: CircuitKey) -> ResolvedCircuit:
    """What holds for one circuit, setting by setting.

    Raises:
        BadInput: It is not declared; the text names the nearest.
    """
    circuit = reading.fleet.circuit(key)
    inputs = training_inputs(circuit)
    settings = [
        ResolvedSetting(name, value, _origin(reading, key, name))
        for name, value in flat(inputs).items()
        if name not in _IDS and value != "null"
    ]
    settings += [
        ResolvedSetting(name, value, _origin(reading, key, name))
        for name, value in flat(_beyond_training(circuit)).items()
        if value
    ]
    return ResolvedCircuit(circuit, training_hash(inputs).hex, tuple(settings))


def _beyond_training(circuit: Circuit) -> Mapping[str, Json]:
    return {
        "model_name": circuit.model_name,
        "description": circuit.description,
        "owner": circuit.owner,
        "tags": dict(circuit.tags),
        "units": dict(circuit.units),
        "serving": circuit.serving.value,
        "thresholds": {
            **_limits(circuit.thresholds.circuit),
            "sensors": {name: _limits(limits) for name, limits in circuit.thresholds.sensors.items()},
        },
    }


def _limits(limits: Limits) -> dict[str, Json]:
    return {name: value for name, value in asdict(limits).items() if value is not None}


def _origin(reading: FleetReading, key: CircuitKey, name: str) -> Origin | None:
    first, *inside = name.split(".")
    for spelling in (first, *_WRITTEN_AS.get(first, ())):
        found = reading.stated(key, spelling, *inside)
        if found is not None:
            return found
    return None


def _carries(circuit: Circuit, tag: str) -> bool:
    name, equals, value = tag.partition("=")
    return name in circuit.tags and (not equals or circuit.tags[name] == value)

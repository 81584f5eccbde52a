"""What a model was trained on and with, as one digest: equal hash, equal model.

The environment version is left out on purpose: a new environment is promoted, never retrained for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetcast.domain.canonical import Json, canonical_json, digest_of
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import format_duration
from fleetcast.domain.identity import Digest

HASH_SCHEMA = 3
"""Raised when a field enters or leaves the hash, or when training makes something else of the same inputs.

Schema 2: seasons are found in the readings, for the baseline and for `auto`. Schema 3: `linear` sees far back and the
calendar, and blends. Their inputs are those of schema 1. Stored with every model version; see `carries`.
"""

TrainingInputs = Mapping[str, Json]

_NOT_DATA = ("pipeline_component_version", "revision")


def training_inputs(circuit: Circuit) -> TrainingInputs:
    """Every resolved input of a circuit's training, as JSON values under the names of the fleet repository."""
    mapping = {"source_mapping": circuit.source_mapping} if circuit.source_mapping else {}
    return {
        **mapping,
        "plant_id": circuit.key.plant,
        "circuit_id": circuit.key.circuit,
        "features": list(circuit.features),
        "targets": list(circuit.targets),
        "frequency": format_duration(circuit.frequency),
        "forecast_horizon": format_duration(circuit.horizon),
        "training_window": format_duration(circuit.training_window),
        "cutoff_date": circuit.cutoff.text,
        "data_source": circuit.data_source,
        "delta_version": circuit.delta_version,
        "pipeline_component_version": circuit.component_version,
        "model": circuit.family,
        "hyperparameters": dict(circuit.hyperparameters),
        "sensor_limits": {
            name: {"min": limits.minimum, "max": limits.maximum}
            for name, limits in circuit.sensor_limits.items()
        },
        "cleaning": {
            "fill_steps": circuit.cleaning.fill_steps,
            "max_missing_share": circuit.cleaning.max_missing_share,
            "max_flat_share": circuit.cleaning.max_flat_share,
            "flat_steps": circuit.cleaning.flat_steps,
            "spike_deviations": circuit.cleaning.spike_deviations,
        },
        "revision": circuit.revision,
    }


def training_hash(inputs: TrainingInputs) -> Digest:
    """Digest the training inputs of one circuit."""
    return _digest(HASH_SCHEMA, canonical_json(inputs))


def carries(registered: Digest, inputs_json: str, wanted: Digest) -> bool:
    """Whether a version stands for a training hash, whatever the schema it was registered under.

    A version of an earlier schema is labelled anew from its stored inputs: it is never trained again for that. What
    does not fit its inputs under any schema keeps the label it has.

    Args:
        registered: The hash that the version was registered with.
        inputs_json: Its training inputs as canonical JSON.
        wanted: A hash under the present schema.
    """
    if registered == wanted:
        return True
    return _digest(HASH_SCHEMA, inputs_json) == wanted and any(
        registered == _digest(schema, inputs_json) for schema in range(1, HASH_SCHEMA)
    )


def _digest(schema: int, inputs_json: str) -> Digest:
    return Digest.of(f'{{"hash_schema":{schema},"inputs":{inputs_json}}}'.encode())


def data_digest(inputs: TrainingInputs) -> Digest:
    """Digest only what decides which rows are read and whether they are fit to train on."""
    return digest_of({name: value for name, value in inputs.items() if name not in _NOT_DATA})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One training input that differs: its name, and both values as people write them."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field} {self.before} → {self.after}"


def changes(before: TrainingInputs, after: TrainingInputs) -> tuple[FieldChange, ...]:
    """Which training inputs differ, in alphabetical order; nested settings by their dotted name."""
    old, new = flat(before), flat(after)
    return tuple(
        FieldChange(name, old.get(name, "unset"), new.get(name, "unset"))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def flat(value: TrainingInputs, prefix: str = "") -> dict[str, str]:
    """Every value as people write it, nested ones by their dotted name."""
    found: dict[str, str] = {}
    for name, entry in value.items():
        if isinstance(entry, Mapping):
            found |= flat(entry, f"{prefix}{name}.")
        elif isinstance(entry, list | tuple):
            found[prefix + name] = "[" + ", ".join(_shown(item) for item in entry) + "]"
        else:
            found[prefix + name] = _shown(entry)
    return found


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(value)

"""Declared circuits and edits of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.config.edit_circuits import Edited
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.views.names import circuit_ids
from fleetcast.workflows.inspect_circuits import ResolvedCircuit


def as_json(circuits: Sequence[Circuit]) -> Json:
    """The list for programs; `inputs` are what a training depends on, spelt as in the circuits' files."""
    return [_circuit(circuit) for circuit in circuits]


def resolved_as_json(found: ResolvedCircuit) -> Json:
    """One circuit with where each setting is written; `file` and `line` are null for a default."""
    return {
        **circuit_ids(found.circuit.key),
        "model_name": found.circuit.model_name,
        "training_hash": found.training_hash,
        "settings": {
            setting.name: {
                "value": setting.value,
                "file": setting.origin.file if setting.origin else None,
                "line": setting.origin.line if setting.origin else None,
            }
            for setting in found.settings
        },
    }


def edited_as_json(edited: Edited, *, written: bool) -> Json:
    """What an edit changed, or would change."""
    return {
        "circuits": [circuit_ids(key) for key in edited.circuits],
        "files": list(edited.files),
        "written": written and bool(edited.files),
        "diff": edited.diff(),
    }


def _circuit(circuit: Circuit) -> Json:
    inputs = training_inputs(circuit)
    return {
        **circuit_ids(circuit.key),
        "model_name": circuit.model_name,
        "description": circuit.description or None,
        "owner": circuit.owner or None,
        "tags": dict(circuit.tags),
        "units": dict(circuit.units),
        "serving": circuit.serving.value,
        "training_hash": training_hash(inputs).hex,
        "inputs": inputs,
    }

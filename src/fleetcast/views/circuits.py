"""Declared circuits and edits of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.config.edit_circuits import Edited
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.domain.wording import counted
from fleetcast.views.moments import iso_or_null, shown
from fleetcast.views.names import circuit_ids
from fleetcast.views.runs import short_commit
from fleetcast.workflows.inspect_circuits import ResolvedCircuit
from fleetcast.workflows.inspect_retired import Retired


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


def retired_in_words(one: Retired) -> str:
    """Since when a circuit is retired."""
    if one.at is None:
        return "no longer declared: the next `fleetcast train` takes it out of use"
    where = f", by {one.run} of commit {short_commit(one.commit)}" if one.run else ""
    return f"retired since {shown(one.at)}{where}"


def left_in_words(one: Retired) -> str:
    """What is left of a retired circuit."""
    versions = counted(one.versions, "version")
    last = f"{versions} registered, the last {one.last_version}"
    champion = "" if one.champion is None else f", {one.champion} promoted"
    served = f"; still served in {', '.join(one.served_in)}" if one.served_in else ""
    return f"{last}{champion}{served}"


def retired_as_json(one: Retired) -> dict[str, Json]:
    """A retired circuit for programs; null is what is not known."""
    return {
        **circuit_ids(one.key),
        "model_name": one.model,
        "last_version": one.last_version,
        "versions": one.versions,
        "champion_version": one.champion,
        "served_in": list(one.served_in),
        "retired_at": iso_or_null(one.at),
        "run_id": one.run or None,
        "commit": one.commit or None,
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

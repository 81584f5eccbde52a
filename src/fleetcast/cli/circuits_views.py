"""Declared circuits and edits of them, as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleetcast.config.edit_circuits import Edited
from fleetcast.domain.canonical import Json
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import format_duration
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.domain.wording import counted
from fleetcast.workflows.inspect_circuits import ResolvedCircuit


def print_circuits(circuits: Sequence[Circuit], console: Console) -> None:
    """Show one line for each circuit."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("circuit", "model", "sensors", "every", "ahead", "cutoff", "data", "component", "owner"):
        table.add_column(column)
    for circuit in circuits:
        table.add_row(
            str(circuit.key),
            circuit.family,
            str(len(circuit.features)),
            format_duration(circuit.frequency),
            format_duration(circuit.horizon),
            circuit.cutoff.text,
            f"{circuit.data_source} version {circuit.delta_version}",
            circuit.component_version,
            circuit.owner or "–",
        )
    console.print(table)
    console.print(f"\n{counted(len(circuits), 'circuit')}")


def circuit_as_json(circuit: Circuit) -> Json:
    """One circuit of the list."""
    inputs = training_inputs(circuit)
    return {
        **inputs,
        "model_name": circuit.model_name,
        "description": circuit.description,
        "owner": circuit.owner,
        "tags": dict(circuit.tags),
        "training_hash": training_hash(inputs).hex,
    }


def print_resolved(found: ResolvedCircuit, console: Console) -> None:
    """Show each setting with its value and where it is written."""
    console.print(f"{found.circuit.key}, training hash {found.training_hash[:12]}\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("setting", "value", "written in"):
        table.add_column(column)
    for setting in found.settings:
        where = Text("default", "dim") if setting.origin is None else str(setting.origin)
        table.add_row(setting.name, Text(setting.value), where)
    console.print(table)


def resolved_as_json(found: ResolvedCircuit) -> Json:
    """The same for programs; `file` and `line` are null for a default."""
    return {
        "plant_id": found.circuit.key.plant,
        "circuit_id": found.circuit.key.circuit,
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
        "circuits": [str(key) for key in edited.circuits],
        "files": list(edited.files),
        "written": written and bool(edited.files),
        "diff": edited.diff(),
    }

"""Declared circuits as tables."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import format_duration
from fleetcast.domain.wording import counted
from fleetcast.views.circuits import left_in_words, retired_in_words
from fleetcast.workflows.inspect_circuits import ResolvedCircuit
from fleetcast.workflows.inspect_retired import Retired


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


def print_retired(circuits: Sequence[Retired], console: Console) -> None:
    """Show one line for each circuit that is no longer declared."""
    if not circuits:
        console.print("no circuit with a model was retired")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("circuit", "since", "left"):
        table.add_column(column, overflow="fold")
    for one in circuits:
        table.add_row(str(one.key), Text(retired_in_words(one)), Text(left_in_words(one)))
    console.print(table)
    console.print(
        f"\n{counted(len(circuits), 'retired circuit')}. More of one: fleetcast models show PLANT/CIRCUIT"
    )


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

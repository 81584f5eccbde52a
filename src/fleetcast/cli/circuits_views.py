"""Declared circuits as tables."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.output import say_line, say_next
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, numbers, show, words
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.duration import format_duration
from fleetcast.domain.wording import counted
from fleetcast.views.circuits import left_in_words, retired_in_words
from fleetcast.workflows.inspect_circuits import ResolvedCircuit
from fleetcast.workflows.inspect_retired import Retired


def print_circuits(circuits: Sequence[Circuit], console: Console) -> None:
    """Show one line for each circuit."""
    columns = (
        an_id("circuit"),
        an_id("model"),
        numbers("sensors"),
        numbers("every", goes=3),
        numbers("ahead", goes=4),
        an_id("cutoff"),
        words("data", goes=5),
        an_id("component", goes=1),
        words("owner", goes=2),
    )
    rows = [
        (
            str(circuit.key),
            circuit.family,
            len(circuit.features),
            format_duration(circuit.frequency),
            format_duration(circuit.horizon),
            circuit.cutoff.text,
            f"{circuit.data_source} version {circuit.delta_version}",
            circuit.component_version,
            circuit.owner or None,
        )
        for circuit in circuits
    ]
    empty = "No circuit is declared. To declare one:"
    show(Table(columns, rows, empty=empty, then="fleetcast circuits add PLANT001/CIRCUIT01"), console)
    if rows:
        console.print(f"\n{counted(len(circuits), 'circuit')}")


def print_retired(circuits: Sequence[Retired], console: Console) -> None:
    """Show one line for each circuit that is no longer declared."""
    rows = [(str(one.key), retired_in_words(one), left_in_words(one)) for one in circuits]
    columns = an_id("circuit"), words("since"), words("left")
    show(Table(columns, rows, empty="No circuit with a model was retired."), console)
    if rows:
        say_next(
            console,
            f"\n{counted(len(circuits), 'retired circuit')}. More of one:",
            "fleetcast models show PLANT/CIRCUIT",
        )


def print_resolved(found: ResolvedCircuit, console: Console) -> None:
    """Show each setting with its value and where it is written."""
    say_line(console, f"{found.circuit.key}, training hash {found.training_hash[:12]}\n")
    rows = [
        (
            setting.name,
            setting.value,
            Text("default", "dim") if setting.origin is None else str(setting.origin),
        )
        for setting in found.settings
    ]
    show(Table((an_id("setting"), words("value"), an_id("written in")), rows), console)

"""What the data commands show, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleetcast.cli.output import say_next, say_wrapped
from fleetcast.cli.plain_rich import Console
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show, words
from fleetcast.domain.duration import format_duration
from fleetcast.domain.ingest import conflict_in_words
from fleetcast.views.moments import shown

if TYPE_CHECKING:
    from fleetcast.domain.ingest import FileReport, IngestReport
    from fleetcast.ports.readings import TableVersion
    from fleetcast.workflows.inspect_data import CircuitQuality, Holdings
    from fleetcast.workflows.simulate import SimulationReport


_SETTLED = {
    "last": "the last in file order won",
    "first": "the first in file order won",
    "mean": "their mean is stored",
    "drop": "none of their readings is stored",
    "refuse": "refused",
}

NO_READINGS = "No readings. To read files of them:"
INGESTS = "fleetcast ingest FILE --plant PLANT001 --circuit CIRCUIT01"


def print_ingest(report: IngestReport, console: Console) -> None:
    """Show what an ingest found, by file where something was found, and what it stored."""
    columns = (
        an_id("file"),
        numbers("rows"),
        numbers("kept"),
        moments("first", goes=2),
        moments("last", goes=1),
        words("found"),
    )
    rows = [
        (
            file.path,
            file.rows_read,
            file.rows_kept,
            file.first,
            file.last,
            "; ".join(_findings(file)) or "nothing odd",
        )
        for file in report.files
    ]
    show(Table(columns, rows), console)
    console.print(
        f"{report.rows_read:,} rows read, {report.rows_written:,} written "
        f"({report.inserted:,} new, {report.updated:,} changed), {report.unchanged:,} already there"
    )
    console.print(
        f"{report.exact_duplicates:,} exact duplicates dropped, "
        f"{report.conflicting_duplicates:,} conflicting duplicates ({_SETTLED[report.on_conflict.value]})"
        + (f", {report.joined_rows:,} rows joined with others of their time" if report.joined_rows else "")
    )
    for conflict in report.first_conflicts:
        say_wrapped(console, f"  {conflict_in_words(conflict)}")
    if report.conflicts > len(report.first_conflicts):
        console.print(f"  … {report.conflicts:,} conflicts in all")
    if report.stored_conflicts:
        done = "kept" if report.on_conflict.value == "first" else "replaced"
        console.print(f"{report.stored_conflicts:,} stored readings differ, and were {done}")
    console.print(f"{', '.join(report.circuits)}: {_time(report.first)} to {_time(report.last)} UTC")
    for near in report.near_names:
        say_next(
            console,
            f"{near.path}: no circuit declares {near.sensor!r}, which is one letter off {near.like!r}; "
            "if it is the same:",
            f"--rename '{near.sensor}={near.like}'",
        )
    if report.version == report.version_before:
        console.print(f"Nothing new: the table stays at version {report.version}")
    else:
        console.print(f"Delta version {report.version}")


def _findings(file: FileReport) -> list[str]:
    counted = (
        (file.empty_rows, "rows without a reading"),
        (file.uneven_rows, "rows with too few or too many cells left out"),
        (file.padded_rows, "rows without their empty cells at the end"),
        (file.unread_times, "rows without a readable time"),
        (file.skipped_local_times, "rows at an odd local hour"),
        (file.unsorted_rows, "rows out of order"),
        (file.not_finite, "cells NaN, infinite or beyond ±1e30"),
        (file.sentinels, "sentinels masked"),
    )
    found = [f"{count:,} {what}" for count, what in counted if count]
    found += [
        f"{cells.count:,} cells of {cells.sensor} are no numbers (row {cells.first_row}: {cells.example!r})"
        for cells in file.unread_cells
    ]
    if file.silent_sensors:
        found.append(f"without any reading: {', '.join(file.silent_sensors)}")
    if file.constant_sensors:
        found.append(f"constant: {', '.join(file.constant_sensors)}")
    return found


def print_simulation(report: SimulationReport, console: Console) -> None:
    """Show what was made up."""
    console.print(
        f"{report.circuits} circuits in {report.plants} plants, {report.rows:,} rows of "
        f"{', '.join(report.sensors)}"
    )
    console.print(f"{_time(report.first)} to {_time(report.last)} UTC")
    console.print(
        f"injected: {report.gaps:,} gaps, {report.exact_duplicates:,} exact and "
        f"{report.conflicting_duplicates:,} conflicting duplicates, {report.late_rows:,} late rows, "
        f"{report.stuck:,} stuck stretches"
    )
    console.print(f"Delta version {report.version}: {report.inserted:,} rows new, {report.updated:,} changed")


def print_holdings(holdings: Holdings, console: Console) -> None:
    """Show what the table holds, circuit by circuit."""
    columns = (
        an_id("circuit"),
        numbers("rows"),
        moments("first", goes=1),
        moments("last"),
        words("sensors"),
    )
    rows = [
        (
            str(circuit.key),
            circuit.rows,
            circuit.first,
            circuit.last,
            ", ".join(
                name if count == circuit.rows else f"{name} ({count / circuit.rows:.1%})"
                for name, count in circuit.readings.items()
            ),
        )
        for circuit in holdings.circuits
    ]
    title = f"Readings, Delta version {holdings.version}"
    show(Table(columns, rows, title, NO_READINGS, INGESTS), console)


def print_versions(versions: Sequence[TableVersion], console: Console) -> None:
    """Show the table's history, newest first."""
    columns = numbers("version"), moments("committed"), words("operation"), numbers("rows written")
    rows = [(str(one.version), one.committed_at, one.operation, one.rows_written) for one in versions]
    show(Table(columns, rows, empty=NO_READINGS, then=INGESTS), console)


def print_quality(checked: Sequence[CircuitQuality], version: int, console: Console) -> None:
    """Show the measurements of each sensor, and the verdict of each circuit."""
    columns = (
        an_id("circuit"),
        an_id("sensor"),
        numbers("missing"),
        numbers("longest gap", goes=5),
        numbers("stuck"),
        numbers("off limits", goes=6),
        numbers("spikes", goes=4),
        numbers("min", goes=2),
        numbers("mean", goes=1),
        numbers("max", goes=3),
        words("verdict"),
    )
    rows = [row for circuit in checked for row in _measured(circuit)]
    title = f"Quality, Delta version {version}"
    show(Table(columns, rows, title, NO_READINGS, INGESTS), console)
    if checked:
        console.print()
    for circuit in checked:
        profile, verdict = circuit.profile, circuit.verdict
        state = (
            f"not trainable: {verdict.blocked}" if verdict.blocked else f"{len(verdict.usable)} sensors fit"
        )
        say_wrapped(
            console,
            f"{circuit.key}: {profile.rows:,} rows, {_time(profile.first)} to {_time(profile.last)} UTC, "
            f"steps of {format_duration(profile.step)}; {state}",
        )
        for warning in verdict.warnings:
            say_wrapped(console, f"  {warning}")


def _measured(circuit: CircuitQuality) -> Iterator[tuple[Cell, ...]]:
    reasons = {gone.sensor: gone.reason for gone in circuit.verdict.left_out}
    for sensor in circuit.profile.sensors:
        longest = f" ({sensor.longest_flat_steps:,})" if sensor.flat_steps else ""
        yield (
            str(circuit.key),
            sensor.sensor,
            f"{sensor.missing_share:.1%}",
            sensor.longest_gap_steps,
            f"{sensor.flat_share:.1%}{longest}",
            sensor.out_of_limits,
            sensor.spikes,
            *(None if x is None else f"{x:.5g}" for x in (sensor.minimum, sensor.mean, sensor.maximum)),
            f"left out: {reasons[sensor.sensor]}" if sensor.sensor in reasons else "fit",
        )


def _time(moment: datetime | None) -> str:
    return "" if moment is None else shown(moment).removesuffix(" UTC")

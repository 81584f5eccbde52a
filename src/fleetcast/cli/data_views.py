"""What the data commands show, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleetcast.cli.plain_rich import Console, Table
from fleetcast.domain.duration import format_duration
from fleetcast.domain.ingest import conflict_in_words

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


def print_ingest(report: IngestReport, console: Console) -> None:
    """Show what an ingest found, by file where something was found, and what it stored."""
    table = Table("file", "rows", "kept", "first", "last", "found", title="Files", title_justify="left")
    for file in report.files:
        found = "; ".join(_findings(file)) or "nothing odd"
        table.add_row(
            file.path,
            f"{file.rows_read:,}",
            f"{file.rows_kept:,}",
            _time(file.first),
            _time(file.last),
            found,
        )
    console.print(table)
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
        console.print(f"  {conflict_in_words(conflict)}")
    if report.conflicts > len(report.first_conflicts):
        console.print(f"  … {report.conflicts:,} conflicts in all")
    if report.stored_conflicts:
        done = "kept" if report.on_conflict.value == "first" else "replaced"
        console.print(f"{report.stored_conflicts:,} stored readings differ, and were {done}")
    console.print(f"{', '.join(report.circuits)}: {_time(report.first)} to {_time(report.last)} UTC")
    for near in report.near_names:
        console.print(
            f"{near.path}: no circuit declares {near.sensor!r}, which is one letter off {near.like!r}; "
            f"if it is the same: --rename '{near.sensor}={near.like}'",
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
    title = f"Readings, Delta version {holdings.version}"
    table = Table(
        "circuit", "rows", "first (UTC)", "last (UTC)", "sensors", title=title, title_justify="left"
    )
    for circuit in holdings.circuits:
        sensors = ", ".join(
            name if count == circuit.rows else f"{name} ({count / circuit.rows:.1%})"
            for name, count in circuit.readings.items()
        )
        table.add_row(
            str(circuit.key), f"{circuit.rows:,}", _time(circuit.first), _time(circuit.last), sensors
        )
    console.print(table)


def print_versions(versions: Sequence[TableVersion], console: Console) -> None:
    """Show the table's history, newest first."""
    table = Table("version", "committed (UTC)", "operation", "rows written")
    for version in versions:
        rows = "" if version.rows_written is None else f"{version.rows_written:,}"
        table.add_row(str(version.version), _time(version.committed_at), version.operation, rows)
    console.print(table)


def print_quality(checked: Sequence[CircuitQuality], version: int, console: Console) -> None:
    """Show the measurements of each sensor, and the verdict of each circuit."""
    title = f"Quality, Delta version {version}"
    table = Table("circuit", "sensor", title=title, title_justify="left")
    for heading in ("missing", "longest gap", "stuck", "off limits", "spikes", "min", "mean", "max"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for circuit in checked:
        reasons = {gone.sensor: gone.reason for gone in circuit.verdict.left_out}
        for sensor in circuit.profile.sensors:
            table.add_row(
                str(circuit.key),
                sensor.sensor,
                f"{sensor.missing_share:.1%}",
                f"{sensor.longest_gap_steps:,}",
                f"{sensor.flat_share:.1%}"
                + (f" ({sensor.longest_flat_steps:,})" if sensor.flat_steps else ""),
                f"{sensor.out_of_limits:,}",
                f"{sensor.spikes:,}",
                *("" if x is None else f"{x:.5g}" for x in (sensor.minimum, sensor.mean, sensor.maximum)),
                f"left out: {reasons[sensor.sensor]}" if sensor.sensor in reasons else "fit",
            )
        table.add_section()
    console.print(table)
    for circuit in checked:
        profile, verdict = circuit.profile, circuit.verdict
        state = (
            f"not trainable: {verdict.blocked}" if verdict.blocked else f"{len(verdict.usable)} sensors fit"
        )
        console.print(
            f"{circuit.key}: {profile.rows:,} rows, {_time(profile.first)} to {_time(profile.last)} UTC, "
            f"steps of {format_duration(profile.step)}; {state}"
        )
        for warning in verdict.warnings:
            console.print(f"  {warning}")


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"

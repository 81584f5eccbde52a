"""What is found in readings, and what is done to them, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from fleetcast.domain.canonical import Json
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.ingest import Conflict, FileReport, IngestReport
from fleetcast.domain.quality import CircuitProfile, QualityVerdict
from fleetcast.ports.readings import TableVersion
from fleetcast.views.moments import iso, iso_or_null
from fleetcast.views.names import circuit_ids
from fleetcast.workflows.inspect_data import CircuitQuality, Holdings
from fleetcast.workflows.keep_versions import Cleaned
from fleetcast.workflows.simulate import SimulationReport


def ingest_as_json(report: IngestReport) -> Json:
    """What an ingest found in each file, and what it stored."""
    return {
        "files": [_file(file) for file in report.files],
        "exact_duplicates": report.exact_duplicates,
        "conflicting_duplicates": report.conflicting_duplicates,
        "joined_rows": report.joined_rows,
        "on_conflict": report.on_conflict.value,
        "conflicts": report.conflicts,
        "first_conflicts": [_conflict(one) for one in report.first_conflicts],
        "stored_conflicts": report.stored_conflicts,
        "inserted": report.inserted,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "delta_version_before": report.version_before,
        "delta_version": report.version,
        "circuits": [circuit_ids(CircuitKey.parse(text)) for text in report.circuits],
        "first_at": iso_or_null(report.first),
        "last_at": iso_or_null(report.last),
        "near_names": [asdict(one) for one in report.near_names],
    }


def simulation_as_json(report: SimulationReport) -> Json:
    """What was made up and stored."""
    return {
        "plant_count": report.plants,
        "circuit_count": report.circuits,
        "sensors": list(report.sensors),
        "rows": report.rows,
        "exact_duplicates": report.exact_duplicates,
        "conflicting_duplicates": report.conflicting_duplicates,
        "late_rows": report.late_rows,
        "gaps": report.gaps,
        "stuck": report.stuck,
        "inserted": report.inserted,
        "updated": report.updated,
        "delta_version": report.version,
        "first_at": iso(report.first),
        "last_at": iso(report.last),
    }


def holdings_as_json(holdings: Holdings) -> Json:
    """What the table holds; `readings` counts those of each sensor."""
    return {
        "delta_version": holdings.version,
        "circuits": [
            {
                **circuit_ids(circuit.key),
                "rows": circuit.rows,
                "first_at": iso_or_null(circuit.first),
                "last_at": iso_or_null(circuit.last),
                "readings": dict(circuit.readings),
            }
            for circuit in holdings.circuits
        ],
    }


def versions_as_json(versions: Sequence[TableVersion]) -> Json:
    """The table's history."""
    return [
        {
            "delta_version": version.version,
            "committed_at": iso(version.committed_at),
            "operation": version.operation,
            "rows_written": version.rows_written,
        }
        for version in versions
    ]


def quality_as_json(checked: Sequence[CircuitQuality], version: int) -> Json:
    """The measurements and the verdict of each circuit."""
    return {
        "delta_version": version,
        "circuits": [
            {
                **circuit_ids(circuit.key),
                "profile": _profile(circuit.profile),
                "verdict": _verdict(circuit.verdict),
            }
            for circuit in checked
        ],
    }


def vacuum_as_json(source: str, done: Cleaned, *, removed: bool) -> Json:
    """What a vacuum removed, or would remove."""
    return {
        "data_source": source,
        "kept_delta_versions": list(done.kept),
        "files": done.files,
        "removed": removed,
    }


def _conflict(conflict: Conflict) -> Json:
    return {
        **circuit_ids(conflict.circuit),
        "measured_at": iso(conflict.at),
        "sensor": conflict.sensor,
        "readings": [asdict(one) for one in conflict.readings],
    }


def _file(file: FileReport) -> Json:
    return {
        "path": file.path,
        "rows_read": file.rows_read,
        "rows_kept": file.rows_kept,
        "uneven_rows": file.uneven_rows,
        "padded_rows": file.padded_rows,
        "unread_times": file.unread_times,
        "skipped_local_times": file.skipped_local_times,
        "empty_rows": file.empty_rows,
        "unread_cells": [asdict(cells) for cells in file.unread_cells],
        "not_finite": file.not_finite,
        "sentinels": file.sentinels,
        "unsorted_rows": file.unsorted_rows,
        "silent_sensors": list(file.silent_sensors),
        "constant_sensors": list(file.constant_sensors),
        "sensors": list(file.sensors),
        "columns": list(file.columns),
        "timestamp_columns": list(file.timestamp_columns),
        "first_at": iso_or_null(file.first),
        "last_at": iso_or_null(file.last),
    }


def _profile(profile: CircuitProfile) -> Json:
    median = profile.median_step
    return {
        "rows": profile.rows,
        "first_at": iso_or_null(profile.first),
        "last_at": iso_or_null(profile.last),
        "step_seconds": profile.step.total_seconds(),
        "median_step_seconds": None if median is None else median.total_seconds(),
        "other_steps_share": profile.other_steps_share,
        "gaps": profile.gaps,
        "gap_steps": profile.gap_steps,
        "longest_run_steps": profile.longest_run_steps,
        "silent_steps_at_end": profile.silent_steps_at_end,
        "sensors": [asdict(sensor) for sensor in profile.sensors],
    }


def _verdict(verdict: QualityVerdict) -> Json:
    return {
        "usable": list(verdict.usable),
        "left_out": [asdict(gone) for gone in verdict.left_out],
        "warnings": list(verdict.warnings),
        "blocked": verdict.blocked or None,
    }

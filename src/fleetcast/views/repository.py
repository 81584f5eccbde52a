"""Whether a fleet repository is valid, in words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import Complaint, InvalidFleet
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.wording import counted
from fleetcast.views.unused import unused_as_json, unused_as_text


def valid_as_text(fleet: Fleet, unused: Sequence[UnusedSetting], pipelines: int) -> str:
    """One line on a fleet without mistakes, and the settings that nothing uses yet."""
    also = f", {counted(pipelines, 'pipeline')}" if pipelines else ""
    line = (
        f"valid: {counted(len(fleet.circuits), 'circuit')} in {counted(_plants(fleet), 'plant')}, "
        f"environment {fleet.environment.name}:{fleet.environment.version}, "
        f"component {fleet.component.name}:{fleet.component.version}{also} (fleet {fleet.digest})"
    )
    return "\n".join(filter(None, (line, unused_as_text(unused))))


def data_as_text(circuits: int, notes: Sequence[Complaint]) -> str:
    """What was found of the data of circuits that can be trained on it."""
    if not circuits:
        return "data: no circuit differs, so none was read"
    what = "it names" if circuits == 1 else "they name"
    lines = [f"data: {counted(circuits, 'circuit')} can be trained on what {what}"]
    return "\n".join([*lines, *(f"  {note}" for note in notes)])


def valid_as_json(
    fleet: Fleet,
    unused: Sequence[UnusedSetting],
    pipelines: int,
    data: tuple[int, Sequence[Complaint]] | None = None,
) -> Json:
    """A fleet without mistakes, for programs.

    Args:
        fleet: As declared.
        unused: Settings that nothing uses yet.
        pipelines: How many pipelines of CI there are.
        data: Of how many circuits the data were looked at, and what was noted; None: nobody asked.
    """
    return {
        "valid": True,
        "circuit_count": len(fleet.circuits),
        "plant_count": _plants(fleet),
        "environment_name": fleet.environment.name,
        "environment_version": str(fleet.environment.version),
        "component_name": fleet.component.name,
        "component_version": str(fleet.component.version),
        "pipeline_count": pipelines,
        "fleet_digest": fleet.digest.hex,
        "complaints": [],
        "data": None
        if data is None
        else {"circuit_count": data[0], "notes": [_complaint_as_json(note) for note in data[1]]},
        "unused": unused_as_json(unused),
    }


def complaints_as_text(invalid: InvalidFleet) -> str:
    """All mistakes, grouped by file, in the order of their lines."""
    lines = []
    for file, complaints in groupby(invalid.complaints, key=lambda complaint: complaint.file):
        lines.append(file)
        for complaint in complaints:
            place = "    " if complaint.line is None else f"  {complaint.line}: "
            lines.append(place + complaint.what)
            if complaint.fix:
                lines.append(f"      → {complaint.fix}")
        lines.append("")
    count = len(invalid.complaints)
    return "\n".join([*lines, "1 mistake" if count == 1 else f"{count} mistakes"])


def complaints_as_json(invalid: InvalidFleet) -> Json:
    """All mistakes, for programs; what is only known of a valid fleet is null."""
    return {
        "valid": False,
        "circuit_count": None,
        "plant_count": None,
        "environment_name": None,
        "environment_version": None,
        "component_name": None,
        "component_version": None,
        "pipeline_count": None,
        "fleet_digest": None,
        "complaints": [_complaint_as_json(complaint) for complaint in invalid.complaints],
        "data": None,
        "unused": [],
    }


def _complaint_as_json(complaint: Complaint) -> Json:
    return {
        "file": complaint.file,
        "line": complaint.line,
        "what": complaint.what,
        "fix": complaint.fix or None,
    }


def _plants(fleet: Fleet) -> int:
    return len({circuit.key.plant for circuit in fleet.circuits})

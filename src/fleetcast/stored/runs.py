"""Runs, as they are written down."""

from __future__ import annotations

from datetime import datetime

from fleetcast.domain.run import Run
from fleetcast.stored.form import Fields, Stored


def _worked(fields: Fields) -> Fields:
    """Format 1 kept no account of stages that ran before; what is left of them is a lower bound."""
    spans = [
        (datetime.fromisoformat(stage["ended_at"]) - datetime.fromisoformat(stage["started_at"]))
        for stage in fields.get("stages", ())
    ]
    worked = sum(span.total_seconds() for span in spans)
    return fields | {"worked_seconds": worked, "begun": None, "resumed_at": None}


RUN = Stored(Run, number=2, earlier={1: _worked})

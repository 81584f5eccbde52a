"""Changing what a fleet repository declares; no platform is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.ports.clock import Clock, SystemClock

if TYPE_CHECKING:
    from fleetcast.workflows.edit_circuits import EditCircuits


def open_editing(directory: Path, *, dry_run: bool, clock: Clock | None = None) -> EditCircuits:
    """Editing the circuit files of a fleet repository, or only saying what an edit would change."""
    from fleetcast.workflows.edit_circuits import EditCircuits

    return EditCircuits(directory, clock or SystemClock(), dry_run)

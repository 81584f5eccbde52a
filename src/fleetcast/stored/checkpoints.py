"""Checkpoints, as they are written down."""

from __future__ import annotations

from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.stored.form import Stored

CHECKPOINT = Stored(
    Checkpoint, fix="`fleetcast database accept-loss` goes on without it; ask first who changed it"
)

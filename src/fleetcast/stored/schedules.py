"""Turns of schedules, as they are written down."""

from __future__ import annotations

from fleetcast.domain.schedule import Turn
from fleetcast.stored.form import Stored

TURN = Stored(Turn)

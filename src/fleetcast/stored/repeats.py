"""Calls with their answers, as they are written down."""

from __future__ import annotations

from fleetcast.domain.repeat import KeptCall
from fleetcast.stored.form import Stored

KEPT_CALL = Stored(KeptCall)

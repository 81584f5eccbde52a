"""Alarms and looks, as they are written down."""

from __future__ import annotations

from fleetcast.domain.alarm import Alarm, LastLook
from fleetcast.stored.form import Stored

ALARM = Stored(Alarm)
LAST_LOOK = Stored(LastLook)

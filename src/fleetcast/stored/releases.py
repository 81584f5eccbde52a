"""Releases, as they are written down."""

from __future__ import annotations

from fleetcast.domain.release import NumberedRelease
from fleetcast.stored.form import Stored

NUMBERED_RELEASE = Stored(NumberedRelease)

"""Runs, as they are written down."""

from __future__ import annotations

from fleetcast.domain.run import Run
from fleetcast.stored.form import Stored

RUN = Stored(Run)

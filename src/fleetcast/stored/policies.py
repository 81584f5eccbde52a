"""Gate policies, as they are written down."""

from __future__ import annotations

from fleetcast.domain.gate import GatePolicy
from fleetcast.stored.form import Stored

GATE_POLICY = Stored(GatePolicy)

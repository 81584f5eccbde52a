"""What servers are told and say, as it is written down."""

from __future__ import annotations

from fleetcast.domain.traffic import Report, SignedTraffic
from fleetcast.stored.form import Stored

SIGNED_TRAFFIC = Stored(SignedTraffic)
REPORT = Stored(Report)

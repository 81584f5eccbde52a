"""What servers say of how they serve, as it is written down."""

from __future__ import annotations

from fleetcast.domain.service import ServerStretch
from fleetcast.stored.form import Stored

SERVER_STRETCH = Stored(ServerStretch)

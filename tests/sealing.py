"""How databases are sealed that tests open themselves: as this process seals all others, with a key of its own."""

from __future__ import annotations

import os

from fleetcast.platforms.signing.sealing import own_sealing
from fleetcast.ports.clock import SystemClock

SEALING = own_sealing(SystemClock(), os.environ)

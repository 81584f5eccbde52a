"""Effects, as they are written down."""

from __future__ import annotations

from fleetcast.domain.effect import Effect
from fleetcast.stored.form import Stored

EFFECT = Stored(Effect)

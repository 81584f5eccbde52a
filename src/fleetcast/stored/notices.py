"""Letters, pages and how channels stand, as they are written down."""

from __future__ import annotations

from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.page import Page
from fleetcast.domain.telling import Told
from fleetcast.stored.form import Stored

LETTER = Stored(Letter)
PAGE = Stored(Page)
CHANNEL_STATE = Stored(ChannelState)
TOLD = Stored(Told)

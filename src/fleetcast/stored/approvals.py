"""Approval requests, as they are written down."""

from __future__ import annotations

from fleetcast.domain.approval import Request
from fleetcast.stored.form import Fields, Stored


def _as_it_is(fields: Fields) -> Fields:
    return fields


REQUEST = Stored(Request, number=4, earlier={1: _as_it_is, 2: _as_it_is, 3: _as_it_is})
"""Format 1 held evidence in words, format 2 did not name baselines, format 3 did not say how people had shown who they
are; values of this version hold all of it as it is."""

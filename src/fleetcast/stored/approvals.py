"""Approval requests, as they are written down."""

from __future__ import annotations

from fleetcast.domain.approval import Request
from fleetcast.stored.form import Fields, Stored


def _as_it_is(fields: Fields) -> Fields:
    return fields


REQUEST = Stored(Request, number=3, earlier={1: _as_it_is, 2: _as_it_is})
"""Format 1 held evidence in words, format 2 did not name baselines; values of this version hold both as they are."""

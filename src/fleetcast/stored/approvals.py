"""Approval requests, as they are written down."""

from __future__ import annotations

from fleetcast.domain.approval import Request
from fleetcast.stored.form import Fields, Stored


def _as_it_is(fields: Fields) -> Fields:
    return fields


REQUEST = Stored(Request, number=5, earlier=dict.fromkeys(range(1, 5), _as_it_is), remembered=500)
"""Format 1 held evidence in words, format 2 did not name baselines, format 3 did not say how people had shown who they
are, format 4 knew four rules of a policy, and neither who else was behind a request nor votes that were handed on;
values of this version hold all of it as it is."""

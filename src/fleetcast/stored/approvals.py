"""Approval requests, as they are written down."""

from __future__ import annotations

from fleetcast.domain.approval import Request
from fleetcast.stored.form import Fields, Stored


def _as_it_is(fields: Fields) -> Fields:
    return fields


def _many_behind(fields: Fields) -> Fields:
    """Format 5 knew at most one who wrote the commit, by a name alone, and one who made the version."""
    wrote, made = fields.pop("committed_by", None), fields.pop("made_by", None)
    return fields | {
        "committed_by": [] if wrote is None else [{"name": wrote["name"], "email": ""}],
        "made_by": [] if made is None else [made],
    }


REQUEST = Stored(
    Request, number=6, earlier={**dict.fromkeys(range(1, 5), _as_it_is), 5: _many_behind}, remembered=500
)
"""Format 1 held evidence in words, format 2 did not name baselines, format 3 did not say how people had shown who they
are, format 4 knew four rules of a policy, and neither who else was behind a request nor votes that were handed on,
format 5 knew one who wrote the commit and one who made the version, and not whether what is unsigned goes through;
values of this version hold all of it as it is."""

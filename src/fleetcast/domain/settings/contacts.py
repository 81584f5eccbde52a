"""Whom to ask when something is wrong."""

from __future__ import annotations

from fleetcast.domain.errors import BadInput
from fleetcast.domain.given import check_line

_LONGEST = 200


def checked_contact(name: str, reach: str) -> str:
    """How to reach somebody, if both can be shown on a line; raises `BadInput`."""
    for text in (name, reach):
        check_line(text, f"the contact {text[:40]!r}", _LONGEST)
        if not text.strip():
            raise BadInput(
                f"{text[:60]!r} is no contact",
                fix=f"write a name and how to reach them, up to {_LONGEST} letters",
            )
    return reach

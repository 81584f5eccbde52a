"""Trying whether files can be kept at a place."""

from __future__ import annotations

from secrets import token_hex

from fleetcast.domain.errors import Unavailable
from fleetcast.domain.location import Location
from fleetcast.platforms.objects.store import ObjectFolder


def tried(place: Location) -> str:
    """Write a small file, read it back and remove it; says where.

    Raises:
        BadInput: The place refuses.
        Unavailable: It does not answer, or gives back something else.
    """
    objects, name, content = ObjectFolder(place), f"probe-{token_hex(8)}", token_hex(16).encode()
    objects.put(name, content)
    try:
        if objects.get(name) != content:
            raise Unavailable(
                f"{place} does not give back what was written", fix="see whether others write there"
            )
    finally:
        objects.remove(name)
    return str(place)

"""Views of values that are shown again and again by a process that serves many people."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from fleetcast.domain.canonical import Json

T = TypeVar("T")


def shown_again(most: int) -> Callable[[Callable[[T], Json]], Callable[[T], Json]]:
    """Give again what was made of the very same object; of one that is only equal, it is made anew.

    To ask whether two values are equal would take as long as to show them. The values must be frozen through and
    through, and who is given a view does not change it. Threads may share it.

    Args:
        most: How many values are held.
    """

    def decorated(view: Callable[[T], Json]) -> Callable[[T], Json]:
        held: dict[int, tuple[T, Json]] = {}

        @wraps(view)
        def shown(value: T) -> Json:
            found = held.get(id(value))
            if found is not None and found[0] is value:
                return found[1]
            made = view(value)
            if len(held) >= most:
                held.clear()
            held[id(value)] = value, made
            return made

        return shown

    return decorated

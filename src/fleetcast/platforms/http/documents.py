"""Reading what a service describes as JSON: what is not there, or is something else, is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleetcast.domain.canonical import Json

Document = Mapping[str, Json]
"""Something as a service describes it."""


def inside(found: Document, name: str) -> Document:
    """The document in a field; an empty one where there is none."""
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}


def documents(found: Document, name: str) -> Iterator[Document]:
    """The documents of the list in a field."""
    values = found.get(name)
    return (one for one in (values if isinstance(values, list) else ()) if isinstance(one, Mapping))


def text(found: Document, name: str) -> str:
    """The text or number in a field; empty where there is none."""
    value = found.get(name)
    return str(value) if isinstance(value, str | int) else ""


def number(found: Document, name: str) -> int:
    """The number in a field; 0 where there is none."""
    value = found.get(name)
    return value if isinstance(value, int) else 0

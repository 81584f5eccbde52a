"""How a domain value is written as JSON, into files and databases, and read back."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Stored(Generic[T]):
    """Writes values of one type as JSON and reads them back equal."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._adapter: TypeAdapter[T] | None = None

    def to_json(self, value: T) -> str:
        """Write a value."""
        return self._ready().dump_json(value).decode()

    def from_json(self, text: str | bytes) -> T:
        """Read a value back, equal to what was written."""
        return self._ready().validate_json(text)

    def _ready(self) -> TypeAdapter[T]:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._kind)
        return self._adapter

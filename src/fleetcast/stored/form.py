"""How a domain value is written as JSON, into files and databases, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator

from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.stored.tagged import tagged

T = TypeVar("T")
Fields = dict[str, Any]
"""A JSON object as some format wrote it, without the format number."""
Upgrade = Callable[[Fields], Fields]
"""Turns what one format wrote into what the next one writes."""


class Unreadable(BadInput):
    """Something of ours that is torn, or was changed outside fleetcast."""


RESTORE = "restore the control database from a backup: it was changed outside fleetcast or torn"


def unreadable(where: str, fix: str = RESTORE) -> Unreadable:
    """The error about a row or file of ours that cannot be what was written."""
    return Unreadable(f"{where} cannot be read", fix=fix)


class Stored(Generic[T]):
    """Writes values of one type as JSON objects that begin with their format number, and reads them back equal.

    A type whose fields change gets the next number, and an upgrade from the number before; the golden files of
    all numbers stay. JSON without a number is of format 1: the first databases hold it.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        number: int = 1,
        earlier: Mapping[int, Upgrade] | None = None,
        fix: str = RESTORE,
        remembered: int = 0,
    ) -> None:
        """Choose how a type is written.

        Args:
            kind: Its values are JSON objects, with no field named `format`.
            number: Of the format that is written.
            earlier: For each number before, how to come from it to the next one.
            fix: What to do about JSON that cannot be read.
            remembered: So many texts that were read last are not parsed again: for small values that a process that
                serves many people reads with each request. The text itself is always looked up, and one that differs
                by a byte is another; values must be frozen through and through.
        """
        self._kind = kind
        self.number = number
        self._earlier = earlier or {}
        if sorted(self._earlier) != list(range(1, number)):
            raise ValueError(f"format {number} of {kind.__name__} needs an upgrade from each number before")
        self._fix = fix
        self._prefix = f'{{"format":{number},'
        self._adapter: TypeAdapter[T] | None = None
        self._validator: SchemaValidator | None = None
        self._parse = lru_cache(remembered)(self._read) if remembered else self._read

    def to_json(self, value: T) -> str:
        """Write a value."""
        return self._prefix + self._ready().serializer.to_json(value).decode()[1:]

    def from_json(self, text: str | bytes, where: str) -> T:
        """Read a value back, equal to what was written.

        Args:
            text: What `to_json` wrote, now or in an earlier version.
            where: The table and key, or the file, that it stands in.

        Raises:
            BadInput: A newer fleetcast wrote it.
            Unreadable: It is no such value.
        """
        try:
            return self._parse(text if isinstance(text, str) else text.decode())
        except _NewerFormat as newer:
            raise BadInput(
                f"{where} has format {newer.number}, this fleetcast knows no newer one than {self.number}",
                fix="use the fleetcast version that wrote it, or a newer one",
            ) from newer
        except (ValueError, FleetcastError, RecursionError) as error:
            raise unreadable(where, self._fix) from error

    def _read(self, text: str) -> T:
        # Parsing twice would double the time of a plan: the number is seen without parsing, in all but old JSON.
        if text.startswith(self._prefix):
            return self._value("{" + text[len(self._prefix) :])
        if self.number == 1 and '"format"' not in text:
            return self._value(text)
        fields, number = _fields_and_number(text)
        if number > self.number:
            raise _NewerFormat(number)
        for earlier in range(number, self.number):
            fields = self._upgraded(earlier, fields)
        return self._value(json.dumps(fields))

    def _value(self, text: str) -> T:
        if self._validator is None:
            self._validator = SchemaValidator(tagged(self._ready().core_schema))
        value: T = self._validator.validate_json(text)
        return value

    def _upgraded(self, number: int, fields: Fields) -> Fields:
        try:
            return self._earlier[number](fields)
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"this is nothing that format {number} wrote") from error

    def _ready(self) -> TypeAdapter[T]:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._kind)
        return self._adapter


class _NewerFormat(Exception):
    """A number that this program does not know yet."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _fields_and_number(text: str) -> tuple[Fields, int]:
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("this is no JSON object")  # noqa: TRY004
    number = fields.pop("format", 1)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"{number!r} is no format number")
    return fields, number

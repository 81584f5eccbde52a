"""One way to write a value as JSON, so that equal values have equal digests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from fleetcast.domain.identity import Digest

if TYPE_CHECKING:
    Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
else:
    Json = Any  # libraries that read annotations at run time cannot follow a recursive alias


WORDS: Mapping[str, bool] = MappingProxyType({"words": True})
"""Metadata of a dataclass field that holds words for people: it is no part of a digest."""
LATER: Mapping[str, bool] = MappingProxyType({"later": True})
"""Metadata of a dataclass field that came after values had been pinned by their digests: it enters a digest once it
says something else than its default, which is how things were before."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: object) -> Json:
    """A value of the domain as JSON, for a digest: dataclasses by field name, durations in seconds, moments in UTC.

    Sets are sorted. A field is left out only if it is marked as `WORDS`, or as `LATER` and at its default; a new one
    enters by itself.

    Raises:
        TypeError: There is no one way to write it.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Digest):
        return value.hex
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: plain(getattr(value, name))
            for name, later, default in _entering(type(value))
            if not later or getattr(value, name) != default
        }
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, frozenset):
        return sorted((plain(entry) for entry in value), key=canonical_json)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, PurePosixPath):
        return str(value)
    raise TypeError(f"no canonical JSON for {type(value).__name__}")


@cache
def _entering(kind: type) -> tuple[tuple[str, bool, object], ...]:
    """The fields of a dataclass that enter a digest: name, whether it came later, and its default."""
    return tuple(
        (field.name, "later" in field.metadata, field.default)
        for field in fields(kind)
        if "words" not in field.metadata
    )


def canonical_json(value: Json) -> str:
    """Write JSON with sorted keys, no blanks and no NaN.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    return _ENCODER.encode(value)


def digest_of(value: Json) -> Digest:
    """SHA-256 of the canonical JSON of a value."""
    return Digest.of(canonical_json(value).encode())

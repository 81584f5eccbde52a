"""One way to write a value as JSON, so that equal values have equal digests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from fleetcast.domain.identity import Digest

if TYPE_CHECKING:
    Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
else:
    Json = Any  # libraries that read annotations at run time cannot follow a recursive alias


def canonical_json(value: Json) -> str:
    """Write JSON with sorted keys, no blanks and no NaN.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Json) -> Digest:
    """SHA-256 of the canonical JSON of a value."""
    return Digest.of(canonical_json(value).encode())

"""Names of plants, circuits, models and runs: checked once, at every entrance, against one allow-list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from fleetcast.domain.errors import BadInput

_SHA_256 = re.compile(r"[0-9a-f]{64}")
Name = TypeVar("Name", "CircuitKey", str)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def checked_id(kind: str, text: str) -> str:
    """Return `text` if it may name a `kind`, so that no id can be a path, an option or a query.

    Raises:
        BadInput: The text does not match `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
    """
    if not _ID.fullmatch(text):
        shown = text if len(text) <= 80 else text[:77] + "..."
        raise BadInput(
            f"{kind} {shown!r} is not a valid id",
            fix="use 1 to 64 letters, digits, '_' or '-', starting with a letter or digit",
        )
    return text


@dataclass(frozen=True, slots=True, order=True)
class CircuitKey:
    """Which circuit of which plant; written `PLANT/CIRCUIT`."""

    plant: str
    circuit: str

    def __post_init__(self) -> None:
        checked_id("plant_id", self.plant)
        checked_id("circuit_id", self.circuit)

    def __str__(self) -> str:
        return f"{self.plant}/{self.circuit}"

    @classmethod
    def parse(cls, text: str) -> CircuitKey:
        """Read `PLANT/CIRCUIT`.

        Raises:
            BadInput: There is not exactly one slash, or one of the two ids is not valid.
        """
        plant, slash, circuit = text.partition("/")
        if not slash:
            raise BadInput(f"{text!r} does not name a circuit", fix="write it as PLANT/CIRCUIT")
        return cls(plant, circuit)


def matching(keys: Sequence[CircuitKey], patterns: Sequence[str], *, of: str = "") -> list[CircuitKey]:
    """The keys that any of the patterns matches, in their order; without patterns all.

    Args:
        keys: The circuits there are.
        patterns: `PLANT/CIRCUIT` with `*`, `?` and `[…]`.
        of: What the circuits have in common, for the error.

    Raises:
        BadInput: A pattern matches none.
    """
    return _matching(keys, patterns, " ".join(filter(None, ("circuit", of))))


def matching_plants(plants: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The plants that any of the patterns matches, in their order; without patterns all.

    Raises:
        BadInput: A pattern matches none.
    """
    return _matching(plants, patterns, "plant")


def _matching(names: Sequence[Name], patterns: Sequence[str], what: str) -> list[Name]:
    for pattern in patterns:
        if not any(fnmatchcase(str(name), pattern) for name in names):
            shown = ", ".join(str(name) for name in names[:8]) + (" …" if len(names) > 8 else "")
            raise BadInput(f"no {what} matches {pattern!r}", fix=f"there is: {shown or 'none'}")
    return [
        name for name in names if not patterns or any(fnmatchcase(str(name), pattern) for pattern in patterns)
    ]


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 of content, as 64 hex digits; shown by its first 12."""

    hex: str

    def __post_init__(self) -> None:
        if not _SHA_256.fullmatch(self.hex):
            raise BadInput(f"{self.hex!r} is not a SHA-256 digest")

    @classmethod
    def of(cls, content: bytes) -> Digest:
        """Digest some bytes."""
        return cls(hashlib.sha256(content).hexdigest())

    @property
    def short(self) -> str:
        """The first 12 hex digits, for people."""
        return self.hex[:12]

    def __str__(self) -> str:
        return self.short

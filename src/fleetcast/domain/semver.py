"""Versions that people write by hand: `1.0.0`, `2.1.0-rc.1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from fleetcast.domain.errors import BadInput

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_SEMVER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?")
_LEADING_ZERO = re.compile(r"0[0-9]+")


@total_ordering
@dataclass(frozen=True, slots=True)
class SemVer:
    """A semantic version without build metadata, ordered as semver.org says: 1.0.0-rc.1 before 1.0.0."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> SemVer:
        """Read `x.y.z` or `x.y.z-pre`.

        Raises:
            BadInput: Of another form, or a number with leading zeros.
        """
        match = _SEMVER.fullmatch(text)
        pre = (match[4] or "") if match else ""
        if not match or len(text) > 64 or any(_LEADING_ZERO.fullmatch(part) for part in pre.split(".")):
            shown = text if len(text) <= 80 else text[:77] + "..."
            raise BadInput(f"{shown!r} is not a version", fix="write three numbers: 1.0.0, or 1.1.0-rc.1")
        return cls(int(match[1]), int(match[2]), int(match[3]), pre)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")

    def __lt__(self, other: SemVer) -> bool:
        return self._rank() < other._rank()

    def _rank(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        """Numeric parts of a pre-release come before words, and no pre-release after any."""
        parts = self.pre.split(".") if self.pre else ()
        ranked = tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in parts)
        return self.major, self.minor, self.patch, not self.pre, ranked

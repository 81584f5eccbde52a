"""Collecting everything that is wrong with a fleet repository, so that all of it is said at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from fleetcast.domain.errors import BadInput, Complaint, InvalidFleet


class Complaints:
    """The mistakes found so far; the same mistake at the same line counts once."""

    def __init__(self) -> None:
        self._found: dict[Complaint, None] = {}

    def add(self, file: str, line: int | None, what: str, fix: str = "") -> None:
        """Note one mistake."""
        self._found[Complaint(file, line, what, fix)] = None

    def add_error(self, file: str, line: int | None, error: BadInput) -> None:
        """Note what a domain value said when it was made."""
        self.add(file, line, str(error), error.fix)

    @property
    def found(self) -> tuple[Complaint, ...]:
        """The mistakes noted, in the order of their files and lines."""
        return tuple(sorted(self._found, key=lambda one: (one.file, one.line or 0, one.what)))

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self) -> None:
        """End here if anything is wrong.

        Raises:
            InvalidFleet: With every mistake noted.
        """
        if self._found:
            raise InvalidFleet(list(self._found))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, and all of them where they are few or none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name[:80].lower(), names, n=1, cutoff=0.6)
    guess = f"did you mean {near[0]!r}? " if near else ""
    if not names:
        return "nothing may be written here"
    few = len(names) <= (8 if guess else 40)
    return f"{guess}known are {', '.join(names)}" if few else guess.strip()


def looks_like(name: str) -> str:
    """What two names share when people or file systems could take one for the other."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def shown(text: str) -> str:
    """A text from a file, quoted, and cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")

"""What fleetcast needs to run its own commands as processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Command(Protocol):
    """A command that was started."""

    def exit_code(self) -> int | None:
        """What it ended with; None: it runs. Below zero: the signal that ended it."""
        ...

    def end(self) -> None:
        """Have it end, and wait until it has: in good order if it can, else by force."""
        ...


class Commands(Protocol):
    """Starts commands of this program on one fleet; each ends when this process does, however that ends."""

    def start(self, words: Sequence[str], log: Path) -> Command:
        """Start `fleetcast` with these words; what it prints is added to the end of a file.

        Raises:
            Unavailable: The disk or the system refuses.
        """
        ...

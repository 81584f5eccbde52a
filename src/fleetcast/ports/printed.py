"""What fleetcast needs to keep what scheduled commands print."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from fleetcast.domain.retention import KeptLog


class Printed(Protocol):
    """What commands printed that a schedule started, on this machine: one log for each due instant of each duty."""

    def kept(self) -> Sequence[KeptLog]:
        """All of them, by name, `score-prod/2026-11-02T0200`; as if each had ended when it was due.

        Raises:
            Unavailable: The disk refuses.
        """
        ...

    def remove(self, names: Collection[str]) -> None:
        """Remove some; one that is not there is no matter.

        Raises:
            Unavailable: The disk refuses; some may be gone.
        """
        ...

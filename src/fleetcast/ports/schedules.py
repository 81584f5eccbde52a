"""What fleetcast needs to remember of what schedules started, and to have one process start it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.schedule import Turn


class ScheduleBook(Protocol):
    """Keeps the turns of every duty; one that is over never changes, and one that failed is in the audit log."""

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who starts what schedules say, for the length of a `with` block.

        A process that dies gives the place up: at once on the same machine, else after the length of a lease. One
        that stands still for longer than that loses the place, and its late changes raise `RunTakenOver`.

        Raises:
            RunInProgress: Another process does, and did not let go in time; it names that one.
        """
        ...

    def keeper(self) -> str | None:
        """Who starts what schedules say at this moment, or may do so; None: nobody."""
        ...

    def save(self, turn: Turn) -> None:
        """Write a turn down, new or as it stands now; with an audit entry if it has failed.

        Raises:
            BadInput: It is on record as over.
        """
        ...

    def held(self, since: datetime) -> Sequence[Turn]:
        """Turns that are due since a moment; and the newest of each duty, those not over and the notes, however old.

        Oldest first.
        """
        ...

    def old(self, before: datetime) -> int:
        """How many turns `forget` would remove."""
        ...

    def forget(self, before: datetime) -> None:
        """Remove turns that are over and were due before a moment, but for those that `held` always gives.

        Of the notes of a duty that is the newest.
        """
        ...

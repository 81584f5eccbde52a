"""What fleetcast needs to keep the history of runs, and to have one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.run import Run


class RunInProgress(FleetcastError):
    """Another process works on this fleet."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"another run is in progress: {holder}")
        self.holder = holder
        self.fix = "wait for it (`--lock-timeout 10min`), or stop that process"


class RunTakenOver(FleetcastError):
    """Another process took the work over, as this one stood still for too long."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"another run took over while this one stood still: {holder}")
        self.fix = (
            "nothing is lost: what this one had not written yet, the other does; see `fleetcast runs list`"
        )


class RunBook(Protocol):
    """Keeps runs and how their stages ended."""

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who runs stages on this fleet, for the length of a `with` block.

        A process that dies gives the place up: at once on the same machine, else after the length of a lease. One
        that stands still for longer than that loses the place, and its late changes raise `RunTakenOver`.

        Raises:
            RunInProgress: Another process holds it and did not let go in time; the text names it.
        """
        ...

    def at_work(self) -> str | None:
        """Who runs stages on this fleet at this moment, or may do so; None: nobody."""
        ...

    def begin(self, fleet: Digest, commit: str) -> Run:
        """Open a new run; runs that could have been continued are superseded by it."""
        ...

    def save(self, run: Run) -> None:
        """Write a run back, with its stages; each time that one ended that trained or failed, with an audit entry."""
        ...

    def note_training(self, run: Run, jobs: int) -> None:
        """Note in the audit log that a run asked for so many new jobs."""
        ...

    def note_failed(self, jobs: Sequence[TrainingJob]) -> None:
        """Note in the audit log that jobs failed for good; a job that was noted before is noted no more."""
        ...

    def find(self, run_id: str) -> Run:
        """One run.

        Raises:
            BadInput: There is no such run.
        """
        ...

    def latest(self) -> Run | None:
        """The newest run; None before the first."""
        ...

    def page(self, *, before: int | None, count: int) -> Sequence[Run]:
        """The newest so many runs, or those before the one of this number; newest first."""
        ...

    def listed(self) -> Sequence[Run]:
        """All runs, newest first."""
        ...

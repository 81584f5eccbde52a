"""Scoring by the platform itself, in place of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fleetcast.domain.remote_run import RemoteRun, RemoteScoring


class RemoteScoringService(Protocol):
    """Runs `fleetcast score` on the fleet as one commit holds it."""

    def begin(self, name: str, scoring: RemoteScoring, commit: str) -> RemoteRun:
        """Begin a run, once for each name: where a run of that name is there, it is given as it stands.

        Args:
            name: Of the run.
            scoring: What it forecasts.
            commit: Of the fleet; it is the one that is checked out.

        Raises:
            BadInput: No commit holds the fleet, or the platform could not run it.
            Unavailable: The platform does not answer; repeating it finds what was begun.
        """
        ...

    def stands(self, name: str) -> RemoteRun | None:
        """How a run stands; None if there is none of that name."""
        ...

    def said(self, name: str, lines: int) -> Sequence[str]:
        """The last lines that a run said which has ended; empty: it said nothing, or the platform keeps nothing."""
        ...

"""Let the platform score a fleet: begun once for each day, and looked at again by the same command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import matching
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.remote_run import Issue, RemoteRun, RemoteScoring, RemoteState, ScoredRemotely
from fleetcast.domain.role import Right
from fleetcast.pipeline.releases import check_served_in
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform

_MOST = 50
"""Runs of one day: more are a mistake of whoever starts them."""
_LINES = 20
"""Of a log that are shown; the page has all of them."""


@dataclass(frozen=True, slots=True)
class ScoreOnPlatform:
    """Begins `fleetcast score` where the platform trains; what it publishes is what it would publish here."""

    platform: Platform
    clock: Clock
    commit: str
    """Git commit of the fleet repository."""

    def __call__(
        self,
        fleet: Fleet,
        environment: EnvironmentName,
        *,
        day: date | None = None,
        patterns: Sequence[str] = (),
        supersede: bool = False,
    ) -> ScoredRemotely:
        """Begin it unless that day has a run that goes on or is done; gives that run as it stands.

        Args:
            fleet: As declared.
            environment: Whose releases forecast.
            day: Which it is for, by UTC. None: today.
            patterns: Of the circuits that are wanted; a platform scores all of them.
            supersede: Whether a day whose run is done gets another one, which publishes another issue.

        Raises:
            Denied: Whoever acts may not publish there.
            BadInput: The platform does not score, some circuits are named, or the day has not come.
            Unavailable: The platform does not answer; the same command finds what was begun.
        """
        control, remote = self.platform.control, self.platform.workspace.remote
        control.require_somewhere(Right.OPERATE)
        check_served_in(environment)
        wanted = matching([circuit.key for circuit in fleet.circuits], patterns)
        plants = {key.plant for key in wanted}
        control.require(Right.OPERATE, *(Scope(environment=environment, plant=plant) for plant in plants))
        if remote is None:
            raise BadInput(
                "this platform does not score by itself", fix="leave --on-platform out: it is scored here"
            )
        if patterns:
            raise BadInput(
                "a platform scores all circuits of a fleet", fix="leave out --circuits, or --on-platform"
            )
        today = self.clock.now().astimezone(UTC).date()
        day = day or today
        if day > today:
            raise BadInput(f"{day} has not come", fix=f"name a day until {today}, by UTC")
        scoring = RemoteScoring(environment, day, Issue.ANOTHER if supersede else Issue.MISSING)
        failed: RemoteRun | None = None
        for number in range(1, _MOST + 1):
            found = remote.stands(scoring.run(number))
            if found is None:
                begun = remote.begin(scoring.run(number), scoring, self.commit)
                failed_saying = () if failed is None else tuple(remote.said(failed.name, _LINES))
                return ScoredRemotely(begun, failed=failed, failed_saying=failed_saying)
            if not found.state.has_ended:
                return ScoredRemotely(found)
            if found.state is RemoteState.DONE and not supersede:
                return ScoredRemotely(found, tuple(remote.said(found.name, _LINES)))
            failed = found if found.state is RemoteState.FAILED else None
        raise BadInput(
            f"{day} was scored {_MOST} times already", fix="score it here: leave out --on-platform"
        )

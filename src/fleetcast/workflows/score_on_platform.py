"""Let the platform score a fleet: begun once for each day, and looked at again by the same command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import matching
from fleetcast.domain.place import EnvironmentName, Scope
from fleetcast.domain.remote_run import RemoteRun, RemoteState, scoring_run
from fleetcast.domain.role import Right
from fleetcast.pipeline.releases import check_served_in
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform

_MOST = 50
"""Runs of one day: more are a mistake of whoever starts them."""


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
    ) -> RemoteRun:
        """Begin it unless that day has a run that goes on or is done; gives that run as it stands.

        Args:
            fleet: As declared.
            environment: Whose releases forecast.
            day: Which it is for, by UTC. None: today.
            patterns: Of the circuits that are wanted; a platform scores all of them.
            supersede: Whether a day whose run is done gets another one, which publishes another issue.

        Raises:
            Denied: Whoever acts may not publish there.
            BadInput: The platform runs no commands, some circuits are named, or the day has not come.
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
                "this platform runs no commands by itself", fix="leave --on-platform out: it is scored here"
            )
        if patterns:
            raise BadInput(
                "a platform scores all circuits of a fleet", fix="leave out --circuits, or --on-platform"
            )
        today = self.clock.now().astimezone(UTC).date()
        day = day or today
        if day > today:
            raise BadInput(f"{day} has not come", fix=f"name a day until {today}, by UTC")
        words = [
            "score",
            environment.value,
            "--date",
            day.isoformat(),
            *(["--supersede"] if supersede else []),
        ]
        for number in range(1, _MOST + 1):
            name = scoring_run(environment, day, number)
            found = remote.stands(name)
            if found is None:
                return remote.begin(name, words, self.commit)
            goes_on = found.state in (RemoteState.WAITS, RemoteState.RUNS)
            if goes_on or (found.state is RemoteState.DONE and not supersede):
                return found
        raise BadInput(
            f"{day} was scored {_MOST} times already", fix="score it here: leave out --on-platform"
        )

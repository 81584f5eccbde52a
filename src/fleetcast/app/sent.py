"""What a server sends to a command line of its own version: the values that its workflows give, whole.

The command line shows them just as it shows what a fleet on this machine says. Programs read the views instead, which
stay as they are from version to version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleetcast.app.answers import ActorKnown, PlanMade, RunFound, RunsListed
from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.domain.alarm import Alarm
from fleetcast.domain.approval import Request
from fleetcast.domain.job import JobLog
from fleetcast.domain.plan import Blocked, CircuitAction, Plan, Removed, Reuse, Train, UpToDate
from fleetcast.stored.form import Stored
from fleetcast.workflows.fleet_status import FleetStatus
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow

_ASK = "use the same fleetcast version as the server, and ask again"


@dataclass(frozen=True, slots=True)
class ModelsListed:
    """Circuits with the model that each uses."""

    rows: tuple[ModelRow, ...]


@dataclass(frozen=True, slots=True)
class RequestsListed:
    """Requests, in the order that was asked for."""

    requests: tuple[Request, ...]
    next: str | None = None
    """Where the list goes on, if it does."""


@dataclass(frozen=True, slots=True)
class AlarmsListed:
    """Alarms, in the order that was asked for."""

    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class PlanSent:
    """A plan on its way: actions by their kind, as two kinds look the same once they are written."""

    plan: Plan
    """Without its circuits."""
    train: tuple[tuple[int, Train], ...]
    """Each with its place in the plan; so the others."""
    reuse: tuple[tuple[int, Reuse], ...]
    up_to_date: tuple[tuple[int, UpToDate], ...]
    blocked: tuple[tuple[int, Blocked], ...]
    removed: tuple[tuple[int, Removed], ...]
    unused: tuple[UnusedSetting, ...]

    @classmethod
    def of(cls, made: PlanMade) -> PlanSent:
        """Take a plan apart."""
        placed = list(enumerate(made.plan.circuits))
        return cls(
            replace(made.plan, circuits=()),
            tuple((place, action) for place, action in placed if isinstance(action, Train)),
            tuple((place, action) for place, action in placed if isinstance(action, Reuse)),
            tuple((place, action) for place, action in placed if isinstance(action, UpToDate)),
            tuple((place, action) for place, action in placed if isinstance(action, Blocked)),
            tuple((place, action) for place, action in placed if isinstance(action, Removed)),
            made.unused,
        )

    @property
    def made(self) -> PlanMade:
        """The plan as it was."""
        placed: list[tuple[int, CircuitAction]] = [
            *self.train,
            *self.reuse,
            *self.up_to_date,
            *self.blocked,
            *self.removed,
        ]
        circuits = tuple(action for _, action in sorted(placed, key=lambda one: one[0]))
        return PlanMade(replace(self.plan, circuits=circuits), self.unused)


PLAN = Stored(PlanSent, fix=_ASK)
STATUS = Stored(FleetStatus, fix=_ASK)
RUNS = Stored(RunsListed, fix=_ASK)
RUN = Stored(RunFound, fix=_ASK)
LOG = Stored(JobLog, fix=_ASK)
MODELS = Stored(ModelsListed, fix=_ASK)
MODEL = Stored(ModelHistory, fix=_ASK)
REQUESTS = Stored(RequestsListed, fix=_ASK)
ALARMS = Stored(AlarmsListed, fix=_ASK)
ACTOR = Stored(ActorKnown, fix=_ASK)

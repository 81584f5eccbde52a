"""What a server sends to a command line of its own version: the values that its workflows give, whole.

The command line shows them just as it shows what a fleet on this machine says. Programs read the views instead, which
stay as they are from version to version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fleetcast.config.not_used_yet import UnusedSetting
from fleetcast.domain.approval import Request, RequestState, Subject
from fleetcast.domain.audit import Actor
from fleetcast.domain.people import Grant
from fleetcast.domain.plan import Blocked, CircuitAction, Plan, Removed, Reuse, Train, UpToDate
from fleetcast.domain.run import Run
from fleetcast.stored.form import Stored
from fleetcast.workflows.inspect_models import ModelHistory, ModelRow
from fleetcast.workflows.status import FleetStatus

_ASK = "use the same fleetcast version as the server, and ask again"


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan, and the settings that nothing uses yet."""

    plan: Plan
    unused: tuple[UnusedSetting, ...]


@dataclass(frozen=True, slots=True)
class RunsListed:
    """Runs, newest first."""

    runs: tuple[Run, ...]
    at_work: bool
    """Whether anybody runs stages at this moment."""
    next: str | None = None
    """Where the list goes on, if it does."""


@dataclass(frozen=True, slots=True)
class RunFound:
    """One run."""

    run: Run
    at_work: bool
    folder: Path
    """Where its files are, on the machine of the fleet."""


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
class Decided:
    """What became of a request that somebody has decided on."""

    number: int
    subject: Subject
    state: RequestState
    missing: int
    """How many more must approve."""

    @classmethod
    def of(cls, request: Request) -> Decided:
        """Of a request after the decision."""
        return cls(request.id, request.subject, request.state, request.missing)


@dataclass(frozen=True, slots=True)
class ActorKnown:
    """Who acts, and what is on record about them."""

    actor: Actor
    open: bool
    """Whether nobody is on record at all."""
    on_record: bool
    roles: tuple[Grant, ...]


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
MODELS = Stored(ModelsListed, fix=_ASK)
MODEL = Stored(ModelHistory, fix=_ASK)
REQUESTS = Stored(RequestsListed, fix=_ASK)
ACTOR = Stored(ActorKnown, fix=_ASK)

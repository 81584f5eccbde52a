"""What there is to say of a fleet at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.alarm import Alarm
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.run import Run
from fleetcast.domain.schedule import Trouble
from fleetcast.domain.standing import PromotionState
from fleetcast.workflows.inspect_deployments import DeploymentStatus


class CircuitState(StrEnum):
    """Where one circuit is; in the order in which people read them. What holds of its model goes by the same word."""

    UP_TO_DATE = "up to date"
    TO_TRAIN = "to train"
    REUSE = "reuse"
    TO_PROMOTE = "to promote"
    AWAITING = PromotionState.AWAITING.value
    BLOCKED = PromotionState.BLOCKED.value
    FAILED = "failed"
    DAMAGED = "damaged"
    """Its champion, or the version it uses, cannot be loaded."""
    REMOVED = "removed"

    @property
    def needs_somebody(self) -> bool:
        """Whether no command alone brings it on: a person has to look, decide or fix."""
        return self in (
            CircuitState.AWAITING,
            CircuitState.BLOCKED,
            CircuitState.FAILED,
            CircuitState.DAMAGED,
        )


@dataclass(frozen=True, slots=True)
class CircuitStatus:
    """One circuit, and what is to be said of it."""

    key: CircuitKey
    model: str
    state: CircuitState
    says: str
    command: str = ""
    """What somebody who looks into it types; empty if nobody has to."""
    request: int | None = None


@dataclass(frozen=True, slots=True)
class PlantStatus:
    """How many of a plant's circuits are in each state; states without any are left out."""

    plant: str
    counts: Mapping[CircuitState, int]


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command, and why now."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class Training:
    """How far the jobs of the last run have come, as far as they are on record."""

    total: int
    done: int
    failed: int
    """Of the others; some of them may be tried again."""

    @property
    def is_under_way(self) -> bool:
        """Whether jobs have not ended."""
        return self.done + self.failed < self.total


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The whole fleet."""

    at: datetime
    circuits: tuple[CircuitStatus, ...]
    """In the order of their keys; circuits that are no longer declared last."""
    pending: int
    """Requests that wait for a decision, for environments and models alike."""
    assets: tuple[str, ...]
    """What is to be registered or promoted besides models, such as `promote environment training:1.1.0`."""
    last_run: Run | None
    at_work: bool
    """Whether anybody works on that run at this moment."""
    estimated: timedelta | None
    """Time to train what is to train; None if nothing is, or nothing like it ran yet."""
    next_steps: tuple[NextStep, ...]
    serving: DeploymentStatus = field(default_factory=DeploymentStatus)
    """What clients are answered by, and what is on its way to them."""
    alarms: tuple[Alarm, ...] = ()
    """That are not over, the most harmful first."""
    training: Training | None = None
    """None: the last run has ended, or has come to no job yet."""
    holder: str = ""
    """Who works on the last run; empty: nobody does."""
    schedules: tuple[Trouble, ...] = ()
    """What should start by itself and did not, or failed."""

    @property
    def counts(self) -> Mapping[CircuitState, int]:
        """How many circuits are in each state, all states named."""
        found = Counter(circuit.state for circuit in self.circuits)
        return {state: found[state] for state in CircuitState}

    @property
    def plants(self) -> tuple[PlantStatus, ...]:
        """Each plant with its own counts, sorted by name."""
        plants: dict[str, Counter[CircuitState]] = {}
        for circuit in self.circuits:
            plants.setdefault(circuit.key.plant, Counter())[circuit.state] += 1
        return tuple(
            PlantStatus(plant, {state: counts[state] for state in CircuitState if counts[state]})
            for plant, counts in sorted(plants.items())
        )

    @property
    def needing_somebody(self) -> tuple[CircuitStatus, ...]:
        """The circuits that wait for a person: damaged first, then failed, blocked, and awaiting approval."""
        order = (CircuitState.DAMAGED, CircuitState.FAILED, CircuitState.BLOCKED, CircuitState.AWAITING)
        return tuple(circuit for state in order for circuit in self.circuits if circuit.state is state)

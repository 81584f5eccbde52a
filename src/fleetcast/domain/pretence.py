"""What a dummy pretends: changes of the fleet that nobody declared, so that a pipeline has something to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from fleetcast.domain.environment import TrainingEnvironment
from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.semver import SemVer


@dataclass(frozen=True, slots=True)
class Pretending:
    """What somebody asks a dummy to pretend next."""

    new_environment: bool = False
    circuit_changes: int = 0
    job_failures: int = 0
    """Jobs whose first attempt fails."""
    propagation_delay: timedelta = timedelta(0)
    """Until what was shared is seen."""

    def __post_init__(self) -> None:
        if self.circuit_changes < 0 or self.job_failures < 0:
            raise BadInput("a number of changes or failures is negative", fix="write a number from 0")
        if self.propagation_delay < timedelta(0):
            raise BadInput("a delay is negative", fix="write one such as 2s")

    @property
    def changes_fleet(self) -> bool:
        """Whether something has to be there before, to be changed."""
        return self.new_environment or self.circuit_changes > 0


@dataclass(frozen=True, slots=True)
class Pretence:
    """All that was pretended of a fleet so far."""

    environments: int = 0
    """How often there was a new environment."""
    revisions: Mapping[str, int] = field(default_factory=dict)
    """How often each circuit was changed, by `PLANT/CIRCUIT`."""
    skipped: timedelta = timedelta(0)
    """What was waited for without letting the time pass."""

    def after(self, fleet: Fleet, asked: Pretending) -> Pretence:
        """With what is asked for; circuits are changed in order, those that were changed least first.

        Raises:
            BadInput: The fleet has fewer circuits than are to be changed.
        """
        changed = self._to_change(fleet, asked.circuit_changes)
        revisions = {**self.revisions, **{str(key): self._changes(key) + 1 for key in changed}}
        return replace(self, environments=self.environments + asked.new_environment, revisions=revisions)

    def applied(self, fleet: Fleet) -> Fleet:
        """The fleet as if all of that were declared."""
        circuits = tuple(
            replace(circuit, revision=circuit.revision + self._changes(circuit.key))
            for circuit in fleet.circuits
        )
        return replace(fleet, circuits=circuits, environment=_newer(fleet.environment, self.environments))

    def _changes(self, key: CircuitKey) -> int:
        return self.revisions.get(str(key), 0)

    def _to_change(self, fleet: Fleet, count: int) -> Sequence[CircuitKey]:
        keys = sorted((circuit.key for circuit in fleet.circuits), key=lambda key: (self._changes(key), key))
        if count > len(keys):
            raise BadInput(
                f"{count} circuits cannot change, the fleet has {len(keys)}", fix=f"write at most {len(keys)}"
            )
        return keys[:count]


def _newer(environment: TrainingEnvironment, times: int) -> TrainingEnvironment:
    version = environment.version
    newer = SemVer(version.major, version.minor, version.patch + times)
    return replace(environment, version=newer) if times else environment
